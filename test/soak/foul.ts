// A mail site whose every word can be chosen: SMTP, POP3 and IMAP over TLS, and LDAP, which get as far as they are told and then refuse
// in the words that are given; and the config with which it is watched.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { authorityPem, secureContext } from '../../lib/standin/network/certificates.ts';

/** Where a server stops to be good: at its greeting, at the log-in, or at what follows. */
export type Stage = 'greeting' | 'login' | 'work';

export interface Foul {
  /** What is said from now on; `heard` is the client's line, base64 decoded. */
  words: (heard: string) => string;
  stage: Stage;
  /** Writes site.cfg and the rest; passwords are those given. */
  writeConfig(folder: string, password: string): void;
  stop(): Promise<void>;
}

const NAME = 'foul.test';

export async function startFoul(): Promise<Foul> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const listen = async (talk: (socket: Socket) => void): Promise<number> => {
    const server = createServer(socket => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      talk(socket);
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const overTls = (talk: (say: (text: string) => void, lines: (take: (line: string) => void) => void) => void) =>
    listen(socket => {
      const secured = new TLSSocket(socket, { isServer: true, secureContext: secureContext([NAME]) });
      secured.on('error', () => {});
      talk(
        text => secured.write(text, 'utf8'),
        take => {
          let rest = '';
          secured.on('data', (bytes: Buffer) => {
            const parts = (rest + bytes.toString('latin1')).split('\r\n');
            rest = parts.pop() ?? '';
            for (const line of parts) take(line);
          });
        },
      );
    });
  const foul: Pick<Foul, 'words' | 'stage'> = { words: () => 'no', stage: 'login' };
  const said = (line = '') => foul.words(`${line} ${decoded(line)}`);

  const smtp = await overTls((say, lines) => {
    say(foul.stage === 'greeting' ? `554 ${said()}\r\n` : `220 ${NAME} ESMTP ${said()}\r\n`);
    lines(line => {
      if (/^EHLO/i.test(line)) say(`250-${NAME} ${said(line)}\r\n250-X-${said(line)}\r\n250 AUTH PLAIN LOGIN\r\n`);
      else if (/^QUIT/i.test(line)) say('221 bye\r\n');
      else if (foul.stage === 'login') say(`535-5.7.8 ${said(line)}\r\n535 5.7.8 ${said(line)}\r\n`);
      else if (/^AUTH/i.test(line)) say(`235 2.7.0 ${said(line)}\r\n`);
      else say(`550 5.7.1 ${said(line)}\r\n`);
    });
  });
  const pop3 = await overTls((say, lines) => {
    say(foul.stage === 'greeting' ? `-ERR ${said()}\r\n` : `+OK ${said()}\r\n`);
    lines(line => {
      if (/^CAPA/i.test(line)) say(`+OK\r\nUSER\r\nUIDL\r\nTOP\r\nIMPLEMENTATION ${said(line)}\r\n.\r\n`);
      else if (/^USER/i.test(line)) say(`+OK ${said(line)}\r\n`);
      else if (/^QUIT/i.test(line)) say('+OK\r\n');
      else if (/^(PASS|AUTH)/i.test(line) && foul.stage === 'work') say(`+OK ${said(line)}\r\n`);
      else say(`-ERR [AUTH] ${said(line)}\r\n`);
    });
  });
  const imap = await overTls((say, lines) => {
    say(foul.stage === 'greeting' ? `* BYE ${said()}\r\n` : `* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ${said()}\r\n`);
    lines(line => {
      const [tag = '', command = ''] = line.split(' ');
      if (/^CAPABILITY/i.test(command))
        say(`* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN X-${said(line)}\r\n${tag} OK ${said(line)}\r\n`);
      else if (/^LOGOUT/i.test(command)) say(`* BYE\r\n${tag} OK\r\n`);
      else if (/^(LOGIN|AUTHENTICATE)/i.test(command) && foul.stage === 'work') say(`${tag} OK ${said(line)}\r\n`);
      else say(`* NO [ALERT] ${said(line)}\r\n${tag} NO [AUTHENTICATIONFAILED] ${said(line)}\r\n`);
    });
  });
  const ldap = await listen(socket => {
    socket.on('data', (bytes: Buffer) => {
      // The message id of what was asked; the answer to a bind, a search or StartTLS is a refusal. @see RFC 4511 section 4
      const id = bytes[4] ?? 1;
      const answers = new Map([
        [0x63, 0x65],
        [0x77, 0x78],
      ]);
      const tag = answers.get(bytes[5] ?? 0) ?? 0x61;
      const words = Buffer.from(said(bytes.toString('latin1')).slice(0, 90));
      const result = Buffer.concat([Buffer.from([0x0a, 1, 49, 4, 0, 4, words.length]), words]);
      const answer = Buffer.concat([Buffer.from([2, 1, id, tag, result.length]), result]);
      socket.write(Buffer.concat([Buffer.from([0x30, answer.length]), answer]));
    });
  });

  return Object.assign(foul, {
    writeConfig: (folder: string, password: string) => {
      mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 });
      const write = (name: string, text: string, mode = 0o640) => writeFileSync(join(folder, name), text, { mode });
      write('secrets/ims1', `${password}\n`, 0o600);
      write('site.key', `${randomBytes(32).toString('base64')}\n`, 0o600);
      write('ca.pem', authorityPem());
      const door = (port: number) => `{ port = ${port}, security = "tls" }`;
      const where = `host = "127.0.0.1"\nservername = "${NAME}"`;
      write(
        'site.cfg',
        `[site]
name = "foul"
domain = "foul.test"
ca_file = "ca.pem"
interval = 5
submit = 5
deliver = 5
fetch = 5
isolate = 5
[mta.mta1]
${where}
port = ${smtp}
security = "tls"
user = "ims1"
password_file = "secrets/ims1"
[mmp.mmp1]
${where}
pop3 = ${door(pop3)}
imap = ${door(imap)}
[store.ims1]
${where}
address = "ims1@foul.test"
user = "ims1"
password_file = "secrets/ims1"
[directory.ldap1]
url = "ldap://127.0.0.1:${ldap}"
base = "dc=foul,dc=test"
`,
      );
      write('sequence.cfg', '00 DMSG -u ims1 -s mta1 -p mmp1 -m imap\n05 DMSG -u ims1 -s mta1 -p mmp1 -m pop3\n');
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
    },
  });
}

/** The parts of a line that are base64, as they were before. */
function decoded(line: string): string {
  return line
    .split(' ')
    .filter(word => /^[A-Za-z0-9+/]{8,}={0,2}$/.test(word))
    .map(word => Buffer.from(word, 'base64').toString('utf8').replaceAll('\0', ' '))
    .join(' ');
}
