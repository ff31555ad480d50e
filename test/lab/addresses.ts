// Whether a lab's addresses are free: each door is tried by listening there for a moment.

import { createServer } from 'node:net';
import type { Site } from './site.ts';

/** Doors that somebody else listens on, as `127.10.10.1:25`; empty when the lab can come up. */
export async function portsInUse(site: Site): Promise<string[]> {
  const doors = site.machines.flatMap(({ address, doors }) => doors.map(({ port }) => ({ address, port })));
  const tried = await Promise.all(
    doors.map(async ({ address, port }) => ((await isFree(address, port)) ? undefined : `${address}:${port}`)),
  );
  return tried.filter(door => door !== undefined);
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
