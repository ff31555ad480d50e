// A file on this machine: one line per notice.

import { NotWritten } from '../../record/append.ts';
import { localDay, localTime } from '../../record/day.ts';
import { channel } from '../channel.ts';
import { structuredNotice } from '../words/structured.ts';
import { headWord, touchedText } from '../words/wording.ts';

export const log = channel({
  kind: 'log',
  help: 'A file on this machine, a line for each notice. It tells nobody by itself: the last resort, and the first try.',
  docs: 'lib/alarm/README.md',
  takes: 'each',
  keys: {
    file: {
      is: 'text',
      help: 'The file; a path that does not begin with / is below the state folder.',
      default: 'alarm.log',
      sample: 'alarm.log',
      max: 1000,
    },
    json: { is: 'flag', help: 'Whether each line is a JSON object.', default: false },
  },
  sample: {},
  leadsTo: ({ file }) => [{ local: file }],
  async bring(parcel, { file, json }, { append }) {
    const [notice] = parcel.notices;
    if (notice === undefined) return { result: 'delivered', text: 'nothing to tell' };
    const line = json
      ? JSON.stringify({ id: parcel.id, ...structuredNotice(notice) })
      : `${localDay(parcel.at)} ${localTime(parcel.at)} ${headWord(notice)} ${notice.title}${
          notice.alarm === 0
            ? ''
            : `; alarm ${notice.alarm}; ${touchedText(notice)}${notice.words === undefined ? '' : `; said: ${notice.words}`}`
        }`;
    try {
      append(file, line);
      return { result: 'delivered', text: 'written' };
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      return { result: 'failed', text: error.message, again: 'soon' };
    }
  },
});
