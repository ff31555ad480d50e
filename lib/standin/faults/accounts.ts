// Faults of what says who may come in: accounts, directories, password checkers.

import { kindOf, shortName } from '../../model/component.ts';
import type { Accounts } from '../accounts.ts';
import type { Entry } from '../ldap/directory.ts';
import type { DirectoryServer } from '../ldap/ldap.ts';
import type { Machinery } from '../machinery.ts';
import type { Imposed } from '../network/conditions.ts';
import { componentOf, type Fault, type Place, together, toggled, truthAt } from './faults.ts';
import { components, pathThrough } from './places.ts';

/** Other entries in one directory. */
function directoryFault(
  imitates: string,
  change: (entries: readonly Entry[], machinery: Machinery, place: Place) => readonly Entry[],
): Fault {
  return {
    imitates,
    places: machinery => components(machinery, 'directory'),
    truth: (machinery, place) => {
      const { account } = pathThrough(machinery, place);
      // With nothing to compare it with, a directory that does not know an account cannot be told from an account that is gone.
      const alone = machinery.directories.size === 1;
      return truthAt(pathThrough(machinery, place), {
        components: alone ? [componentOf(place), `account/${account}`] : [componentOf(place)],
        protocols: ['ldap', 'imap', 'pop3'],
        phases: ['search', 'bind', 'auth'],
        states: ['failed'],
      });
    },
    impose: async (machinery, place) => {
      return changed(directoryOf(machinery, place), entries => change(entries, machinery, place));
    },
  };
}

function directoryOf(machinery: Machinery, place: Place): DirectoryServer {
  const directory = machinery.directories.get(shortName(componentOf(place)));
  if (directory === undefined) throw new Error(`Cannot break ${place}: it is no directory of this site`);
  return directory;
}

function changed({ changes }: DirectoryServer, change: (entries: readonly Entry[]) => readonly Entry[]): Imposed {
  return toggled(
    () => changes.push(change),
    () => changes.splice(changes.indexOf(change), 1),
  );
}

function isPerson({ attributes }: Entry): boolean {
  return attributes.has('mailhost');
}

function isAbout({ attributes }: Entry, user: string): boolean {
  return attributes.get('uid')?.[0] === user;
}

function withAttribute(entry: Entry, name: string, values: readonly string[]): Entry {
  return { ...entry, attributes: new Map([...entry.attributes, [name, values]]) };
}

/** Something that any machine with accounts can have. */
function serverFault(imitates: string, turn: (server: { authDead: number; accounts: Accounts }, by: 1 | -1) => void): Fault {
  return {
    imitates,
    places: machinery =>
      components(machinery, ...(machinery.settings.auth ? (['mta', 'mmp', 'store'] as const) : (['mmp', 'store'] as const))),
    truth: (machinery, place) => {
      const kind = kindOf(componentOf(place));
      return truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: kind === 'mta' ? ['smtp'] : ['imap', 'pop3'],
        phases: kind === 'mta' ? ['ehlo', 'auth'] : ['auth'],
        states: ['failed'],
      });
    },
    impose: async (machinery, place) => {
      const name = shortName(componentOf(place));
      const server = { mta: machinery.mtas.get(name), mmp: machinery.mmps.get(name), store: machinery.stores.get(name) }[
        String(kindOf(componentOf(place)))
      ];
      if (server === undefined) throw new Error(`Cannot break ${place}: it is no server of this site`);
      return toggled(
        () => turn(server, 1),
        () => turn(server, -1),
      );
    },
  };
}

export const ACCOUNT_FAULTS = {
  'login-refused-everywhere': {
    imitates: "the account's password has been changed",
    places: machinery => components(machinery, 'account'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['imap', 'pop3'],
        phases: ['auth'],
        states: ['failed'],
      }),
    impose: async (machinery, place) => {
      const name = shortName(componentOf(place));
      const change = (entries: readonly Entry[]) =>
        entries.map(entry => (isAbout(entry, name) ? withAttribute(entry, 'userpassword', []) : entry));
      return together([...machinery.directories.values()].map(directory => changed(directory, change)));
    },
  },
  'account-gone': {
    imitates: 'the test account has been deleted',
    places: machinery => components(machinery, 'account'),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['imap', 'pop3', 'smtp', 'ldap'],
        phases: ['auth', 'rcpt', 'search'],
        states: ['failed'],
      }),
    impose: async (machinery, place) => {
      const name = shortName(componentOf(place));
      const change = (entries: readonly Entry[]) => entries.filter(entry => !isAbout(entry, name));
      return together([...machinery.directories.values()].map(directory => changed(directory, change)));
    },
  },
  'directory-no-entry': directoryFault('one directory does not know the account', (entries, machinery, place) => {
    const { account } = pathThrough(machinery, place);
    return entries.filter(entry => !isAbout(entry, account));
  }),
  'replica-empty': directoryFault('a replica that came back empty', entries =>
    entries.filter(entry => !isPerson(entry) && !entry.dn.startsWith('ou=people')),
  ),
  'replica-behind': {
    ...directoryFault('a replica that has stopped following: it still has the old password', entries =>
      entries.map(entry => {
        if (isPerson(entry)) return withAttribute(entry, 'userpassword', []);
        return entry.attributes.has('contextcsn')
          ? withAttribute(entry, 'contextcsn', ['20260101000000.000000Z#000000#000#000000'])
          : entry;
      }),
    ),
    places: machinery => (machinery.directories.size > 1 ? components(machinery, 'directory').slice(1) : []),
  },
  'service-password-stale': serverFault('a service password that was changed in the directory and not here', (server, by) => {
    server.accounts.staleSecret += by;
  }),
  'password-checker-dead': serverFault('the process that checks passwords (saslauthd, Dovecot auth) is dead', (server, by) => {
    server.authDead += by;
  }),
  'password-checker-hung': {
    imitates: 'the process that checks passwords hangs',
    places: machinery => (machinery.settings.auth ? components(machinery, 'mta') : []),
    truth: (machinery, place) =>
      truthAt(pathThrough(machinery, place), {
        components: [componentOf(place)],
        protocols: ['smtp'],
        phases: ['ehlo', 'auth'],
        states: ['failed'],
      }),
    impose: async (machinery, place) => {
      const mta = machinery.mtas.get(shortName(componentOf(place)));
      if (mta === undefined) throw new Error(`Cannot break ${place}: it is no MTA of this site`);
      return toggled(
        () => {
          mta.authHung += 1;
        },
        () => {
          mta.authHung -= 1;
        },
      );
    },
  },
} satisfies Record<string, Fault>;
