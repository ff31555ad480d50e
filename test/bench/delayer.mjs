// Stands before an SMTP server and holds each reply back for 5 to 40 ms. How long it really took, from the command to the reply, is
// known here better than the client can know it: one line of JSON per connection on stdout, by the message's Message-ID, or by the
// name in EHLO of a client that sends none (alone-N).
//
// A process of its own in plain JavaScript: node delayer.mjs PORT. Says its own port first.

import { connect, createServer } from 'node:net';

const upstream = Number(process.argv[2]);
const server = createServer({ noDelay: true }, client => {
  const server = connect({ host: '127.0.0.1', port: upstream, noDelay: true });
  const took = [];
  let askedAt;
  let verb = '';
  let inData = false;
  let id;
  let tail = '';
  client.on('data', bytes => {
    askedAt = performance.now();
    const text = bytes.toString('latin1');
    if (inData) {
      id ??= /^Message-ID: <([^@>]+)@/im.exec(text)?.[1];
      tail = (tail + text).slice(-5);
      if (tail === '\r\n.\r\n') {
        inData = false;
        verb = 'final';
      }
    } else {
      verb = text.slice(0, 4).toLowerCase();
      id ??= /^EHLO (alone-\d+)/.exec(text)?.[1];
    }
    server.write(bytes);
  });
  server.on('data', bytes => {
    const [answers, since] = [verb, askedAt];
    setTimeout(
      () => {
        const now = performance.now();
        client.write(bytes);
        if (answers === 'data') inData = true;
        if (since !== undefined && answers !== 'quit') took.push([answers, now - since]);
        if (answers === 'quit' && id !== undefined) console.log(JSON.stringify({ id, took }));
      },
      5 + Math.random() * 35,
    );
  });
  for (const [one, other] of [
    [client, server],
    [server, client],
  ]) {
    one.on('error', () => other.destroy());
    one.on('close', () => setTimeout(() => other.destroy(), 100));
  }
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
