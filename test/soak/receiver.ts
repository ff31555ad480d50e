// Somebody who is told: a web server on loopback that keeps the bodies it is sent, and the alarms.cfg that leads to it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receiver {
  readonly url: string;
  /** Bodies, oldest first. */
  readonly told: string[];
  /** For a site that tells it of everything at once. */
  readonly alarmsCfg: string;
  stop(): void;
}

export async function startReceiver(): Promise<Receiver> {
  const told: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      told.push(body);
      response.end('ok');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    told,
    alarmsCfg: `[alarms]
together = 0
flaps = 20
[webhook.hook]
url = "${url}"
[notify.oncall]
channels = ["hook"]
`,
    stop: () => server.close(),
  };
}
