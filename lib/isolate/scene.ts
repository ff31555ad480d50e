// Who stands along a path, and who behind them: the stage on which a fault is looked for. Pure.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Scene } from '../model/evidence.ts';
import type { Route, Site } from '../model/site.ts';

export function sceneOf(site: Site, route: Route): Scene {
  const mta = route.smtp.component;
  const mmp = (route.path.mailbox === 'imap' ? route.imap : route.pop3)?.component ?? (`store/${route.account.store}` as const);
  const mtaMembers = membersOf(site, mta);
  const mmpMembers = membersOf(site, mmp);
  const store: Component = `store/${route.account.store}`;
  const machines = [mta, ...mtaMembers, mmp, ...mmpMembers, store];
  const senders = mtaMembers.length > 0 ? mtaMembers : [mta];
  const filters = [...site.filters.values()].filter(({ usedBy }) => senders.some(each => usedBy.includes(shortName(each))));
  return {
    mta,
    mtaMembers,
    mmp,
    mmpMembers,
    store,
    account: route.account.component,
    ...submitterOf(site, route),
    filters: filters.map(({ component }) => component),
    needs: Object.fromEntries(machines.map(each => [each, needsOf(site, each)])),
    nameServers: [...site.nameServers.values()].map(({ component }) => component),
  };
}

/** Users are named as at the log-in; the receiving account's own comes first where several have the same. */
function submitterOf(site: Site, { smtp, account }: Route): Pick<Scene, 'submitter'> {
  const user = smtp.login?.user;
  if (user === undefined) return {};
  const found = [account, ...site.accounts.values()].find(({ login }) => login.user === user);
  return found === undefined ? {} : { submitter: found.component };
}

/** Who stands behind a balancer's door; empty for anything else. */
function membersOf(site: Site, component: Component): readonly Component[] {
  return kindOf(component) === 'balancer' ? (site.balancers.get(shortName(component))?.members ?? []) : [];
}

/** What a component needs, and what that needs. */
export function needsOf(site: Site, component: Component): readonly Component[] {
  const found = new Set<Component>();
  const visit = (each: Component) => {
    for (const need of directNeeds(site, each)) {
      if (found.has(need)) continue;
      found.add(need);
      visit(need);
    }
  };
  visit(component);
  return [...found];
}

function directNeeds(site: Site, component: Component): readonly Component[] {
  const name = shortName(component);
  switch (kindOf(component)) {
    case 'mta':
      return site.mtas.get(name)?.needs ?? [];
    case 'mmp':
      return site.mmps.get(name)?.needs ?? [];
    case 'store':
      return site.stores.get(name)?.needs ?? [];
    case 'directory':
      return site.directories.get(name)?.needs ?? [];
    case 'filter':
      return site.filters.get(name)?.needs ?? [];
    case 'balancer':
      return site.balancers.get(name)?.needs ?? [];
    default:
      return [];
  }
}
