// Which proxy leads to an address, by the variables that every program on the machine goes by. Pure.

import { isIP } from 'node:net';

export interface WebProxy {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** For Proxy-Authorization; a secret. */
  readonly authorization?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for an address: https_proxy, http_proxy or all_proxy, in small letters or capitals, unless no_proxy excepts its host.
 *
 * @returns undefined for none; `problem` when the variable holds what is no address of an HTTP proxy
 */
export function proxyFor(url: URL, env: Environment): WebProxy | { readonly problem: string } | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const [variable, value] = firstOf(env, name, name.toUpperCase(), 'all_proxy', 'ALL_PROXY');
  if (value === undefined || isExcepted(url, firstOf(env, 'no_proxy', 'NO_PROXY')[1] ?? '')) return undefined;
  const address = parsed(value.includes('://') ? value : `http://${value}`);
  if (address === undefined || !/^https?:$/.test(address.protocol) || address.hostname === '')
    return { problem: `${variable} is not the address of an HTTP proxy (http://HOST:PORT)` };
  const isTls = address.protocol === 'https:';
  const login = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
  return {
    host: bareHost(address.hostname),
    port: address.port === '' ? (isTls ? 443 : 80) : Number(address.port),
    isTls,
    ...(login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
  };
}

function firstOf(env: Environment, ...names: readonly string[]): readonly [name: string, value: string | undefined] {
  const name = names.find(each => (env[each] ?? '') !== '') ?? '';
  return [name, env[name]];
}

function parsed(text: string): URL | undefined {
  try {
    const url = new URL(text);
    decodeURIComponent(url.username + url.password);
    return url;
  } catch {
    return undefined;
  }
}

/** `*`, a host, a domain with or without its dot, each with or without a port. */
function isExcepted(url: URL, exceptions: string): boolean {
  const host = bareHost(url.hostname).toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return exceptions
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .some(entry => {
      if (entry === '*') return true;
      const [, name = entry, only] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `${entry}` : entry) ?? [];
      const plain = isIP(entry) === 6 ? entry : name;
      if (isIP(entry) !== 6 && only !== undefined && only !== port) return false;
      const wanted = bareHost(plain)
        .toLowerCase()
        .replace(/^\*?\./, '');
      return host === wanted || (isIP(host) === 0 && host.endsWith(`.${wanted}`));
    });
}

/** An IPv6 address without its brackets. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
