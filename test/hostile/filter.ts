// A man in the middle for whole trips: takes connections for a server and changes what it says, line by line.

import { connect, createServer, type Socket } from 'node:net';
import type { Endpoint } from '../../lib/model/endpoint.ts';

export interface Filter {
  /** The server's endpoint, by way of the filter. */
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** @param change is given each line of the server, with its line end, as Latin-1, and what the client has said last */
export async function startFilter(behind: Endpoint, change: (line: string, asked: string) => string): Promise<Filter> {
  const sockets = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(behind.port, behind.host);
    let rest = '';
    let asked = '';
    sockets.add(client).add(upstream);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    client.on('data', bytes => {
      asked = bytes.toString('latin1');
      upstream.write(bytes);
    });
    client.on('end', () => upstream.end());
    upstream.on('data', bytes => {
      const lines = (rest + bytes.toString('latin1')).split(/(?<=\n)/);
      rest = lines.at(-1)?.endsWith('\n') === false ? (lines.pop() ?? '') : '';
      client.write(lines.map(line => change(line, asked)).join(''), 'latin1');
    });
    upstream.on('end', () => client.end());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: { ...behind, host: '127.0.0.1', port },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
