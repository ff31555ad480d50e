// Our side of a hostile case: the dialog as the product holds it, whole.

import { askName } from '../../lib/dialog/dns.ts';
import { askLdap } from '../../lib/dialog/ldap.ts';
import type { Terms } from '../../lib/dialog/line.ts';
import { knockLmtp } from '../../lib/dialog/lmtp.ts';
import { readAbout } from '../../lib/dialog/look.ts';
import { readAboutByPop3 } from '../../lib/dialog/look-pop3.ts';
import { knockMilter } from '../../lib/dialog/milter.ts';
import { submit } from '../../lib/dialog/smtp.ts';
import type { Component } from '../../lib/model/component.ts';
import type { Dialog } from '../../lib/model/dialog.ts';
import type { Endpoint } from '../../lib/model/endpoint.ts';
import { NAME } from '../dialog/peer.ts';
import { PLAYS } from '../dialog/scripts.ts';
import type { Client } from './case.ts';

export const SECRET = 'geheim-1234';
const ENVELOPE = { from: 'probe@peer.test', to: 'probe@peer.test', id: 'abc' };
const SEARCH = { base: 'dc=peer,dc=test', filter: '(mail=ims1@peer.test)', attributes: ['mail'], mostEntries: 2 };
const QUESTION = 'mta.peer.test';

const COMPONENTS: Readonly<Record<string, Component>> = {
  smtp: 'mta/peer',
  lmtp: 'store/peer',
  pop3: 'mmp/peer',
  imap: 'mmp/peer',
  ldap: 'directory/peer',
  milter: 'filter/peer',
  dns: 'dns/peer',
};

export function componentOf({ protocol }: Client): Component {
  return COMPONENTS[protocol] ?? 'mta/peer';
}

/** @param ca PEM of the authority that is trusted */
export function speak(client: Client, port: number, ca: string, terms: Terms): Promise<Dialog<unknown>> {
  const endpoint = endpointOf(client, port, ca);
  switch (client.protocol) {
    case 'smtp':
      return submit(endpoint, 'client.test', ENVELOPE, client.large === true ? large() : MESSAGE, terms);
    case 'pop3':
      return client.second === true ? readAboutByPop3(endpoint, 'wanted', terms) : play(client, endpoint, terms);
    case 'imap':
      return client.second === true ? readAbout(endpoint, 'wanted', Date.now(), terms) : play(client, endpoint, terms);
    case 'lmtp':
      return knockLmtp(endpoint, 'client.test', ENVELOPE, terms);
    case 'ldap':
      return askLdap(endpoint, SEARCH, terms);
    case 'milter':
      return knockMilter(endpoint, terms);
    case 'dns':
      return askName({ component: 'dns/peer', address: '127.0.0.1', port, host: QUESTION }, terms);
    default:
      throw new Error(`no client for ${client.protocol}`);
  }
}

const MESSAGE = Buffer.from('Subject: hello\r\n\r\nfirst\r\n.second\r\n');
let made: Buffer | undefined;

/** More than the buffers of both ends hold. */
function large(): Buffer {
  made ??= Buffer.from(`Subject: x\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(14_000)}`);
  return made;
}

function play({ protocol, security }: Client, endpoint: Endpoint, terms: Terms): Promise<Dialog<unknown>> {
  const found = PLAYS.find(each => each.protocol === protocol && (each.security === 'starttls') === (security === 'starttls'));
  if (found === undefined) throw new Error(`no play for ${protocol}`);
  return found.run(endpoint, terms);
}

function endpointOf(client: Client, port: number, ca: string): Endpoint {
  const { protocol, security, login } = client;
  const user = protocol === 'ldap' ? 'cn=probe,dc=peer,dc=test' : 'probe';
  const mechanism = login === 'plain' || login === 'login' || login === 'xoauth2' ? login : undefined;
  const bare = login === 'none' || protocol === 'lmtp' || protocol === 'milter' || protocol === 'dns';
  return {
    component: componentOf(client),
    protocol,
    host: '127.0.0.1',
    port,
    security,
    servername: NAME,
    trust: { verify: true, ca },
    ...(bare ? {} : { login: { user, secret: async () => SECRET, ...(mechanism === undefined ? {} : { mechanism }) } }),
  };
}
