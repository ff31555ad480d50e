// Faults inside a dialog: a server that is there and says no, or nothing, at one step.

import type { PhaseName } from '../../model/dialog.ts';
import { atPhase, doorFault, doorTruth, imposeAt, refusal } from './doors.ts';
import type { Fault, Place } from './faults.ts';
import { components, doorPlaces } from './places.ts';

/** At the MTA's SMTP door only. */
function mtaRefusal(imitates: string, phase: PhaseName, words: string): Fault {
  return doorFault(imitates, ['mta'], refusal(phase, { smtp: words }), () => [phase]);
}

export const DIALOG_FAULTS = {
  'auth-refused-at-mta': {
    ...doorFault('a password backend that says no at one MTA', ['mta'], refusal('auth'), () => ['auth']),
    places: machinery => (machinery.settings.auth ? components(machinery, 'mta') : []),
  },
  'login-refused-at-mmp': doorFault('one proxy refuses a log-in that is good elsewhere', ['mmp'], refusal('auth'), () => [
    'auth',
  ]),
  'mail-refused-4xx': mtaRefusal(
    'sender deferred by policy, for now',
    'mail',
    '451 4.7.1 <>: Sender address rejected: Sender deferred',
  ),
  'mail-refused-5xx': mtaRefusal('sender refused by policy', 'mail', '554 5.7.1 <>: Sender address rejected: Access denied'),
  'no-space-in-queue': mtaRefusal('the queue disk is full', 'mail', '452 4.3.1 Insufficient system storage'),
  greylisted: mtaRefusal(
    'greylisting: the first tries are put off',
    'rcpt',
    '450 4.2.0 <>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/standin.html',
  ),
  'rcpt-refused-5xx': mtaRefusal(
    'recipient refused by policy',
    'rcpt',
    '554 5.7.1 <>: Recipient address rejected: Access denied',
  ),
  'data-refused': mtaRefusal('a policy that says no at DATA', 'data', '554 5.7.1 <DATA>: Data command rejected: Access denied'),
  'refused-after-dot': mtaRefusal('a content check that says no', 'final', '550 5.7.1 Message content rejected'),
  'deferred-after-dot': mtaRefusal('a content check that fails', 'final', '451 4.3.0 Error: queue file write error'),
  'hangs-after-dot': {
    ...doorFault(
      'an MTA that never answers the final dot (MTU black hole, hung disk)',
      ['mta'],
      atPhase('final', () => ({ do: 'stall' })),
      () => ['final', 'body'],
    ),
    truth: (machinery, place) => ({ ...doorTruth(machinery, place, () => ['final', 'body'], ['failed']), arrivals: ['unsure'] }),
  },
  'dies-after-dot-not-taken': {
    ...doorFault(
      'the connection dies after the final dot; the message was not taken',
      ['mta'],
      atPhase('final', () => ({ do: 'reset' })),
      () => ['final', 'body'],
    ),
    truth: (machinery, place) => ({ ...doorTruth(machinery, place, () => ['final', 'body'], ['failed']), arrivals: ['unsure'] }),
  },
  'dies-after-dot-taken': {
    ...doorFault(
      'the connection dies after the final dot; the message had been taken',
      ['mta'],
      atPhase('final', () => ({ do: 'reset' }), true),
      () => ['final', 'body'],
    ),
    truth: (machinery, place) => ({
      ...doorTruth(machinery, place, () => ['final', 'body'], ['ok', 'slow', 'failed']),
      arrivals: ['seen'],
      finding: 'unsure',
    }),
  },
  'lmtp-refused': {
    ...doorFault(
      'a store that does not take mail just now',
      ['store'],
      refusal('rcpt', { lmtp: '451 4.3.0 <> Temporary internal error' }),
      () => ['rcpt'],
    ),
    places: machinery => components(machinery, 'store').map((component): Place => `${component} lmtp`),
  },
  'at-phase': {
    imitates: 'anything at one phase of one door: give `phase` and `act`',
    places: machinery => doorPlaces(machinery, 'mta', 'mmp', 'store', 'directory', 'filter', 'balancer'),
    truth: (machinery, place, { phase = 'auth' }) => doorTruth(machinery, place, () => [phase], ['ok', 'slow', 'failed']),
    impose: (machinery, place, options) => {
      const { phase = 'auth', act = { do: 'refuse' }, times, after } = options;
      return imposeAt(machinery, place, () => ({
        kind: 'at',
        phase,
        act,
        ...(times === undefined ? {} : { times }),
        ...(after === undefined ? {} : { after }),
      }));
    },
  },
} satisfies Record<string, Fault>;
