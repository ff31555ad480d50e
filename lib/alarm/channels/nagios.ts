// Nagios and Naemon, by the external command file: one passive service shows the worst alarm that is open.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { reason } from '../../record/append.ts';
import { channel } from '../channel.ts';
import { stateNow } from './state-now.ts';

export const nagios = channel({
  kind: 'nagios',
  help:
    'Nagios or Naemon on this machine, by its external command file: the state of one passive service is set to that of the worst alarm that is open. ' +
    'On another machine: [exec.NAME] with send_nsca or an NRDP client.',
  docs: 'https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/passivechecks.html',
  takes: 'all',
  keys: {
    command_file: {
      is: 'text',
      help: 'The pipe that it reads commands from.',
      default: '/var/lib/nagios4/rw/nagios.cmd',
      sample: '/var/lib/nagios4/rw/nagios.cmd',
      max: 1000,
    },
    host: {
      is: 'text',
      help: 'The host that has the service.',
      sample: 'mail.example.com',
      matches: /^[^;|\r\n]{1,255}$/,
      wanted: 'a name without ";"',
    },
    service: {
      is: 'text',
      help: 'The service.',
      default: 'healthmon',
      sample: 'healthmon',
      matches: /^[^;|\r\n]{1,255}$/,
      wanted: 'a name without ";"',
    },
  },
  sample: { host: 'mail.example.com' },
  leadsTo: ({ command_file }) => [{ local: command_file }],
  async bring(parcel, { command_file, host, service }) {
    const { status, output } = stateNow(parcel);
    const line = `[${Math.floor(parcel.at / 1000)}] PROCESS_SERVICE_CHECK_RESULT;${host};${service};${status};${output.replaceAll(';', ',')}\n`;
    let pipe: FileHandle;
    try {
      // Without O_NONBLOCK a pipe that nobody reads would hold us up for ever.
      pipe = await open(command_file, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      const isUnread = error instanceof Error && 'code' in error && error.code === 'ENXIO';
      const why = isUnread ? 'nobody reads it: does Nagios run?' : reason(error);
      return { result: 'failed', text: `cannot write to ${command_file}: ${why}`, again: 'soon' };
    }
    try {
      if (!(await pipe.stat()).isFIFO()) return { result: 'failed', text: `${command_file} is no pipe`, again: 'never' };
      const { bytesWritten } = await pipe.write(line);
      if (bytesWritten === Buffer.byteLength(line)) return { result: 'delivered', text: 'written to the command file' };
      return { result: 'unsure', text: 'the command file took only a part' };
    } catch (error) {
      return { result: 'failed', text: `cannot write to ${command_file}: ${reason(error)}`, again: 'soon' };
    } finally {
      await pipe.close();
    }
  },
});
