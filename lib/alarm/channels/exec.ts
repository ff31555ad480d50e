// Any program: the structured form on its standard input, the most needed of it in its environment.

import { channel } from '../channel.ts';
import { structured } from '../words/structured.ts';

/** @see sysexits.h: EX_TEMPFAIL, "try again later" */
const TEMPORARY = 75;

export const exec = channel({
  kind: 'exec',
  help:
    'A program, run without a shell: apprise, sendxmpp, gammu, a script of yours. It finds the message as JSON on its standard input, and in its environment ' +
    'HEALTHMON_HEADLINE, _SHORT (160 characters), _TEXT, _ID, _SITE, _WHAT, _SEVERITY, _COMPONENT, _PHASE, _ALARM, _KEY, _TRIP and _NEXT. ' +
    'Of its arguments, {headline}, {short} and {text} are replaced. Status 0: delivered; 75: try again; any other: failed.',
  docs: 'lib/alarm/README.md, "A program of your own"',
  takes: 'all',
  keys: {
    command: {
      is: 'list',
      of: 'a program and its arguments',
      min: 1,
      help: 'The program and its arguments.',
      sample: ['/usr/local/bin/page-me', '{short}'],
    },
  },
  sample: { command: ['/usr/local/bin/page-me', '{short}'] },
  leadsTo: ({ command }) => [{ program: command }],
  async bring(parcel, { command }, { run }) {
    const form = structured(parcel.id, parcel);
    const [notice] = parcel.notices;
    const words: Readonly<Record<string, string>> = { headline: form.headline, short: form.short, text: form.text };
    const argv = command.map((word, index) =>
      index === 0 ? word : word.replace(/\{(headline|short|text)\}/g, (_, name: string) => words[name] ?? ''),
    );
    const env = {
      HEALTHMON_HEADLINE: form.headline,
      HEALTHMON_SHORT: form.short,
      HEALTHMON_TEXT: form.text,
      HEALTHMON_ID: parcel.id,
      HEALTHMON_SITE: form.site,
      HEALTHMON_WHAT: notice?.what ?? '',
      HEALTHMON_SEVERITY: notice?.severity ?? '',
      HEALTHMON_COMPONENT: notice?.component ?? '',
      HEALTHMON_PHASE: notice?.phase ?? '',
      HEALTHMON_ALARM: String(notice?.alarm ?? 0),
      HEALTHMON_KEY: notice?.key ?? '',
      HEALTHMON_TRIP: notice?.trip ?? '',
      HEALTHMON_NEXT: notice?.next ?? '',
    };
    const result = await run(argv, { stdin: `${JSON.stringify(form)}\n`, env });
    switch (result.ended) {
      case 'not begun':
        return { result: 'failed', text: result.text, again: 'never' };
      case 'by us':
        return { result: 'unsure', text: result.text };
      case 'by itself': {
        const said = result.output === '' ? '' : `: ${result.output}`;
        if (result.status === 0) return { result: 'delivered', text: 'ended with status 0' };
        return {
          result: 'failed',
          text: `ended with status ${result.status}${said}`,
          again: result.status === TEMPORARY ? 'soon' : 'never',
        };
      }
      default:
        return result satisfies never;
    }
  },
});
