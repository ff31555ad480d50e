// The system's log, on this machine by logger(1), on another one by UDP.

import { createSocket } from 'node:dgram';
import { hostname } from 'node:os';
import { reason } from '../../record/append.ts';
import { channel } from '../channel.ts';
import type { Notice } from '../words/notice.ts';
import { structuredNotice } from '../words/structured.ts';
import { headWord, touchedText } from '../words/wording.ts';

const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
] as const;
const LOCAL_0 = 16;
/** @see RFC 5424 section 6.1: every receiver takes this much */
const PACKET = 2048;

export const syslog = channel({
  kind: 'syslog',
  help: 'The system log of this machine (by logger), or a syslog server (UDP, RFC 5424). A line for each notice.',
  docs: 'https://www.rfc-editor.org/rfc/rfc5424',
  takes: 'each',
  keys: {
    host: {
      is: 'text',
      help: 'A syslog server.',
      optional: 'this machine',
      sample: 'loghost.example.net',
      matches: /^[A-Za-z0-9.:_-]{1,253}$/,
      wanted: 'the name or address of a machine',
    },
    port: { is: 'number', help: 'Its UDP port.', min: 1, max: 65535, default: 514 },
    facility: {
      is: 'choice',
      help: 'The facility.',
      of: ['daemon', 'mail', 'user', 'cron', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
      default: 'daemon',
    },
  },
  sample: {},
  leadsTo: ({ host }) => (host === undefined ? [{ local: 'logger' }] : [{ host }]),
  async bring(parcel, { host, port, facility }, { run }) {
    const [notice] = parcel.notices;
    if (notice === undefined) return { result: 'delivered', text: 'nothing to tell' };
    const severity = severityOf(notice);
    const line = lineOf(notice);
    if (host === undefined) {
      const result = await run(['logger', '-t', 'healthmon', '-p', `${facility}.${severity.name}`], {
        stdin: `${line}\n`,
        env: {},
      });
      if (result.ended === 'by itself' && result.status === 0) return { result: 'delivered', text: 'given to logger' };
      const why = result.ended === 'by itself' ? `logger ended with status ${result.status}: ${result.output}` : result.text;
      return { result: 'failed', text: why, again: result.ended === 'not begun' ? 'never' : 'soon' };
    }
    const number = facility.startsWith('local')
      ? LOCAL_0 + Number(facility.slice(5))
      : FACILITIES.indexOf(facility as (typeof FACILITIES)[number]);
    const at = new Date(parcel.at).toISOString();
    const packet = `<${number * 8 + severity.number}>1 ${at} ${hostname()} healthmon ${process.pid} ${notice.what} - ${line}`;
    return send(Buffer.from(packet).subarray(0, PACKET), host, port);
  },
});

function lineOf(notice: Notice): string {
  const { alarm, words, trip } = structuredNotice(notice);
  if (alarm === 0) return `${headWord(notice)} ${notice.title}`;
  const said = words === undefined ? '' : `; said: ${words}`;
  return `${headWord(notice)} ${notice.title}; alarm ${alarm}; ${touchedText(notice)}${said}${trip === undefined ? '' : `; trip ${trip}`}`;
}

/** @see RFC 5424 section 6.2.1 */
function severityOf({ what, severity, alarm }: Notice): { readonly name: string; readonly number: number } {
  if (alarm === 0) return { name: 'info', number: 6 };
  if (what === 'cleared') return { name: 'notice', number: 5 };
  if (severity === 'failed') return { name: 'crit', number: 2 };
  return severity === 'unknown' ? { name: 'err', number: 3 } : { name: 'warning', number: 4 };
}

function send(packet: Buffer, host: string, port: number): Promise<import('../channel.ts').Outcome> {
  return new Promise(resolve => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.on('error', error => {
      socket.close();
      resolve({ result: 'failed', text: `cannot send to ${host}: ${reason(error)}`, again: 'soon' });
    });
    socket.send(packet, port, host, error => {
      socket.close();
      // Nobody confirms a datagram: this channel alone proves nothing.
      if (error === null) resolve({ result: 'delivered', text: `sent to ${host} by UDP, which nobody confirms` });
      else resolve({ result: 'failed', text: `cannot send to ${host}: ${reason(error)}`, again: 'soon' });
    });
  });
}
