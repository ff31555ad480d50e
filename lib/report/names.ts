// What a report has to know of the site: what it is called, and what stands behind a name of sequence.cfg.

import type { Site } from '../model/site.ts';

export interface Names {
  readonly site: string;
  readonly domain: string;
  /** `mta/ssmtp01`, or `balancer/smtp`. */
  readonly mta: (name: string) => string;
  /** `mmp/smux01`, or `balancer/pop`; undefined for `direct`, where there is none. */
  readonly mmp: (name: string) => string | undefined;
  /** `store/ims1`; the account itself where its store is not known. */
  readonly home: (account: string) => string;
}

/** Without a site every name stands for what it says. */
export function namesOf(site: Site | undefined): Names {
  const isBalancer = (name: string, others: ReadonlyMap<string, unknown> | undefined) =>
    site?.balancers.has(name) === true && others?.has(name) !== true;
  return {
    site: site?.name ?? 'mail site',
    domain: site?.domain ?? '',
    mta: name => (isBalancer(name, site?.mtas) ? `balancer/${name}` : `mta/${name}`),
    mmp: name => (name === 'direct' ? undefined : isBalancer(name, site?.mmps) ? `balancer/${name}` : `mmp/${name}`),
    home: account => {
      const store = site?.accounts.get(account)?.store;
      return store === undefined ? `account/${account}` : `store/${store}`;
    },
  };
}
