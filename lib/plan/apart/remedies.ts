// Doors, queues and machines that could be added to site.cfg so that isolation can tell more apart: each as a site that has it, and as
// the lines to write. Which of them helps is tried out by ambiguity.ts. Pure.

import { type Component, kindOf, shortName } from '../../model/component.ts';
import type { Endpoint, Protocol } from '../../model/endpoint.ts';
import type { Directory, Site } from '../../model/site.ts';
import { type Change, DOOR_LINES } from '../change.ts';
import { MAILBOXES } from '../inventory.ts';
import type { World } from './suppose.ts';

export interface Remedy {
  /** The same for the same kind of addition on another path. */
  readonly id: string;
  readonly site: Site;
  readonly changes: readonly Change[];
}

/** What could be said of machines that are there: further doors, queues, needs. The simplest first. */
export function doorRemedies(world: World): readonly Remedy[] {
  return [...storeLogin(world), ...storeDelivery(world), ...queueAccess(world), ...directoryNeeds(world), ...nameServer(world)];
}

/** Further machines, which not every site has. */
export function machineRemedies(world: World): readonly Remedy[] {
  return [...otherMta(world), ...otherUser(world), ...otherStore(world)];
}

function storeLogin({ site, route }: World): readonly Remedy[] {
  const store = site.stores.get(route.account.store);
  if (store === undefined || MAILBOXES.some(mailbox => store[mailbox] !== undefined)) return [];
  const isSpoken = [...site.mmps.values()].some(({ imap }) => imap !== undefined);
  const protocol = isSpoken || site.mmps.size === 0 ? 'imap' : 'pop3';
  const more = { ...store, [protocol]: doorOf(store.component, protocol, 143) };
  return [
    {
      id: 'store log-in',
      site: { ...site, stores: replaced(site.stores, store.name, more) },
      changes: [{ file: 'site.cfg', section: `[store.${store.name}]`, lines: [DOOR_LINES[protocol]] }],
    },
  ];
}

function storeDelivery({ site, route }: World): readonly Remedy[] {
  const store = site.stores.get(route.account.store);
  if (store === undefined || store.lmtp !== undefined) return [];
  const more = { ...store, lmtp: doorOf(store.component, 'lmtp', 24) };
  return [
    {
      id: 'store delivery',
      site: { ...site, stores: replaced(site.stores, store.name, more) },
      changes: [{ file: 'site.cfg', section: `[store.${store.name}]`, lines: [DOOR_LINES.lmtp] }],
    },
  ];
}

/** Of an MTA, or of every member behind a balancer. */
function queueAccess({ site, scene }: World): readonly Remedy[] {
  const lacking = [scene.mta, ...scene.mtaMembers].flatMap(component => {
    const mta = site.mtas.get(shortName(component));
    return mta === undefined || mta.component !== component || mta.queue !== undefined ? [] : [mta];
  });
  if (lacking.length === 0) return [];
  const mtas = new Map(site.mtas);
  for (const mta of lacking) mtas.set(mta.name, { ...mta, queue: { flavour: 'postfix', command: ['postqueue', '-j'] } });
  return [
    {
      id: 'queue',
      site: { ...site, mtas },
      changes: lacking.map(({ name, smtp }) => ({
        file: 'site.cfg',
        section: `[mta.${name}]`,
        lines: [`queue = { flavour = "postfix", command = ["ssh", "${smtp.host}", "postqueue", "-j"] } # or exim, sendmail`],
      })),
    },
  ];
}

/** A directory in the needs of a machine that has none there: one that is known, or a new one. */
function directoryNeeds({ site, scene }: World): readonly Remedy[] {
  const machines = [scene.mta, ...scene.mtaMembers, scene.mmp, ...scene.mmpMembers].filter(
    component => kindOf(component) === 'mta' || kindOf(component) === 'mmp',
  );
  const known = [...site.directories.values()][0];
  const directory = known ?? newDirectory();
  return [...new Set(machines)].flatMap(component => {
    const kind = kindOf(component) === 'mta' ? 'mtas' : 'mmps';
    const machine = site[kind].get(shortName(component));
    const hasOne = (scene.needs[component] ?? []).some(need => kindOf(need) === 'directory');
    if (machine === undefined || hasOne) return [];
    const needs = [...machine.needs, directory.component];
    const written = needs.map(need => `"${need}"`).join(', ');
    const section = component.replace('/', '.');
    const line: Change = { file: 'site.cfg', section: `[${section}]`, lines: [`needs = [${written}]`] };
    const added: Change = {
      file: 'site.cfg',
      section: `[directory.${directory.name}]`,
      lines: ['url = "ldap://HOST"', 'base = "dc=example,dc=com"'],
    };
    return [
      {
        id: `needs of ${kind}`,
        site: {
          ...site,
          [kind]: replaced<{ readonly needs: readonly Component[] }>(site[kind], machine.name, { ...machine, needs }),
          directories: replaced(site.directories, directory.name, directory),
        },
        changes: known === undefined ? [line, added] : [line],
      },
    ];
  });
}

function nameServer({ site }: World): readonly Remedy[] {
  if (site.nameServers.size > 0) return [];
  const server = { name: 'NAME', component: 'dns/NAME' as const, needs: [], address: '192.0.2.53', port: 53 };
  return [
    {
      id: 'name server',
      site: { ...site, nameServers: new Map([[server.name, server]]) },
      changes: [{ file: 'site.cfg', section: '[dns.NAME]', lines: ['address = "192.0.2.53"'] }],
    },
  ];
}

/** A second MTA, where there is but one: another message can go round the first. */
function otherMta({ site, scene }: World): readonly Remedy[] {
  const others = [...site.mtas.values()].filter(
    ({ component }) => component !== scene.mta && !scene.mtaMembers.includes(component),
  );
  const like = [...site.mtas.values()][0];
  if (others.length > 0 || like === undefined) return [];
  const added = { ...like, name: 'NAME', component: 'mta/NAME' as const };
  return [
    {
      id: 'another MTA',
      site: { ...site, mtas: replaced(site.mtas, added.name, added) },
      changes: [{ file: 'site.cfg', section: '[mta.NAME]', lines: ['host = "another MTA that delivers to these stores"'] }],
    },
  ];
}

/** A second account on the store: is it the store that refuses, or one password? */
function otherUser({ site, route }: World): readonly Remedy[] {
  const { account } = route;
  if ([...site.accounts.values()].some(({ name, store }) => store === account.store && name !== account.name)) return [];
  const login = { ...account.login, user: 'another user' };
  const added = { ...account, name: 'NAME', component: 'account/NAME' as const, login };
  return [
    {
      id: 'another account',
      site: { ...site, accounts: replaced(site.accounts, added.name, added) },
      changes: [
        {
          file: 'site.cfg',
          section: '[account.NAME]',
          lines: [`store = "${account.store}"`, `address = "test2@${site.domain}"`, 'password_file = "secrets/NAME"'],
        },
      ],
    },
  ];
}

/** An account on a second store, where there is but one. */
function otherStore({ site, route }: World): readonly Remedy[] {
  const { account } = route;
  if ([...site.accounts.values()].some(({ store }) => store !== account.store)) return [];
  const login = { ...account.login, user: 'another user' };
  const added = { ...account, name: 'NAME', component: 'account/NAME' as const, store: 'NAME', login };
  const store = { name: 'NAME', component: 'store/NAME' as const, needs: [] };
  return [
    {
      id: 'another store',
      site: {
        ...site,
        accounts: replaced(site.accounts, added.name, added),
        stores: replaced(site.stores, store.name, store),
      },
      changes: [
        {
          file: 'site.cfg',
          section: '[store.NAME]',
          lines: ['host = "another store"', `address = "test@${site.domain}"`, 'password_file = "secrets/NAME"'],
        },
      ],
    },
  ];
}

function doorOf(component: Component, protocol: Protocol, port: number): Endpoint {
  return { component, protocol, host: shortName(component), port, security: 'starttls', trust: { verify: true } };
}

function newDirectory(): Directory {
  const component = 'directory/NAME' as const;
  return { name: 'NAME', component, needs: [], ldap: doorOf(component, 'ldap', 389), base: '', filter: '', attributes: [] };
}

function replaced<T>(map: ReadonlyMap<string, T>, name: string, value: T): ReadonlyMap<string, T> {
  return new Map([...map, [name, value]]);
}
