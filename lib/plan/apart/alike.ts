// Paths that are alike: the same doors, queues, filters and needs in the same places, so that what is found on one holds for all. Pure.

import { directoriesOf } from '../../isolate/doors.ts';
import { type Component, kindOf, shortName } from '../../model/component.ts';
import type { Site } from '../../model/site.ts';
import { filtersOf } from '../visits.ts';
import type { World } from './suppose.ts';

/** Equal for paths on which the same can be asked and the same can break. */
export function likeOf({ site, route, scene }: World): string {
  const { mta, mtaMembers, mmp, mmpMembers, store } = scene;
  const others = [...site.mtas.values()].filter(({ component }) => component !== mta && !mtaMembers.includes(component));
  const facts = [
    route.path.mailbox,
    [mta, ...mtaMembers].map(each => [
      machineOf(site, each),
      filtersOf(site, shortName(each)),
      directoryCount(scene.needs[each]),
    ]),
    [mmp, ...mmpMembers].map(each => [kindOf(each), machineOf(site, each), directoryCount(scene.needs[each])]),
    [machineOf(site, store), directoryCount(scene.needs[store])],
    // Which directories are shared decides who is held up by which.
    directoriesOf(scene).map(directory => [mta, mmp, store].map(each => (scene.needs[each] ?? []).includes(directory))),
    [...new Set(others.map(({ name }) => filtersOf(site, name).join()))],
    [...site.accounts.values()].some(account => account.store !== route.account.store),
  ];
  return JSON.stringify(facts);
}

/** What site.cfg gives for a machine, as far as isolation asks it. */
function machineOf(site: Site, component: Component): readonly unknown[] {
  const name = shortName(component);
  switch (kindOf(component)) {
    case 'mta': {
      const mta = site.mtas.get(name);
      return [mta?.queue !== undefined, mta?.smtp.login !== undefined, /^[\d.]+$|:/.test(mta?.smtp.host ?? '')];
    }
    case 'mmp': {
      const mmp = site.mmps.get(name);
      return [mmp?.pop3 !== undefined, mmp?.imap !== undefined];
    }
    case 'store': {
      const store = site.stores.get(name);
      return [store?.lmtp !== undefined, store?.pop3 !== undefined, store?.imap !== undefined];
    }
    default:
      return Object.keys(site.balancers.get(name)?.doors ?? {});
  }
}

function directoryCount(needs: readonly Component[] | undefined): number {
  return (needs ?? []).filter(need => kindOf(need) === 'directory').length;
}

/** The places on a path, each with who is there; paths that are alike have the same places. */
export function slotsOf({ scene }: World): ReadonlyMap<string, Component> {
  const { mta, mtaMembers, mmp, mmpMembers, store, account, filters, nameServers } = scene;
  const link = (from: Component, to: Component): Component => `link/${shortName(from)}-${shortName(to)}`;
  const owner = mtaMembers[0] ?? mta;
  const reader = mmpMembers[0] ?? mmp;
  const numbered = (place: string, components: readonly Component[]) =>
    components.map((component, n): [string, Component] => [`${place} ${n}`, component]);
  const directories = (of: Component) => (scene.needs[of] ?? []).filter(each => kindOf(each) === 'directory');
  const isDirect = mmp === store;
  return new Map<string, Component>([
    ['mta', mta],
    ...numbered('mta member', mtaMembers),
    ...numbered('filter', filters),
    ['way from here', link('monitor', mta)],
    ['way from MTA to store', link(owner, store)],
    ...(isDirect ? [] : [['mmp', mmp] as const]),
    ...numbered('mmp member', mmpMembers),
    ...(isDirect ? [] : [['way from MMP to store', link(reader, store)] as const]),
    ...(reader === mmp ? [] : [['way from balancer to store', link(mmp, store)] as const]),
    ...numbered(
      'way from MMP to directory',
      directories(reader).map(each => link(reader, each)),
    ),
    ['store', store],
    ['account', account],
    ...numbered('directory', directoriesOf(scene)),
    ...numbered('name server', nameServers),
    ['monitor', 'monitor'],
  ]);
}
