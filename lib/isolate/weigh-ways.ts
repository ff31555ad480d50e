// A machine that cannot look up its users, while every directory that it asks answers us: it is the machine itself, or its way to a
// directory, and nobody outside can tell which. Pure.

import { type Component, shortName } from '../model/component.ts';
import type { Fault } from '../model/dialog.ts';
import type { Suspect } from '../model/verdict.ts';
import type { Case } from './case.ts';

/** Where servers look people up. */
const LOOKS_UP: ReadonlySet<Fault['phase']> = new Set(['auth', 'mail', 'rcpt']);

/**
 * How servers say that the look-up did not come about: RFC 5530 and 3206 for the mailboxes, RFC 4954 and 3463 for SMTP and LMTP. A full
 * queue or a maildrop in use have words of their own.
 */
const NO_LOOK_UP: ReadonlySet<string> = new Set(['UNAVAILABLE', 'SYS/TEMP', '4.3.0', '4.7.0']);

/**
 * The ways from a machine to its directories, as suspects beside it; empty when the fault does not speak of a look-up. A machine with two
 * directories takes the other one when the first refuses, and not when packets vanish: then any of them may be meant.
 */
export function waysToDirectories(it: Case, from: Component, fault: Fault): readonly Suspect[] {
  if (!LOOKS_UP.has(fault.phase)) return [];
  const all = it.directoriesOf(from);
  const says = fault.kind === 'rejected' && fault.lasting === 'transient' && NO_LOOK_UP.has(fault.reply?.enhanced ?? '');
  if (fault.kind !== 'timeout' && !(says && all.length === 1)) return [];
  return all
    .filter(directory => it.answered(directory, 'entry'))
    .map(directory =>
      it.suspect(
        `link/${shortName(from)}-${shortName(directory)}`,
        'cannot tell apart',
        [`${directory} answers us; whether ${from} reaches it cannot be asked from here`, fault.text],
        { protocol: 'ldap', phase: 'connect', kind: fault.kind },
      ),
    );
}

/** A machine, alone or with its ways to directories. */
export function selfOrWays(it: Case, self: Suspect, fault: Fault): readonly Suspect[] {
  const ways = waysToDirectories(it, self.component, fault);
  return ways.length === 0 ? [self] : [{ ...self, confidence: 'cannot tell apart' }, ...ways];
}
