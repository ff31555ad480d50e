// One HTTP request, for every channel that makes some. It promises: one deadline over name, proxy, connection, TLS, request and
// answer; certificates verified; the proxies of the environment; no redirect followed; at most 64 KiB of an answer read, and of one
// that drips, what comes in two seconds; names resolved once and the connection made to what was found; nothing link-local, where
// cloud machines keep their secrets. It never throws for what came back, and tells whether the request may have arrived.

import { promises as dns, type LookupAddress } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { printable } from '../../model/printable.ts';
import { bareHost, proxyFor, type WebProxy } from './proxy.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** http:// or https://; user and password in it become basic authentication. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpTerms {
  /** For everything; ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** PEM, in place of the system's authorities. */
  readonly ca?: string;
  /** Where the proxies come from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly resolve?: (host: string) => Promise<readonly LookupAddress[]>;
  /** Told the status of the answer before anything else is done with it, maybe more than once: its body may take seconds, or never end. */
  readonly onStatus?: (status: number) => void;
}

export type HttpReply =
  | {
      readonly came: 'reply';
      readonly status: number;
      readonly body: string;
      /** Seconds of a Retry-After, from a number or a date. */
      readonly retryAfterMs?: number;
      /** The host that a redirect names. */
      readonly location?: string;
    }
  | {
      readonly came: 'nothing';
      readonly text: string;
      /** Whether the other side may have got the whole request all the same. */
      readonly mayHaveArrived: boolean;
    };

const BODY_BYTES = 64 * 1024;
const BODY_MS = 2000;

const FORBIDDEN = new BlockList();
for (const [net, bits, family] of [
  ['169.254.0.0', 16, 'ipv4'],
  ['0.0.0.0', 8, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
] as const)
  FORBIDDEN.addSubnet(net, bits, family);

class Trouble extends Error {}

export async function sendHttp(request: HttpRequest, terms: HttpTerms): Promise<HttpReply> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Trouble(`no answer within ${terms.deadlineMs / 1000} s`)), terms.deadlineMs);
  const stop = () => abort.abort(new Trouble('told to stop'));
  terms.signal?.addEventListener('abort', stop, { once: true });
  if (terms.signal?.aborted === true) stop();
  const sent = { whole: false };
  try {
    return await exchange(request, terms, abort.signal, sent);
  } catch (error) {
    const cause = abort.signal.aborted ? abort.signal.reason : error;
    return { came: 'nothing', text: printable(troubleText(cause), 200), mayHaveArrived: sent.whole };
  } finally {
    clearTimeout(timer);
    terms.signal?.removeEventListener('abort', stop);
    // Whatever is still open ends here.
    abort.abort(new Trouble('done'));
  }
}

async function exchange(
  { method, url: address, headers, body }: HttpRequest,
  terms: HttpTerms,
  signal: AbortSignal,
  sent: { whole: boolean },
): Promise<HttpReply> {
  const url = addressOf(address);
  const proxy = proxyFor(url, terms.env);
  if (proxy !== undefined && 'problem' in proxy) throw new Trouble(proxy.problem);
  const isTls = url.protocol === 'https:';
  const tls = terms.ca === undefined ? {} : { ca: terms.ca };
  const common: RequestOptions = {
    method,
    signal,
    agent: false,
    headers: {
      Host: url.host,
      'User-Agent': 'healthmon',
      Accept: '*/*',
      ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...(url.username === ''
        ? {}
        : { Authorization: basic(decodeURIComponent(url.username), decodeURIComponent(url.password)) }),
      ...headers,
    },
  };
  const host = bareHost(url.hostname);
  const path = `${url.pathname}${url.search}`;
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  if (proxy === undefined) {
    const addresses = await resolved(host, terms, signal);
    const options = { ...common, host, port, path, ...pinned(addresses) };
    const made = isTls ? tlsRequest({ ...options, ...tls, ...serverName(host) }) : plainRequest(options);
    return answer(made, body, sent, terms);
  }
  const addresses = await resolved(proxy.host, terms, signal);
  const way = { host: proxy.host, port: proxy.port, ...pinned(addresses) };
  const through = proxy.isTls ? tlsRequest : plainRequest;
  const toProxy = proxy.isTls ? { ...tls, ...serverName(proxy.host) } : {};
  if (!isTls) {
    const authorized = proxy.authorization === undefined ? {} : { 'Proxy-Authorization': proxy.authorization };
    const plain = new URL(url);
    plain.username = '';
    plain.password = '';
    return answer(
      through({ ...common, ...way, ...toProxy, path: plain.href, headers: { ...headersOf(common), ...authorized } }),
      body,
      sent,
      terms,
    );
  }
  const socket = await tunnel(through({ ...way, ...toProxy, ...tunnelOptions(host, port, proxy, signal) }));
  // A socket that is there already is an option of the TLS connection, which the request hands through.
  const inside: RequestOptions & { socket: unknown } = { ...common, host, port, path, socket, ...tls, ...serverName(host) };
  return answer(tlsRequest(inside), body, sent, terms);
}

function addressOf(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Trouble('its address is not a URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Trouble('its address must begin with https:// or http://');
  return url;
}

function headersOf({ headers }: RequestOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** An address has no name to ask for. @see RFC 6066 section 3 */
function serverName(host: string): { servername: string } {
  return { servername: isIP(host) === 0 ? host : '' };
}

async function resolved(host: string, terms: HttpTerms, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  const family = isIP(host);
  const addresses = family !== 0 ? [{ address: host, family }] : await named(host, terms, signal);
  const allowed = addresses.filter(({ address, family: version }) => !FORBIDDEN.check(address, version === 6 ? 'ipv6' : 'ipv4'));
  if (addresses.length > 0 && allowed.length === 0)
    throw new Trouble(`${host} is a link-local address (${addresses[0]?.address}): nothing is sent there`);
  if (allowed.length === 0) throw new Trouble(`the name ${host} has no address`);
  return allowed;
}

function named(host: string, { resolve }: HttpTerms, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  const lookup = resolve ?? ((name: string) => dns.lookup(name, { all: true }));
  // getaddrinfo cannot be called off: only our waiting for it ends.
  return new Promise((done, fail) => {
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    lookup(host).then(done, error => fail(new Trouble(`the name ${host} does not resolve (${codeOf(error)})`)));
  });
}

/** The connection goes to what was resolved and judged, and to nothing else. */
function pinned(addresses: readonly LookupAddress[]): Pick<RequestOptions, 'lookup'> {
  return {
    lookup: (_host, options, done) => {
      const [first] = addresses;
      if (options.all === true) done(null, [...addresses]);
      else done(null, first?.address ?? '', first?.family ?? 4);
    },
  };
}

function tunnelOptions(host: string, port: number, { authorization }: WebProxy, signal: AbortSignal): RequestOptions {
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return {
    method: 'CONNECT',
    path: target,
    agent: false,
    signal,
    headers: { Host: target, ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }) },
  };
}

function tunnel(request: ClientRequest): Promise<unknown> {
  return new Promise((done, fail) => {
    request.on('error', error => fail(new Trouble(`the proxy cannot be reached: ${troubleText(error)}`)));
    request.once('connect', (reply: IncomingMessage, socket) => {
      if (reply.statusCode === 200) {
        socket.on('error', () => {}); // the request over it tells
        done(socket);
      } else {
        socket.destroy();
        fail(new Trouble(`the proxy answered ${reply.statusCode}`));
      }
    });
    request.once('response', reply => {
      reply.destroy();
      fail(new Trouble(`the proxy answered ${reply.statusCode}`));
    });
    request.end();
  });
}

function answer(
  request: ClientRequest,
  body: string | undefined,
  sent: { whole: boolean },
  { onStatus }: Pick<HttpTerms, 'onStatus'>,
): Promise<HttpReply> {
  return new Promise((done, fail) => {
    // `finish` comes when everything has been handed to the system, which it may be before there is a connection.
    let isConnected = false;
    let isFinished = false;
    const settle = () => {
      sent.whole = isConnected && isFinished;
    };
    request.once('socket', socket => {
      if (onStatus !== undefined) socket.prependOnceListener('data', (first: Buffer) => tellTaken(first, onStatus));
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        isConnected = true;
        settle();
      });
    });
    request.once('finish', () => {
      isFinished = true;
      settle();
    });
    request.on('error', fail);
    request.once('response', reply => {
      onStatus?.(reply.statusCode ?? 0);
      sent.whole = true;
      readBody(reply).then(text => done(replyOf(reply, text)), fail);
    });
    request.end(body);
  });
}

/**
 * A status line that says yes is told from the very first bytes. Until Node has read the header, and called whoever waits for it, half
 * a millisecond goes by in a process that has just begun: so much less time in which a kill makes a message come twice.
 */
function tellTaken(first: Buffer, onStatus: (status: number) => void): void {
  const [, status] = /^HTTP\/1\.[01] (2\d\d)[ \r]/.exec(first.subarray(0, 16).toString('latin1')) ?? [];
  if (status !== undefined) onStatus(Number(status));
}

/** What comes of the body, within limits; how it ends does not matter once there is a status. */
function readBody(reply: IncomingMessage): Promise<string> {
  return new Promise(done => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = () => {
      clearTimeout(timer);
      reply.destroy();
      done(Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8'));
    };
    const timer = setTimeout(finish, BODY_MS);
    reply.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= BODY_BYTES) finish();
    });
    reply.once('end', finish);
    reply.once('error', finish);
    reply.once('close', finish);
  });
}

function replyOf({ statusCode = 0, headers }: IncomingMessage, body: string): HttpReply {
  const retryAfterMs = retryAfter(headers['retry-after'], Date.now());
  return {
    came: 'reply',
    status: statusCode,
    body,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(headers.location === undefined ? {} : { location: hostOfRedirect(headers.location) }),
  };
}

/** Seconds, or a date. @see RFC 9110 section 10.2.3 */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function hostOfRedirect(location: string): string {
  try {
    return printable(new URL(location).host, 100);
  } catch {
    return 'the same host';
  }
}

function troubleText(error: unknown): string {
  if (error instanceof Trouble) return error.message;
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `it cannot be reached (${code})`;
    case 'ETIMEDOUT':
      return 'the connection timed out';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `its certificate is not signed by an authority that is trusted here (${code}; ca_file names one)`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    default:
      // HPE_... is what comes of an answer that is no HTTP.
      return code.startsWith('HPE_') ? `its answer is not HTTP (${code})` : `it failed: ${code}`;
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
