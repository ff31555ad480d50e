// Faults of the whole system: what a trip meets, in the words of real servers (../shared/spec/mail-lab.md section 4), and that it
// is sound again when mended.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultName } from '../../lib/standin/faults/breaking.ts';
import type { BreakOptions, Place } from '../../lib/standin/faults/faults.ts';
import type { StandinOptions } from '../../lib/standin/options.ts';
import { type StandinSite, startSite } from '../../lib/standin/site.ts';
import { type Outcome, trip } from './trip.ts';

// Waits in vain are short, but not so short that a busy machine makes a sound server look hung.
const waits = {
  proxyRefusedMs: 20,
  proxyHangMs: 800,
  directoryDownMs: 5,
  directoryHangMs: 800,
  mtaDirectoryMs: 500,
  saslHangMs: 500,
  saslDeadMs: 10,
  filterHangMs: 600,
  resolverMs: 500,
  popLockMs: 300,
  retryMs: 30,
  lmtpHangMs: 800,
  authFailureMs: 5,
};

const KINDS = {
  plain: { waits },
  rich: { waits, directories: 2, filter: true, balancers: true },
  named: { waits, nameServer: true, auth: false },
} satisfies Record<string, StandinOptions>;

interface Expected {
  readonly open?: string;
  readonly openSaid?: string | RegExp;
  readonly submit?: string | RegExp;
  readonly submitSaid?: string | RegExp;
  readonly arrived?: readonly string[];
  readonly bounce?: string;
  /** Of the only message; null when there must be none. */
  readonly queue?: RegExp | null;
}

type Row = readonly [fault: FaultName, place: Place, expected: Expected, options?: BreakOptions & { readonly limitMs?: number }];

const HERE = { arrived: ['ims1 INBOX'] };
const NOWHERE = { arrived: [] };
const TAKEN = { submit: 'quit done' };
const UNAVAILABLE = { open: 'auth rejected', openSaid: 'a NO [UNAVAILABLE] Account is temporarily unavailable.' };
const TEMPORARY = {
  open: 'auth rejected',
  openSaid: /^a NO \[UNAVAILABLE\] Temporary authentication failure\. \[\w+:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\]$/,
};
const WRONG_PASSWORD = { open: 'auth rejected', openSaid: 'a NO [AUTHENTICATIONFAILED] Authentication failed.' };
const AUTH_535 = {
  submit: 'auth rejected',
  submitSaid: '535 5.7.8 Error: authentication failed: (reason unavailable)',
  ...NOWHERE,
};
const UNKNOWN_550 = {
  submit: 'rcpt rejected',
  submitSaid: '550 5.1.1 <ims1@standin.test>: Recipient address rejected: User unknown in virtual mailbox table',
  ...NOWHERE,
};
const LOOKUP_451 = { submit: 'rcpt rejected', submitSaid: '451 4.3.0 <ims1@standin.test>: Temporary lookup failure', ...NOWHERE };
const FILTER_451 = { submit: 'mail rejected', submitSaid: '451 4.7.1 Service unavailable - try again later', ...NOWHERE };
const DIRECTORY_DOWN = {
  ...TEMPORARY,
  submit: 'auth rejected',
  submitSaid: '454 4.7.0 Temporary authentication failure: (reason unavailable)',
  ...NOWHERE,
};
const REFUSED = /^\w+: connect to ims1\.standin\.test\[127\.0\.0\.1\]:\d+: Connection refused$/;

const NO_NAME =
  /^\w+: Host or domain name not found\. Name service error for name=ims1\.standin\.test type=A: Host not found, try again$/;

const rows: Readonly<Record<keyof typeof KINDS, readonly Row[]>> = {
  plain: [
    // the store behind a proxy
    ['stopped', 'store/ims1', { ...UNAVAILABLE, ...TAKEN, ...NOWHERE, queue: REFUSED }],
    ['frozen', 'store/ims1', { ...UNAVAILABLE, ...TAKEN, ...NOWHERE }],
    ['stopped', 'store/ims1 lmtp', { open: 'search done', ...TAKEN, ...NOWHERE, queue: REFUSED }],
    ['frozen', 'store/ims1 lmtp', { open: 'search done', ...TAKEN, ...NOWHERE, queue: /^active$/ }],
    [
      'turns-away',
      'store/ims1 lmtp',
      { open: 'search done', ...TAKEN, ...NOWHERE, queue: /said: 421 4\.3\.2 Service not available$/ },
    ],
    ['stopped', 'store/ims1 imap', { ...UNAVAILABLE, ...TAKEN, ...HERE }],
    ['stopped', 'mmp/smux01 pop3', { open: 'connect refused', ...TAKEN, ...HERE }],
    [
      'lmtp-refused',
      'store/ims1 lmtp',
      {
        ...TAKEN,
        ...NOWHERE,
        queue: /host ims1\.standin\.test\[127\.0\.0\.1\] said: 451 4\.3\.0 .* \(in reply to RCPT TO command\)$/,
      },
    ],
    [
      'store-full',
      'store/ims1',
      {
        ...TAKEN,
        ...NOWHERE,
        queue:
          /said: 452 4\.2\.2 <ims1@standin\.test> Quota exceeded \(mailbox for user is full\) \(in reply to end of DATA command\)$/,
      },
    ],
    ['store-disk-full', 'store/ims1', { ...TAKEN, ...NOWHERE, queue: /said: 451 4\.2\.0 / }],
    [
      'user-has-too-many-sessions',
      'store/ims1',
      { open: 'auth rejected', openSaid: /^a NO \[LIMIT\] Maximum number of connections/, ...HERE },
    ],
    [
      'mailbox-locked',
      'store/ims1 pop3',
      { open: 'auth rejected', openSaid: '-ERR [IN-USE] Mailbox is locked by another POP3 session.', ...HERE },
    ],
    // routing
    ['mmp-wrong-store', 'mmp/smux01', { open: 'search done', ...TAKEN, ...HERE }],
    ['mmp-routes-nowhere', 'mmp/smux01', { ...UNAVAILABLE, ...HERE }],
    ['link-refused', 'link/smux01-ims1', { ...UNAVAILABLE, ...HERE }],
    ['link-dropped', 'link/smux01-ims1', { ...UNAVAILABLE, ...HERE }],
    ['link-refused', 'link/ssmtp01-ims1', { open: 'search done', ...TAKEN, ...NOWHERE, queue: REFUSED }],
    ['link-dropped', 'link/ssmtp01-ims1', { open: 'search done', ...TAKEN, ...NOWHERE, queue: /^active$/ }],
    // log-ins
    ['login-refused-at-mmp', 'mmp/smux01', { ...WRONG_PASSWORD, ...HERE }],
    ['login-refused-everywhere', 'account/ims1', { ...WRONG_PASSWORD, ...TAKEN, ...HERE }],
    ['account-gone', 'account/ims1', { ...WRONG_PASSWORD, ...UNKNOWN_550 }],
    ['auth-refused-at-mta', 'mta/ssmtp01', AUTH_535],
    ['password-checker-dead', 'mta/ssmtp01', { submit: /^ehlo (reset|eof)$/, ...NOWHERE }],
    ['password-checker-hung', 'mta/ssmtp01', { submit: /^ehlo (reset|eof)$/, ...NOWHERE }],
    ['password-checker-dead', 'mmp/smux01', { ...TEMPORARY, ...HERE }],
    ['password-checker-dead', 'store/ims1', { ...TEMPORARY, ...HERE }],
    ['service-password-stale', 'mmp/smux01', { ...TEMPORARY, ...HERE }],
    ['service-password-stale', 'mta/ssmtp01', AUTH_535],
    [
      'service-password-stale',
      'store/ims1',
      {
        ...TEMPORARY,
        ...NOWHERE,
        queue: /said: 451 4\.3\.0 <ims1@standin\.test> Temporary internal error \(in reply to RCPT TO command\)$/,
      },
    ],
    // the only directory
    ['stopped', 'directory/ldap1', DIRECTORY_DOWN],
    ['resets-on-connect', 'directory/ldap1', DIRECTORY_DOWN],
    [
      'frozen',
      'directory/ldap1',
      {
        open: 'auth rejected',
        openSaid: '* BYE Disconnected for inactivity during authentication.',
        submit: 'auth rejected',
        submitSaid: '454 4.7.0 Temporary authentication failure: Connection lost to authentication server',
        ...NOWHERE,
      },
    ],
    ['directory-no-entry', 'directory/ldap1', { ...WRONG_PASSWORD, ...UNKNOWN_550 }],
    ['replica-empty', 'directory/ldap1', { ...WRONG_PASSWORD, ...AUTH_535 }],
    // what becomes of a message
    ['lost', 'mta/ssmtp01', { ...TAKEN, ...NOWHERE, queue: null }],
    ['lost-by-store', 'store/ims1', { ...TAKEN, ...NOWHERE, queue: null }],
    ['discarded', 'mta/ssmtp02', { ...TAKEN, ...NOWHERE, queue: null }],
    ['late', 'mta/ssmtp01', { ...TAKEN, ...HERE }, { ms: 60 }],
    ['late', 'mta/ssmtp01', { ...TAKEN, ...NOWHERE, queue: /^active$/ }, { ms: 1000 }],
    ['twice', 'mta/ssmtp01', { ...TAKEN, arrived: ['ims1 INBOX', 'ims1 INBOX'] }],
    ['altered-subject', 'mta/ssmtp01', { ...TAKEN, ...HERE }],
    ['bounced', 'mta/ssmtp01', { ...TAKEN, ...NOWHERE, bounce: '5.1.1 X-Postfix; unknown user' }],
    ['held', 'mta/ssmtp01', { ...TAKEN, ...NOWHERE, queue: /^hold$/ }],
    ['queue-stuck', 'mta/ssmtp01', { ...TAKEN, ...NOWHERE, queue: /^deferred: deferred transport$/ }],
    [
      'misrouted',
      'mta/ssmtp01',
      { ...TAKEN, ...NOWHERE, bounce: "5.1.1 smtp; 550 5.1.1 <ims1@standin.test> User doesn't exist: ims1@standin.test" },
    ],
    ['junked', 'store/ims1', { ...TAKEN, arrived: ['ims1 Junk'] }],
    ['dies-after-dot-taken', 'mta/ssmtp01', { submit: /^final (reset|eof)$/, ...HERE }],
    ['dies-after-dot-not-taken', 'mta/ssmtp01', { submit: /^final (reset|eof)$/, ...NOWHERE }],
    ['hangs-after-dot', 'mta/ssmtp01', { submit: 'final timeout', ...NOWHERE }, { limitMs: 500 }],
  ],
  rich: [
    // one of two directories
    ['stopped', 'directory/ldap1', { open: 'search done', ...TAKEN, ...HERE }],
    ['frozen', 'directory/ldap1', { open: 'auth rejected', submit: 'auth rejected', ...NOWHERE }],
    ['directory-no-entry', 'directory/ldap2', { ...WRONG_PASSWORD, ...UNKNOWN_550 }],
    ['replica-behind', 'directory/ldap2', { ...WRONG_PASSWORD, ...AUTH_535 }],
    // the filter
    ['filter-down-tempfail', 'filter/dkim', FILTER_451],
    ['filter-down-accept', 'filter/dkim', { ...TAKEN, ...HERE }],
    ['filter-frozen-tempfail', 'filter/dkim', FILTER_451],
    ['filter-frozen-tempfail', 'filter/dkim', { submit: 'banner timeout', ...NOWHERE }, { limitMs: 300 }],
    ['filter-frozen-accept', 'filter/dkim', { ...TAKEN, ...HERE }],
    [
      'filter-tempfails',
      'filter/dkim',
      { submit: 'final rejected', submitSaid: '451 4.3.0 Temporary problem in the filter', ...NOWHERE },
    ],
    ['filter-rejects', 'filter/dkim', { submit: 'final rejected', submitSaid: '554 5.7.1 Message looks like spam', ...NOWHERE }],
    ['filter-discards', 'filter/dkim', { ...TAKEN, ...NOWHERE, queue: null }],
    ['filter-quarantines', 'filter/dkim', { ...TAKEN, ...NOWHERE, queue: /^hold$/ }],
    ['filter-slow', 'filter/dkim', { ...TAKEN, ...HERE }, { ms: 50 }],
    ['at-phase', 'filter/dkim', FILTER_451, { phase: 'mail' }],
    ['at-phase', 'filter/dkim', FILTER_451, { phase: 'connect' }],
    [
      'at-phase',
      'filter/dkim',
      { submit: 'mail rejected', submitSaid: '550 5.7.1 Command rejected', ...NOWHERE },
      { phase: 'ehlo', act: { do: 'refuse', reply: 'r' } },
    ],
    ['at-phase', 'filter/dkim', FILTER_451, { phase: 'negotiate', act: { do: 'drop' } }],
    [
      'at-phase',
      'filter/dkim',
      { submit: 'final rejected', submitSaid: '451 4.7.1 Service unavailable - try again later', ...NOWHERE },
      { phase: 'final', act: { do: 'drop' } },
    ],
    // balancers
    ['balancer-member-down', 'mta/ssmtp01', { ...TAKEN, ...HERE }],
    ['balancer-member-down', 'mmp/smux01', { open: 'search done', ...HERE }],
    ['stopped', 'balancer/smtp', { submit: 'connect refused', ...NOWHERE }],
    ['frozen', 'balancer/pop', { open: 'banner timeout', ...HERE }, { limitMs: 500 }],
  ],
  named: [
    ['stopped', 'directory/ldap1', LOOKUP_451],
    ['frozen', 'directory/ldap1', LOOKUP_451],
    ['dns-stopped', 'dns/ns1', { ...TEMPORARY, ...TAKEN, ...NOWHERE, queue: NO_NAME }],
    ['dns-silent', 'dns/ns1', { ...TEMPORARY, ...TAKEN, ...NOWHERE, queue: NO_NAME }],
    ['dns-silent', 'dns/ns1', { submit: 'banner timeout', ...NOWHERE }, { limitMs: 300 }],
    ['dns-fails', 'dns/ns1', { ...TEMPORARY, ...TAKEN, ...NOWHERE, queue: NO_NAME }],
    ['dns-refuses', 'dns/ns1', { ...TEMPORARY, ...TAKEN, ...NOWHERE, queue: NO_NAME }],
    ['dns-denies', 'dns/ns1', { ...TEMPORARY, ...TAKEN, ...NOWHERE, queue: null }],
    [
      'name-of-store-gone',
      'store/ims1',
      {
        ...TEMPORARY,
        ...TAKEN,
        ...NOWHERE,
        bounce:
          '5.4.4 X-Postfix; Host or domain name not found. Name service error for name=ims1.standin.test type=A: Host not found',
      },
    ],
  ],
};

/** Long enough for a message that should not come to come. */
const IN_VAIN_MS = 60;

describe.concurrent.each(['plain', 'rich', 'named'] as const)('the %s site', kind => {
  let standin: StandinSite;

  beforeAll(async () => {
    standin = await startSite(KINDS[kind]);
  });

  afterAll(async () => {
    expect(standin.problems).toEqual([]);
    await standin.stop();
  });

  test.sequential.each(rows[kind].map(([fault, place, expected, options = {}]) => ({ fault, place, expected, options })))(
    '$fault at $place',
    async ({ fault, place, expected, options }) => {
      const { limitMs, ...asked } = options;
      const broken = await standin.breakIt(fault, place, asked);
      const { path } = broken.truth;
      let submittedAt = 0;
      const settled = (outcome: Outcome) => {
        submittedAt ||= performance.now();
        const mayStillCome = expected.arrived?.length === 0 && performance.now() - submittedAt < IN_VAIN_MS;
        return !mayStillCome && differences(outcome, expected).length === 0;
      };
      const outcome = await trip(standin, path, settled, limitMs);
      await broken.mend();
      expect(differences(outcome, expected)).toEqual([]);

      const sound = {
        open: path.mailbox === 'imap' ? 'search done' : 'list done',
        submit: 'quit done',
        arrived: [`${path.account} INBOX`],
        queue: null,
      };
      expect(differences(await trip(standin, path, after => differences(after, sound).length === 0), sound)).toEqual([]);
    },
  );
});

test('every fault can be switched on at every place that it names, all at once, and off again', async () => {
  const standin = await startSite({ waits, directories: 2, filter: true, balancers: true, nameServer: true });
  const { site } = standin;
  const known = new Set<string>([
    'monitor',
    ...[
      site.mtas,
      site.mmps,
      site.stores,
      site.accounts,
      site.directories,
      site.filters,
      site.balancers,
      site.nameServers,
    ].flatMap(map => [...map.values()].map(({ component }) => component)),
  ]);
  const switches = [];
  for (const { name, imitates, places } of standin.faults) {
    expect(imitates).toMatch(/^[^.]{10,110}$/);
    expect(places.length).toBeGreaterThan(0);
    for (const place of places) {
      const broken = await standin.breakIt(name, place);
      const { components, phases, states, path } = broken.truth;
      expect(states.length).toBeGreaterThan(0);
      expect(components.filter(component => !known.has(component) && !component.startsWith('link/'))).toEqual([]);
      if (name !== 'clock-off') expect(phases.length).toBeGreaterThan(0);
      expect(
        site.accounts.has(path.account) &&
          (site.mtas.has(path.mta) || site.balancers.has(path.mta)) &&
          (site.mmps.has(path.mmp) || site.balancers.has(path.mmp)),
      ).toBe(true);
      switches.push(broken);
    }
  }
  expect(standin.faults.length).toBeGreaterThanOrEqual(80);
  await Promise.all(switches.map(broken => broken.mend()));
  for (const path of standin.paths.slice(0, 4)) {
    const sound = { submit: 'quit done', arrived: [`${path.account} INBOX`], queue: null };
    expect(differences(await trip(standin, path, outcome => differences(outcome, sound).length === 0), sound)).toEqual([]);
  }
  expect(standin.problems).toEqual([]);
  await standin.stop();
});

function differences(got: Outcome, want: Expected): string[] {
  const { queue, ...rest } = want;
  const wrong = Object.entries(rest).filter(([key, value]) => {
    const said = Object.entries(got).find(([name]) => name === key)?.[1];
    return value instanceof RegExp ? !value.test(String(said)) : JSON.stringify(said) !== JSON.stringify(value);
  });
  const inQueue =
    queue === undefined || (queue === null ? got.queue.length === 0 : got.queue.length === 1 && queue.test(got.queue[0] ?? ''));
  return [...wrong.map(([key]) => key), ...(inQueue ? [] : ['queue'])].map(
    key => `${key}: ${JSON.stringify(Object.entries(got).find(([name]) => name === key)?.[1])}`,
  );
}
