// Faults in what the directory says, and in who may ask it.

import { shortName } from '../../../lib/model/component.ts';
import type { FaultKind } from './catalogue.ts';
import { accounts, machines, only } from './places.ts';
import { truth, waysToDirectories } from './truth.ts';

export const DIRECTORY_FAULTS: readonly FaultKind[] = [
  {
    name: 'no-entry',
    imitates: 'a directory that answers, with no entry for anybody (an access rule gone wrong)',
    places: machines('directory'),
    doorsOpen: true,
    truth: place => truth(place, ['search']),
  },
  {
    name: 'replica-empty',
    imitates: 'a replica that was set up anew and has not been filled',
    places: only('directory/ldap2'),
    doorsOpen: true,
    truth: place => truth(place, ['search']),
  },
  {
    name: 'replica-behind',
    imitates: 'a replica that stopped following a day ago: it does not know account ims1 yet',
    places: only('directory/ldap2'),
    doorsOpen: true,
    truth: place => truth(place, ['search'], { path: { mmp: 'smux02', account: 'ims1' } }),
  },
  {
    name: 'stale-bind',
    imitates: 'a machine whose own password for the directory was changed without telling it',
    places: machines('mmp', 'store', 'mta'),
    doorsOpen: true,
    truth: place =>
      truth(place, ['auth'], {
        fair: ['directory/ldap1', 'directory/ldap2', ...waysToDirectories(place)],
        arrival: ['unsent', 'lost', 'unknown'],
      }),
  },
  {
    name: 'account-refused',
    imitates: 'an account whose password was changed: refused everywhere',
    places: accounts,
    truth: place => truth(place, ['auth'], { path: pathOf(shortName(place.component)) }),
  },
  {
    name: 'account-gone',
    imitates: 'an account that was deleted: unknown everywhere',
    places: accounts,
    truth: place => truth(place, ['auth', 'rcpt', 'search'], { path: pathOf(shortName(place.component)) }),
  },
];

/** `sender` is met by its log-in to every MTA, the others by their own mailbox. */
function pathOf(account: string): { account?: string } {
  return account === 'sender' ? {} : { account };
}
