// A small bad peer, run as a process of its own: it stands in front of a door and drips, resets, refuses or delays, or it takes
// a door's last place and keeps it. Plain JavaScript, because it is run directly by node. Prints `ready` when it is in force.
//
//   node relay.mjs FILE.json      { listeners: [...], holders: [...] }, see the types in relays.ts

import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

const { listeners, holders } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
await Promise.all([...listeners.map(listen), ...holders.map(hold)]);
console.log('ready');

function listen(listener) {
  const { address, port, tls } = listener;
  const server = tls
    ? createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, socket => meet(socket, listener))
    : createServer({ noDelay: true }, socket => meet(socket, listener));
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
}

function meet(socket, { mode, text, seconds, target, from }) {
  socket.on('error', () => {});
  if (mode === 'reset') socket.resetAndDestroy();
  else if (mode === 'say') socket.end(`${text}\r\n`);
  else if (mode === 'late') {
    const timer = setTimeout(() => join(socket, target, from, (server, client) => server.pipe(client)), seconds * 1000);
    socket.once('close', () => clearTimeout(timer));
  } else join(socket, target, from, drip);
}

/** Connects to the real door and passes what the client says on; `back` passes on what the server says. */
function join(client, target, from, back) {
  const server = connect({ ...target, localAddress: from, noDelay: true });
  server.on('error', () => client.destroy()).on('close', () => client.destroy());
  client.on('close', () => server.destroy());
  client.pipe(server);
  back(server, client);
}

/** One byte each 0.4 s. */
function drip(server, client) {
  const bytes = [];
  server.on('data', chunk => bytes.push(...chunk));
  const timer = setInterval(() => {
    if (bytes.length > 0) client.write(Buffer.from([bytes.shift()]));
  }, 400);
  client.on('close', () => clearInterval(timer));
}

/** Takes a place, says its lines one after the other, each when the last was answered, and stays; comes back when thrown out. */
function hold({ host, port, tls, lines, keep }) {
  return new Promise(resolve => {
    const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
    const left = [...lines];
    let timer;
    socket.on('data', () => {
      const next = left.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
      else if (timer === undefined) {
        timer = setInterval(() => socket.write(`${keep}\r\n`), 20_000);
        resolve();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      setTimeout(() => hold({ host, port, tls, lines, keep }).then(resolve), 200);
    });
  });
}
