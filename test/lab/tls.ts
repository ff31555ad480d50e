// The lab's own certificate authority and the certificates it gives: good ones, and the three bad kinds that faults need.
// Made with the openssl command, because Node cannot sign certificates.

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { DOMAIN, type Machine } from './site.ts';

/** What is wrong with a certificate. */
export type Blemish = 'good' | 'expired' | 'wrong-name' | 'unknown-ca';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** An authority: `FOLDER/NAME.pem` and `FOLDER/NAME.key`. Kept when it is there. */
export async function makeAuthority(folder: string, name: string, subject: string): Promise<void> {
  if (existsSync(join(folder, `${name}.pem`))) return;
  mkdirSync(folder, { recursive: true });
  const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  const out = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem.new`)];
  await run(['openssl', 'req', '-x509', ...KEY, '-days', '3650', '-subj', `/CN=${subject}`, ...extensions, ...out]);
  renameSync(join(folder, `${name}.pem.new`), join(folder, `${name}.pem`));
}

/** File names of a machine's certificate, without making it. */
export function certificateFiles(
  folder: string,
  machine: Machine,
  blemish: Blemish,
): { readonly cert: string; readonly key: string } {
  const stem = join(folder, `${machine.name}-${blemish}`);
  return { cert: `${stem}.pem`, key: `${stem}.key` };
}

/** Makes a machine's certificate unless it is there. */
export async function makeCertificate(folder: string, machine: Machine, blemish: Blemish): Promise<void> {
  const { cert, key } = certificateFiles(folder, machine, blemish);
  if (existsSync(cert)) return;
  const authority = blemish === 'unknown-ca' ? 'stranger' : 'ca';
  if (blemish === 'unknown-ca') await makeAuthority(folder, authority, 'An authority that nobody trusts');
  const host = blemish === 'wrong-name' ? `elsewhere.${DOMAIN}` : machine.host;
  const names = blemish === 'wrong-name' ? `DNS:${host}` : [machine.host, ...machine.aliases].map(name => `DNS:${name}`).join();
  const alternative = blemish === 'wrong-name' ? names : `${names},IP:${machine.address}`;
  const signer = [join(folder, `${authority}.pem`), join(folder, `${authority}.key`)] as const;
  if (blemish === 'expired') await signExpired(folder, { cert: `${cert}.new`, key }, host, alternative);
  else {
    const extensions = ['-addext', `subjectAltName=${alternative}`, '-addext', 'basicConstraints=critical,CA:FALSE'];
    const by = ['-CA', signer[0], '-CAkey', signer[1], '-days', '365'];
    await run([
      'openssl',
      'req',
      '-x509',
      ...KEY,
      '-subj',
      `/CN=${host}`,
      ...extensions,
      ...by,
      '-keyout',
      key,
      '-out',
      `${cert}.new`,
    ]);
  }
  renameSync(`${cert}.new`, cert);
}

/** `openssl x509` of OpenSSL 3.0 knows no dates: `openssl ca` does, with a small database of its own. */
async function signExpired(folder: string, files: { cert: string; key: string }, host: string, names: string): Promise<void> {
  const work = `${files.key}.ca`;
  mkdirSync(work, { recursive: true });
  const file = (name: string) => join(work, name);
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('serial'), '1000\n');
  writeFileSync(
    file('ca.cnf'),
    [
      '[ca]\ndefault_ca = lab\n[lab]',
      `database = ${file('index.txt')}\nserial = ${file('serial')}\nnew_certs_dir = ${work}`,
      'default_md = sha256\npolicy = any\nx509_extensions = leaf\nunique_subject = no',
      `[any]\ncommonName = supplied\n[leaf]\nbasicConstraints = critical,CA:FALSE\nsubjectAltName = ${names}\n`,
    ].join('\n'),
  );
  await run(['openssl', 'req', '-new', ...KEY, '-subj', `/CN=${host}`, '-keyout', files.key, '-out', file('request.pem')]);
  const signer = ['-cert', join(folder, 'ca.pem'), '-keyfile', join(folder, 'ca.key')];
  const dates = ['-startdate', '20240101000000Z', '-enddate', '20240201000000Z'];
  await run([
    'openssl',
    'ca',
    '-batch',
    '-notext',
    '-config',
    file('ca.cnf'),
    ...signer,
    ...dates,
    '-in',
    file('request.pem'),
    '-out',
    files.cert,
  ]);
}
