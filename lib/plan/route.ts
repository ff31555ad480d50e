// From a path's names to the endpoints that it leads over. Pure.

import type { Component } from '../model/component.ts';
import type { Endpoint, Login } from '../model/endpoint.ts';
import type { Account, Route, Site } from '../model/site.ts';
import type { Path } from '../model/trip.ts';

export type Routed = { readonly route: Route } | { readonly problem: string };

/** `-p direct` leads to the store's own doors. */
export const DIRECT = 'direct';

/**
 * @returns the route, or what keeps the path from being walked, in words that name the file to mend
 */
export function routeOf(site: Site, path: Path): Routed {
  const account = site.accounts.get(path.account);
  if (account === undefined) return { problem: `no account "${path.account}" in site.cfg` };
  const smtp = site.mtas.get(path.mta)?.smtp ?? site.balancers.get(path.mta)?.doors.smtp;
  if (smtp === undefined) return { problem: `no MTA (or balancer with an smtp door) "${path.mta}" in site.cfg` };
  const doors = mailboxDoors(site, path.mmp, account);
  if (doors === undefined) return { problem: `no MMP (or balancer with a pop3 or imap door) "${path.mmp}" in site.cfg` };
  if (doors[path.mailbox] === undefined) return { problem: `${doors.component} has no ${path.mailbox} door in site.cfg` };
  const store = site.stores.get(account.store);
  const storeImap = store?.imap === undefined ? undefined : withLogin(store.imap, account.login);
  const lookAt = [doors.imap, storeImap].filter(door => door !== undefined);
  return {
    route: {
      path,
      account,
      smtp,
      ...(doors.pop3 === undefined ? {} : { pop3: doors.pop3 }),
      ...(doors.imap === undefined ? {} : { imap: doors.imap }),
      lookAt,
      sender: senderOf(site, account, path),
    },
  };
}

/** The doors that lead to an account's mailbox through an MMP, a balancer, or directly. */
export function mailboxDoors(
  site: Site,
  mmp: string,
  account: Account,
): { component: Component; pop3?: Endpoint; imap?: Endpoint } | undefined {
  const balancer = site.balancers.get(mmp);
  const found =
    mmp === DIRECT
      ? site.stores.get(account.store)
      : (site.mmps.get(mmp) ??
        (balancer && { component: balancer.component, pop3: balancer.doors.pop3, imap: balancer.doors.imap }));
  if (found === undefined || (found.pop3 === undefined && found.imap === undefined)) return undefined;
  return {
    component: found.component,
    ...(found.pop3 === undefined ? {} : { pop3: withLogin(found.pop3, account.login) }),
    ...(found.imap === undefined ? {} : { imap: withLogin(found.imap, account.login) }),
  };
}

function senderOf(site: Site, account: Account, path: Path): Route['sender'] {
  const sender = site.sender === undefined ? undefined : site.accounts.get(site.sender);
  if (sender === undefined || sender.name === account.name) return { address: account.address };
  const doors = mailboxDoors(site, path.mmp, sender);
  return {
    address: sender.address,
    ...(doors?.imap === undefined ? {} : { imap: doors.imap }),
    ...(doors?.pop3 === undefined ? {} : { pop3: doors.pop3 }),
  };
}

function withLogin(endpoint: Endpoint, login: Login): Endpoint {
  const mechanism = endpoint.mechanism ?? login.mechanism;
  return { ...endpoint, login: { user: login.user, secret: login.secret, ...(mechanism === undefined ? {} : { mechanism }) } };
}
