// The one HTTP client: what every server may do to it, and what it never does.

import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type HttpTerms, retryAfter, sendHttp } from '../../lib/alarm/send/http.ts';
import { proxyFor } from '../../lib/alarm/send/proxy.ts';
import { authorityPem } from '../../lib/standin/network/certificates.ts';
import { HOST, startProxy, startReceiver } from './receiver.ts';

const TERMS: HttpTerms = { deadlineMs: 2000, env: {} };
/** Every name leads to loopback. */
const HERE: Pick<HttpTerms, 'resolve'> = { resolve: async () => [{ address: '127.0.0.1', family: 4 }] };

const post = (url: string, body = '{"a":1}') => ({
  method: 'POST' as const,
  url,
  body,
  headers: { 'Content-Type': 'application/json' },
});

test('sends method, path, headers and body as given, and brings back status and body', async () => {
  const receiver = await startReceiver({ answer: { status: 202, body: '{"ok":true}' } });
  const reply = await sendHttp(post(`${receiver.url}/a/b?c=d%20e`, '{"ä":"ö"}'), TERMS);
  expect(reply).toEqual({ came: 'reply', status: 202, body: '{"ok":true}' });
  expect(receiver.got[0]).toMatchObject({
    method: 'POST',
    url: '/a/b?c=d%20e',
    body: '{"ä":"ö"}',
    headers: {
      'content-type': 'application/json',
      'content-length': '11',
      connection: 'close',
      host: `127.0.0.1:${receiver.port}`,
    },
  });
});

test('user and password of an address become basic authentication', async () => {
  const receiver = await startReceiver();
  await sendHttp({ method: 'GET', url: receiver.url.replace('://', '://us%40er:p%3Aw@') }, TERMS);
  expect(receiver.got[0]?.headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
});

test('a certificate of a trusted authority is taken, with the name of the host', async () => {
  const receiver = await startReceiver({ tls: 'good' });
  const url = `https://${HOST}:${receiver.port}/x`;
  expect(await sendHttp(post(url), { ...TERMS, ...HERE, ca: authorityPem() })).toMatchObject({ came: 'reply', status: 200 });
});

test.for([
  ['good', undefined, 'its certificate is not signed by an authority that is trusted here'],
  ['self-signed', 'ours', 'its certificate is not signed by an authority that is trusted here'],
  ['unknown authority', 'ours', 'its certificate is not signed by an authority that is trusted here'],
  ['other name', 'ours', 'its certificate is for another name'],
  ['expired', 'ours', 'its certificate has expired'],
] as const)('a certificate that is bad (%s, authority %s) is refused before anything is sent', async ([tls, ca, text]) => {
  const receiver = await startReceiver({ tls });
  const url = `https://${HOST}:${receiver.port}/x`;
  const reply = await sendHttp(post(url), { ...TERMS, ...HERE, ...(ca === undefined ? {} : { ca: authorityPem() }) });
  expect(reply).toMatchObject({ came: 'nothing', mayHaveArrived: false });
  expect(reply.came === 'nothing' && reply.text).toContain(text);
  expect(receiver.got).toEqual([]);
});

test('a redirect is not followed, and its host is told', async () => {
  const other = await startReceiver();
  const receiver = await startReceiver({ answer: { status: 307, headers: { Location: `${other.url}/elsewhere` } } });
  expect(await sendHttp(post(receiver.url), TERMS)).toMatchObject({
    came: 'reply',
    status: 307,
    location: `127.0.0.1:${other.port}`,
  });
  expect(other.got).toEqual([]);
});

test('a server that never answers ends by the deadline, and may have got it', async () => {
  const receiver = await startReceiver({ answer: { act: () => {} } });
  const began = performance.now();
  const reply = await sendHttp(post(receiver.url), { ...TERMS, deadlineMs: 300 });
  expect(performance.now() - began).toBeLessThan(2000);
  expect(reply).toEqual({ came: 'nothing', text: 'no answer within 0.3 s', mayHaveArrived: true });
  await expect.poll(receiver.open).toBe(0);
});

test('a server that accepts and says nothing to TLS ends by the deadline, and has got nothing', async () => {
  const server = createServer(() => {});
  await new Promise<void>(done => server.listen(0, '127.0.0.1', () => done()));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const reply = await sendHttp(post(`https://127.0.0.1:${port}/`), { ...TERMS, deadlineMs: 300 });
  expect(reply).toEqual({ came: 'nothing', text: 'no answer within 0.3 s', mayHaveArrived: false });
});

test('a name that never resolves ends by the deadline', async () => {
  const reply = await sendHttp(post('https://slow.test/'), { ...TERMS, deadlineMs: 200, resolve: () => new Promise(() => {}) });
  expect(reply).toEqual({ came: 'nothing', text: 'no answer within 0.2 s', mayHaveArrived: false });
});

test('told to stop, it stops', async () => {
  const receiver = await startReceiver({ answer: { act: () => {} } });
  const stop = new AbortController();
  const reply = sendHttp(post(receiver.url), { ...TERMS, signal: stop.signal });
  await expect.poll(() => receiver.got.length).toBe(1);
  stop.abort();
  expect(await reply).toMatchObject({ came: 'nothing', text: 'told to stop', mayHaveArrived: true });
});

test.for([
  ['closes at once', (_: unknown, socket: { destroy: () => void }) => socket.destroy(), 'the connection was reset'],
  ['resets', (_: unknown, socket: { resetAndDestroy: () => void }) => socket.resetAndDestroy(), 'the connection was reset'],
  [
    'speaks no HTTP',
    (_: unknown, socket: { end: (text: string) => void }) => socket.end('220 mail ESMTP\r\n'),
    'its answer is not HTTP',
  ],
] as const)('a server that %s', async ([, act, text]) => {
  const receiver = await startReceiver({ answer: { act } });
  const reply = await sendHttp(post(receiver.url), TERMS);
  expect(reply).toMatchObject({ came: 'nothing', mayHaveArrived: true });
  expect(reply.came === 'nothing' && reply.text).toContain(text);
});

test('a port where nothing listens', async () => {
  const receiver = await startReceiver();
  await receiver.stop();
  expect(await sendHttp(post(receiver.url), TERMS)).toEqual({
    came: 'nothing',
    text: 'connection refused',
    mayHaveArrived: false,
  });
});

test('of a body without end 64 KiB are read', async () => {
  const receiver = await startReceiver({
    answer: {
      act: response => {
        const pour = () => {
          while (response.write('x'.repeat(65_536)));
        };
        response.on('drain', pour);
        pour();
      },
    },
  });
  const before = process.memoryUsage().rss;
  const reply = await sendHttp(post(receiver.url), TERMS);
  expect(reply.came === 'reply' && reply.body.length).toBe(65_536);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  await expect.poll(receiver.open).toBe(0);
});

test('of a body that drips, what comes in two seconds', async () => {
  const receiver = await startReceiver({
    answer: {
      act: response => {
        response.writeHead(200);
        const drip = setInterval(() => response.write('x'), 100);
        response.on('close', () => clearInterval(drip));
      },
    },
  });
  const began = performance.now();
  const reply = await sendHttp(post(receiver.url), { ...TERMS, deadlineMs: 10_000 });
  expect(performance.now() - began).toBeLessThan(2600);
  expect(reply).toMatchObject({ came: 'reply', status: 200 });
});

test('headers without end are refused', async () => {
  const receiver = await startReceiver({
    answer: {
      act: (_, socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const pour = () => {
          while (!socket.destroyed && socket.write(`X-A: ${'x'.repeat(60_000)}\r\n`));
        };
        socket.on('drain', pour);
        pour();
      },
    },
  });
  expect(await sendHttp(post(receiver.url), TERMS)).toMatchObject({ came: 'nothing' });
});

test.for(['169.254.169.254', '[fe80::1]', '0.0.0.0', '[::ffff:169.254.169.254]'])('nothing is sent to %s', async host => {
  const reply = await sendHttp(post(`http://${host}/latest/meta-data`), TERMS);
  expect(reply).toMatchObject({ came: 'nothing', mayHaveArrived: false });
  expect(reply.came === 'nothing' && reply.text).toMatch(/link-local/);
});

test('a name that leads to a link-local address leads nowhere', async () => {
  const resolve = async () => [{ address: '169.254.169.254', family: 4 }];
  expect(await sendHttp(post('https://metadata.test/'), { ...TERMS, resolve })).toMatchObject({
    text: 'metadata.test is a link-local address (169.254.169.254): nothing is sent there',
  });
});

test.for(['ftp://x/', 'file:///etc/passwd', 'nonsense', 'mailto:a@b'])('%s is not an address', async url => {
  expect(await sendHttp(post(url), TERMS)).toMatchObject({ came: 'nothing', mayHaveArrived: false });
});

test('https goes through a proxy by a tunnel, with the certificate of the far end verified', async () => {
  const receiver = await startReceiver({ tls: 'good' });
  const proxy = await startProxy();
  const env = { https_proxy: `http://us:pw@127.0.0.1:${proxy.port}` };
  const url = `https://${HOST}:${receiver.port}/x`;
  expect(await sendHttp(post(url), { ...TERMS, env, ca: authorityPem() })).toMatchObject({ came: 'reply', status: 200 });
  expect(proxy.asked).toEqual([{ line: `CONNECT ${HOST}:${receiver.port}`, authorization: `Basic ${btoa('us:pw')}` }]);
  expect(receiver.got[0]?.headers['proxy-authorization']).toBeUndefined();
  const bad = await startReceiver({ tls: 'other name' });
  const reply = await sendHttp(post(`https://${HOST}:${bad.port}/`), { ...TERMS, env, ca: authorityPem() });
  expect(reply).toMatchObject({ came: 'nothing', text: 'its certificate is for another name', mayHaveArrived: false });
});

test('http goes through a proxy as a whole address, and not when no_proxy excepts it', async () => {
  const receiver = await startReceiver();
  const proxy = await startProxy();
  const env = { HTTP_PROXY: `127.0.0.1:${proxy.port}` };
  expect(await sendHttp(post('http://far.test/x'), { ...TERMS, env })).toMatchObject({ body: 'through the proxy' });
  expect(proxy.asked.map(({ line }) => line)).toEqual(['POST http://far.test/x']);
  expect(await sendHttp(post(receiver.url), { ...TERMS, env: { ...env, NO_PROXY: '127.0.0.1' } })).toMatchObject({ body: 'ok' });
});

test('a proxy that refuses, is not there, or is none, is named as the cause', async () => {
  const proxy = await startProxy({ status: 407 });
  const url = 'https://far.test/';
  const via = (address: string) => sendHttp(post(url), { ...TERMS, env: { https_proxy: address } });
  expect(await via(`http://127.0.0.1:${proxy.port}`)).toMatchObject({ text: 'the proxy answered 407', mayHaveArrived: false });
  expect(await via('http://127.0.0.1:1')).toMatchObject({ text: 'the proxy cannot be reached: connection refused' });
  expect(await via('socks5://127.0.0.1:1')).toMatchObject({
    text: 'https_proxy is not the address of an HTTP proxy (http://HOST:PORT)',
  });
});

test.for([
  ['https://a.example.com/', 'example.com', false],
  ['https://a.example.com/', '.example.com', false],
  ['https://a.example.com/', '*.example.com', false],
  ['https://a.example.com/', 'ample.com', true],
  ['https://a.example.com/', 'x, *', false],
  ['https://a.example.com:8443/', 'a.example.com:8443', false],
  ['https://a.example.com:8443/', 'a.example.com:443', true],
  ['https://[::1]/', '::1', false],
  ['https://127.0.0.1/', '0.0.1', true],
] as const)('%s with no_proxy %s goes through the proxy: %s', ([url, exceptions, wanted]) => {
  expect(proxyFor(new URL(url), { https_proxy: 'http://p:1', no_proxy: exceptions }) !== undefined).toBe(wanted);
});

test.for([
  ['30', 30_000],
  ['0.5', 500],
  ['Sun, 22 Nov 2026 02:01:00 GMT', 60_000],
  ['Sun, 22 Nov 2026 01:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
] as const)('Retry-After: %s means %s ms', ([value, wanted]) => {
  expect(retryAfter(value, Date.UTC(2026, 10, 22, 2))).toBe(wanted);
});
