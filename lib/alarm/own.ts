// A look at ourselves, when many paths fail at once: does a name server answer us, is our gateway there? Bounded; sends one DNS query.

import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { OwnLook } from './when/policy.ts';

const DNS_MS = 1500;

/** An answer, even a refusal, comes from a name server that is there; these do not. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ESERVFAIL', 'ECANCELLED', 'ENOTINITIALIZED']);

/** Never throws; takes at most a second and a half. */
export async function lookAtOurselves(resolver = new Resolver({ timeout: DNS_MS / 2, tries: 1 })): Promise<OwnLook> {
  return {
    resolver: await askResolver(resolver),
    gateway: gatewayState(read('/proc/net/route'), read('/proc/net/arp'), carrierOf),
  };
}

/** Asks for the name servers of the root, which no part of the site has a say in. */
async function askResolver(resolver: Resolver): Promise<OwnLook['resolver']> {
  const timer = setTimeout(() => resolver.cancel(), DNS_MS);
  try {
    await resolver.resolveNs('.');
    return 'works';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (SILENT.has(code)) return 'fails';
    return code === '' ? 'unknown' : 'works';
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What the kernel knows of the gateway. Pure.
 *
 * @param route /proc/net/route; @param arp /proc/net/arp; @param carrier whether an interface has a link, undefined when not known
 */
function gatewayState(route: string, arp: string, carrier: (device: string) => boolean | undefined): OwnLook['gateway'] {
  const [, device = '', gateway = ''] = /^(\S+)\s+00000000\s+([0-9A-Fa-f]{8})\s/m.exec(route) ?? [];
  if (device === '') return 'unknown';
  if (carrier(device) === false) return 'fails';
  if (/^0+$/.test(gateway)) return 'unknown';
  const address = (gateway.match(/../g) ?? [])
    .map(byte => Number.parseInt(byte, 16))
    .reverse()
    .join('.');
  const flags = new RegExp(`^${address.replaceAll('.', '\\.')}\\s+\\S+\\s+(0x[0-9a-f]+)`, 'm').exec(arp)?.[1];
  if (flags === undefined) return 'unknown';
  // 0x2 is complete: it has answered. @see arp(7)
  return (Number(flags) & 2) === 2 ? 'works' : 'fails';
}

function carrierOf(device: string): boolean | undefined {
  const text = read(`/sys/class/net/${device}/carrier`).trim();
  return text === '' ? undefined : text === '1';
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
