// The notices whose wording is kept as golden files, made by the gate itself from what could happen on a site.

import type { AlarmEvent } from '../../lib/alarm/when/alarm.ts';
import { type Notice, type NoticeContext, noticeOf, testNotice } from '../../lib/alarm/words/notice.ts';
import type { Telling } from '../../lib/alarm/words/wording.ts';
import { bad, Gate, good, HOUR, MINUTE, path, SITE, START } from './results.ts';

const CONTEXT: NoticeContext = {
  site: 'Example Mail',
  origin: 'a1b2c3d4',
  commandTail: '',
  storeOf: account => account,
};

const at = (minutes: number) => START + minutes * MINUTE;

function telling(notices: readonly Notice[], more: Partial<Telling> = {}): Telling {
  const decidedAt = notices[0]?.at ?? START;
  return { notices, at: decidedAt, decidedAt, heldBack: 0, ...more };
}

function noticed({ what, alarm }: AlarmEvent, now: number, more: Partial<Parameters<typeof noticeOf>[4]> = {}): Notice {
  return noticeOf(alarm, what, CONTEXT, now, more);
}

function only(events: readonly AlarmEvent[]): AlarmEvent {
  const [event] = events;
  if (event === undefined || events.length !== 1) throw new Error(`expected one event, not ${events.length}`);
  return event;
}

/** A dead MMP: ten paths, raised, reminded, cleared. */
function deadMmp() {
  const gate = new Gate();
  const paths = ['ims1', 'ims2'].flatMap(account =>
    ['ssmtp01', 'ssmtp02', 'ssmtp03', 'ssmtp04', 'ssmtp05'].map(mta => path(account, mta, 'smux02')),
  );
  const trip = (n: number) => ({ tripId: `0m4k2x9a${n}c7f3e1b5d` });
  const raised = only(gate.events(at(14), ...paths.map((each, n) => bad(at(14), each, {}, trip(n)))));
  const cleared = only(gate.events(at(54), ...paths.map(each => good(at(54), each))));
  return { raised, cleared };
}

function changedSeverity(): Notice {
  const gate = new Gate();
  const over = path('ims1', 'ssmtp01', 'smux01', 'imap');
  for (const minute of [0, 5, 10])
    gate.step(at(minute), bad(at(minute), over, { kind: 'slow', phase: 'auth' }, { state: 'slow' }));
  const words = {
    words: '[UNAVAILABLE] Temporary authentication failure. [mail1:2026-11-22 03:15:02]',
    tripId: '0m4k2x9b1c7f3e1b5d',
  };
  const refused = { phase: 'auth', kind: 'rejected', confidence: 'cannot tell apart' } as const;
  gate.step(at(15), bad(at(15), over, refused));
  return noticed(only(gate.events(at(20), bad(at(20), over, refused, words))), at(20));
}

function flapping(): Notice {
  const gate = new Gate();
  for (let minute = 0; minute < 300; minute += 5) {
    const trip = { tripId: `0m4k2x9g${minute}c7f3e1b` };
    const events = gate.events(
      at(minute),
      Math.floor(minute / 20) % 2 === 0 ? bad(at(minute), path(), {}, trip) : good(at(minute)),
    );
    if (events[0]?.what === 'flapping') return noticed(only(events), at(minute));
  }
  throw new Error('it did not flap');
}

function blind(): Notice {
  const gate = new Gate();
  gate.around = { ...SITE, own: { resolver: 'fails', gateway: 'works' } };
  const paths = Array.from({ length: 200 }, (_, n) => path(`ims${n % 20}`, `ssmtp${n % 7}`, `smux${n}`));
  const name = 'the name smux1.example.com does not resolve: no name server answered (EAI_AGAIN)';
  const events = gate.events(
    at(0),
    ...paths.map((each, n) =>
      bad(at(0), each, { phase: 'resolve', kind: 'name' }, { words: name, tripId: `0m4k2x9c${n}c7f3e1b5d` }),
    ),
  );
  return noticed(only(events), at(0));
}

function directory(): Notice {
  const gate = new Gate();
  const ldap = { component: 'directory/ldap1', protocol: 'ldap', phase: 'bind', kind: 'timeout', confidence: 'sure' } as const;
  const events = gate.events(
    at(0),
    bad(at(0), path(), ldap, { words: 'did not answer the bind within 5 s', tripId: '0m4k2x9d1c7f3e1b5d' }),
    bad(at(0), path('ims2'), { phase: 'auth', kind: 'rejected' }),
    bad(at(0), path('ims2', 'ssmtp02', 'smux02'), { phase: 'auth', kind: 'rejected' }),
  );
  const { alarm } = only(events);
  const explained = gate.state.alarms.find(({ id }) => id === alarm.id) ?? alarm;
  return noticeOf(explained, 'raised', CONTEXT, at(0));
}

/** Words that try to do things to whoever reads them, as the gate gets them: the reader of records has made them printable. */
const HOSTILE =
  '<!channel> @everyone *bold* `code` [link](http://x) <script>alert(1)</script> \u0024{x} {{y}} &amp; =cmd|calc \\x1b[31m \\u{202e}';

function hostile(): Notice {
  const gate = new Gate();
  const events = gate.events(
    at(0),
    bad(at(0), path(), { confidence: 'sure' }, { words: HOSTILE.repeat(3).slice(0, 300), tripId: '0m4k2x9h1c7f3e1b5d' }),
  );
  return noticed(only(events), at(0));
}

function umlauts(): Notice {
  const gate = new Gate();
  const words = { words: 'Schlüssel ungültig – „größer“ als 5 € ‑ 失敗', tripId: '0m4k2x9e1c7f3e1b5d' };
  const events = gate.events(
    at(0),
    bad(at(0), path('ims1', 'ssmtp01', 'a-very-long-machine-name-that-somebody-chose-for-it'), { confidence: 'sure' }, words),
  );
  return { ...noticed(only(events), at(0)), site: 'Universität Musterstadt, Rechenzentrum' };
}

/** Names as long as site.cfg takes them. */
function longest(): Notice {
  const gate = new Gate();
  const name = (letter: string) => letter.repeat(63);
  const over = path(name('a'), name('b'), name('c'));
  const link = { component: `link/${name('c')}-${name('d')}`, phase: 'connect', kind: 'timeout', confidence: 'sure' } as const;
  const events = gate.events(at(0), bad(at(0), over, link, { words: 'w'.repeat(300), tripId: '0m4k2x9f1c7f3e1b5d' }));
  return {
    ...noticed(only(events), at(0)),
    site: 'S'.repeat(255),
    explains: Array.from({ length: 40 }, () => `mmp/${name('e')} auth`),
  };
}

const { raised, cleared } = deadMmp();

/** By the name of their golden file. */
export const TELLINGS: Readonly<Record<string, Telling>> = {
  raised: telling([noticed(raised, at(14))]),
  escalated: telling([noticed(raised, at(29), { unackedMs: 15 * MINUTE })]),
  reminder: telling([noticeOf(raised.alarm, 'reminder', CONTEXT, at(14) + 3 * HOUR)]),
  'reminder-next-day': telling([noticeOf(raised.alarm, 'reminder', CONTEXT, at(14) + 26 * HOUR)]),
  cleared: telling([noticed(cleared, at(54))]),
  'cleared-untold': telling([noticed(cleared, at(54), { untold: true })], { at: at(75) }),
  'changed-severity': telling([changedSeverity()]),
  flapping: telling([flapping()]),
  blind: telling([blind()]),
  directory: telling([directory()]),
  hostile: telling([hostile()]),
  'long-names': telling([umlauts()]),
  longest: telling([longest()]),
  several: telling([noticed(raised, at(14)), directory(), changedSeverity(), flapping(), blind()], {
    at: at(20),
    decidedAt: at(14),
    heldBack: 7,
  }),
  'last-for-now': telling([noticed(raised, at(14))], { lastUntil: at(60) }),
  repeat: telling([noticed(raised, at(14))], { at: at(14) + 20_000, mayBeRepeat: true }),
  drill: telling([{ ...noticed(raised, at(14)), isDrill: true, next: 'healthmon drill stopped --at "mmp/smux02 pop3"' }]),
  test: telling([testNotice('test', CONTEXT, at(0))]),
  canary: telling([testNotice('canary', CONTEXT, at(0))]),
};
