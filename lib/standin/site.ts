// The embedded site: a whole mail site in this process, on loopback ports that it picks itself, with a fault switch at every place.
// `npm run demo` shows the product on it, `healthmon drill` breaks it, and the tests stand on it.
//
// Promises: real sockets and real dialogs between all its machines; nothing listens anywhere but on 127.0.0.1; when `stop` has
// resolved, nothing of it is left, neither socket nor timer, and a site that is forgotten does not keep the process alive.

import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import type { Site } from '../model/site.ts';
import type { Path } from '../model/trip.ts';
import { build } from './build.ts';
import { type Broken, breakIt, type FaultKind, type FaultName, faultKinds, truthOf } from './faults/breaking.ts';
import type { BreakOptions, Place, Truth } from './faults/faults.ts';
import type { DirectoryServer } from './ldap/ldap.ts';
import type { SiteLog } from './log.ts';
import type { Machinery } from './machinery.ts';
import type { Mmp } from './mmp/mmp.ts';
import type { Mta } from './mta/mta.ts';
import { QueueDoor } from './mta/queuedoor.ts';
import { type StandinOptions, settle } from './options.ts';
import { pathsOf, siteFiles, type TextFile } from './sitefiles.ts';
import { describe } from './sitemodel.ts';
import type { Store } from './store/store.ts';

export interface StandinSite {
  /** Ready for the product. Its endpoints follow the fault switches. */
  readonly site: Site;
  /** The same as files for etc/: site.cfg, sequence.cfg, ca.pem, site.key, secrets/…. As the site is at this moment. */
  files(): readonly TextFile[];
  /** Every way from an account's MTA to its mailbox: accounts × MTAs × MMPs × protocols. */
  readonly paths: readonly Path[];
  readonly stores: ReadonlyMap<string, Store>;
  readonly mtas: ReadonlyMap<string, Mta>;
  readonly mmps: ReadonlyMap<string, Mmp>;
  readonly directories: ReadonlyMap<string, DirectoryServer>;
  /** All that can be broken in this site, each with its places; those that have none here are left out. */
  readonly faults: readonly FaultKind[];
  /**
   * Breaks something; resolves when it is broken. Several faults may hold at once.
   *
   * @param place a component, `mmp/smux01`, or one of its doors, `mmp/smux01 pop3`
   * @throws when there is no such fault or no such place, or when this system cannot do it
   */
  breakIt(fault: FaultName, place: Place, options?: BreakOptions): Promise<Broken>;
  /** What a right answer would be. */
  truth(fault: FaultName, place: Place, options?: BreakOptions): Truth;
  readonly log: SiteLog;
  /** Defects of the stand-in itself; empty in a sound run. */
  readonly problems: readonly unknown[];
  stop(): Promise<void>;
}

export async function startSite(options: StandinOptions = {}): Promise<StandinSite> {
  const settings = settle(options);
  const machinery = build(settings);
  const { world } = machinery;
  const queueDoor = settings.queueAccess ? new QueueDoor(machinery.mtas) : undefined;
  const parts = [...openable(machinery), ...(queueDoor === undefined ? [] : [queueDoor])];
  const stop = async () => {
    world.stop();
    await Promise.all(parts.map(part => part.stop()));
  };
  try {
    await Promise.all(parts.map(part => part.open()));
  } catch (error) {
    await stop();
    throw error;
  }
  useNameServer(machinery);
  const key = randomBytes(32);
  const site = describe(machinery, key, queueDoor);
  return {
    site,
    files: () => siteFiles(machinery, site, key),
    paths: pathsOf(machinery),
    stores: machinery.stores,
    mtas: machinery.mtas,
    mmps: machinery.mmps,
    directories: machinery.directories,
    faults: faultKinds(machinery),
    breakIt: (fault, place, options = {}) => breakIt(machinery, fault, place, options),
    truth: (fault, place, options = {}) => truthOf(machinery, fault, place, options),
    log: world.log,
    problems: world.problems,
    stop,
  };
}

interface Openable {
  open(): Promise<void>;
  stop(): Promise<void>;
}

function openable(machinery: Machinery): Openable[] {
  const { mtas, mmps, stores, directories, filters, balancers, nameServers } = machinery;
  return [
    ...[...stores.values()].flatMap(({ doors }) => doors),
    ...[...directories.values()].map(({ door }) => door),
    ...[...filters.values()].map(({ door }) => door),
    ...mtas.values(),
    ...[...mmps.values()].flatMap(({ doors }) => doors),
    ...[...balancers.values()].flatMap(({ doors }) => doors.map(({ door }) => door)),
    ...nameServers.values(),
  ];
}

/** From now on the machines ask the site's name server for each other. */
function useNameServer({ world, nameServers, settings }: Machinery): void {
  const [server] = nameServers.values();
  if (server === undefined) return;
  world.resolve = async name => {
    const resolver = new Resolver({ timeout: settings.waits.resolverMs, tries: 1 });
    resolver.setServers([`127.0.0.1:${server.door.port}`]);
    try {
      await resolver.resolve4(name);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // told apart from a connection that was refused
      throw Object.assign(new Error(String(code)), { code: code === 'ECONNREFUSED' ? 'EREFUSED' : code });
    }
  };
}
