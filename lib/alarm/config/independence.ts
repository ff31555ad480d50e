// The proof that no alarm has to go through the site that it tells of: where each channel leads, by name and by address, over which
// proxy, and who resolves its name. What could not be looked up is told as not proven, and never as proven.

import type { LookupAddress } from 'node:dns';
import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename } from 'node:path';
import type { Component } from '../../model/component.ts';
import { LocalProblem } from '../../model/endpoint.ts';
import { printable } from '../../model/printable.ts';
import type { Site } from '../../model/site.ts';
import type { Reporter } from '../../site/problem.ts';
import type { Lead } from '../channel.ts';
import { proxyFor } from '../send/proxy.ts';
import type { Leading } from './ready.ts';

/** How names are looked up; for tests, by tables. Each may reject. */
export interface Names {
  readonly addresses: (host: string) => Promise<readonly string[]>;
  /** Names of the name servers of the zone that a host is in. */
  readonly nameServers: (host: string) => Promise<readonly string[]>;
  /** Addresses of the name servers that this machine asks. */
  readonly asked: readonly string[];
  /** Names that this machine knows by itself (/etc/hosts). */
  readonly known: ReadonlySet<string>;
}

interface Part {
  readonly component: Component;
  readonly host: string;
}

const REMEDY = 'lead it over something that is no part of the site, or say why this is all right: accept_dependence = "..."';

/** Notes what leads through the site, as errors, or as warnings where somebody has said why that is all right. */
export async function proveIndependence(
  leadings: readonly Leading[],
  site: Site,
  names: Names,
  env: Readonly<Record<string, string | undefined>>,
  report: Reporter,
): Promise<void> {
  const parts = partsOf(site);
  const byAddress = await addressesOf(parts, names);
  for (const leading of leadings) {
    let leads: readonly Lead[];
    try {
      leads = await leading.leads();
    } catch (error) {
      if (!(error instanceof LocalProblem)) throw error;
      continue; // told where secrets are checked
    }
    for (const lead of leads) {
      for (const { text, isProven } of await judge(lead, { site, parts, byAddress, names, env })) {
        const whole = `${leading.label} ${text}`;
        if (!isProven) {
          if (leading.acceptDependence === undefined) report.warning(leading.place, whole);
        } else if (leading.acceptDependence === undefined) report.error(leading.place, whole, REMEDY);
        else report.warning(leading.place, `${whole} (accepted: ${leading.acceptDependence})`);
      }
    }
  }
}

/** Every machine of the site that has a name or an address of its own. */
function partsOf(site: Site): readonly Part[] {
  const doors = [
    ...[...site.mtas.values()].map(({ smtp }) => smtp),
    ...[...site.mmps.values(), ...site.stores.values()].flatMap(({ pop3, imap }) => [pop3, imap]),
    ...[...site.stores.values()].map(({ lmtp }) => lmtp),
    ...[...site.directories.values()].map(({ ldap }) => ldap),
    ...[...site.balancers.values()].flatMap(({ doors: all }) => Object.values(all)),
  ];
  const parts = doors.flatMap(door => (door === undefined ? [] : [{ component: door.component, host: door.host.toLowerCase() }]));
  const filters = [...site.filters.values()].flatMap(({ component, socket }) =>
    'host' in socket ? [{ component, host: socket.host.toLowerCase() }] : [],
  );
  const servers = [...site.nameServers.values()].map(({ component, address }) => ({ component, host: address }));
  const all = [...parts, ...filters, ...servers];
  return all.filter((part, n) => all.findIndex(other => other.component === part.component && other.host === part.host) === n);
}

async function addressesOf(parts: readonly Part[], names: Names): Promise<ReadonlyMap<string, Component>> {
  const found = new Map<string, Component>();
  await Promise.all(
    parts.map(async ({ component, host }) => {
      for (const address of await addressesOrNone(host, names)) if (!found.has(address)) found.set(address, component);
    }),
  );
  return found;
}

async function addressesOrNone(host: string, names: Names): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return await names.addresses(host);
  } catch {
    return [];
  }
}

interface Ground {
  readonly site: Site;
  readonly parts: readonly Part[];
  readonly byAddress: ReadonlyMap<string, Component>;
  readonly names: Names;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `isProven`: it does lead through the site; otherwise it could not be told. */
interface Doubt {
  readonly text: string;
  readonly isProven: boolean;
}

async function judge(lead: Lead, ground: Ground): Promise<readonly Doubt[]> {
  if ('local' in lead) return [];
  if ('program' in lead) return judgeProgram(lead.program);
  const host = lead.host.toLowerCase().replace(/\.$/, '');
  const proxy = isIP(host) === 6 ? undefined : proxyFor(new URL(`https://${host}/`), ground.env);
  const viaProxy =
    proxy === undefined || 'problem' in proxy
      ? []
      : (await judgeHost(proxy.host.toLowerCase(), ground)).map(doubt => ({
          ...doubt,
          text: `goes over the proxy ${proxy.host}, and that ${doubt.text}`,
        }));
  // Behind a proxy it is the proxy that resolves the name.
  return [...viaProxy, ...(await judgeHost(host, ground, proxy !== undefined))];
}

async function judgeHost(
  host: string,
  { site, parts, byAddress, names }: Ground,
  isResolvedElsewhere = false,
): Promise<readonly Doubt[]> {
  const shown = printable(host, 100);
  const part = parts.find(each => each.host === host);
  if (part !== undefined) return [{ text: `leads to ${shown}, which is ${part.component}`, isProven: true }];
  const domain = site.domain.toLowerCase();
  if (host === domain || host.endsWith(`.${domain}`))
    return [{ text: `leads to ${shown}, in the site's own mail domain ${domain}`, isProven: true }];
  if (MAIL_TO_SMS.some(gateway => host === gateway || host.endsWith(`.${gateway}`)))
    return [{ text: `leads to ${shown}, which takes text messages by mail`, isProven: true }];
  if (isIP(host) !== 0) return sameMachine([host], shown, byAddress);
  let addresses: readonly string[];
  try {
    addresses = await names.addresses(host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return isResolvedElsewhere
      ? []
      : [{ text: `leads to ${shown}, whose name does not resolve now (${code}): nothing is proven`, isProven: false }];
  }
  return [
    ...sameMachine(addresses, shown, byAddress),
    ...(names.known.has(host) || isResolvedElsewhere ? [] : await judgeResolving(host, { byAddress, names })),
  ];
}

function sameMachine(addresses: readonly string[], shown: string, byAddress: ReadonlyMap<string, Component>): readonly Doubt[] {
  const shared = addresses.find(address => byAddress.has(address));
  return shared === undefined
    ? []
    : [
        {
          text: `leads to ${shown}${shared === shown ? '' : ` (${shared})`}, the address of ${byAddress.get(shared)}`,
          isProven: true,
        },
      ];
}

/** Whether the name can be resolved without the site: by somebody whom we ask, and by somebody who has it. */
async function judgeResolving(
  host: string,
  { byAddress, names }: Pick<Ground, 'byAddress' | 'names'>,
): Promise<readonly Doubt[]> {
  const doubts: Doubt[] = [];
  const owned = (addresses: readonly string[]) => addresses.length > 0 && addresses.every(address => byAddress.has(address));
  if (owned(names.asked))
    doubts.push({
      text: `needs the name ${host}, and all name servers that this machine asks are part of the site: ${names.asked.map(address => byAddress.get(address)).join(', ')}`,
      isProven: true,
    });
  let servers: readonly string[];
  try {
    servers = await names.nameServers(host);
  } catch {
    return doubts; // who has the zone is not told to everybody
  }
  const addresses = (await Promise.all(servers.map(server => addressesOrNone(server, names)))).flat();
  if (owned(addresses))
    doubts.push({
      text: `needs the name ${host}, whose name servers are all part of the site: ${[...new Set(addresses.map(address => byAddress.get(address)))].join(', ')}`,
      isProven: true,
    });
  return doubts;
}

const MAILERS: ReadonlySet<string> = new Set([
  'mail',
  'mailx',
  's-nail',
  'bsd-mailx',
  'sendmail',
  'exim',
  'exim4',
  'postdrop',
  'mutt',
  'neomutt',
  'msmtp',
  'ssmtp',
  'nullmailer-inject',
  'swaks',
  'mpack',
  'sendemail',
  'dma',
  'esmtp',
]);
/** Providers' gateways that turn mail into text messages. */
const MAIL_TO_SMS: readonly string[] = [
  'txt.att.net',
  'mms.att.net',
  'vtext.com',
  'vzwpix.com',
  'tmomail.net',
  'messaging.sprintpcs.com',
  'pm.sprint.com',
  'msg.fi.google.com',
  'sms.myboostmobile.com',
  'email.uscc.net',
  'sms.cricketwireless.net',
  'mymetropcs.com',
];

function judgeProgram(command: readonly string[]): readonly Doubt[] {
  const [program = '', ...args] = command;
  const name = basename(program);
  if (MAILERS.has(name)) return [{ text: `runs ${name}, which sends mail`, isProven: true }];
  const mailed = args.find(
    word => /\bmailtos?:/i.test(word) || MAIL_TO_SMS.some(gateway => word.toLowerCase().endsWith(`@${gateway}`)),
  );
  if (mailed !== undefined) return [{ text: `runs ${name} with an argument that means mail`, isProven: true }];
  return [
    {
      text: `runs ${name}: where that leads cannot be told from here; see to it that it is not through the site`,
      isProven: false,
    },
  ];
}

const LOOKUP_MS = 3000;

/** The names of this machine. */
export function systemNames(): Names {
  const resolver = new Resolver({ timeout: LOOKUP_MS / 2, tries: 1 });
  return {
    addresses: async host =>
      (await within(systemLookup(host, { all: true }), LOOKUP_MS)).map(({ address }: LookupAddress) => address),
    nameServers: async host => {
      for (let zone = host; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
        try {
          const servers = await within(resolver.resolveNs(zone), LOOKUP_MS);
          if (servers.length > 0) return servers;
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? error.code : '';
          if (code !== 'ENODATA' && code !== 'ENOTFOUND') throw error;
        }
      }
      return [];
    },
    asked: behindStub(
      resolver.getServers().map(server => server.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')),
    ),
    known: hostsFile(),
  };
}

/** systemd-resolved stands on 127.0.0.53 before those that it asks, and writes down which these are. @see systemd-resolved(8) */
function behindStub(asked: readonly string[]): readonly string[] {
  if (!asked.every(address => address === '127.0.0.53' || address === '127.0.0.54')) return asked;
  try {
    const text = readFileSync('/run/systemd/resolve/resolv.conf', 'utf8');
    const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(match => match[1] ?? '');
    return servers.length > 0 ? servers : asked;
  } catch {
    return asked;
  }
}

function hostsFile(): ReadonlySet<string> {
  try {
    const lines = readFileSync('/etc/hosts', 'utf8').split('\n');
    return new Set(lines.flatMap(line => line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/).slice(1)));
  } catch {
    return new Set();
  }
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(Object.assign(new Error('no answer in time'), { code: 'ETIMEOUT' })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
