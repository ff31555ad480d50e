// The site's own certificate authority and the certificates of its machines, good ones and bad ones, made in memory with
// node:crypto alone (RFC 5280). One authority and one key pair serve a whole process; certificates are made when the first
// handshake needs them, so a site that nobody speaks TLS to costs nothing.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import * as der from './der.ts';

/** What a machine shows instead of its good certificate. */
export type CertificateVariant =
  | 'good'
  | 'expired'
  | 'not yet valid'
  | 'other name'
  | 'self-signed'
  | 'unknown authority'
  | 'ends soon'
  /** RSA of 1024 bits. */
  | 'weak key'
  /** Names that a terminal would act on. */
  | 'escapes';

const DAY = 24 * 3600 * 1000;
const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));

interface Issuer {
  readonly name: Buffer;
  readonly key: KeyObject;
  readonly pem: string;
}

interface Made {
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly trusted: Issuer;
  readonly stranger: Issuer;
  readonly contexts: Map<string, SecureContext>;
}

let made: Made | undefined;

/** PEM of the authority that the site's good certificates chain to. */
export function authorityPem(): string {
  return material().trusted.pem;
}

/**
 * The TLS context of a machine that bears `names`; the first one is its subject.
 *
 * Contexts are shared by all sites of the process that use the same names.
 */
export function secureContext(names: readonly string[], variant: CertificateVariant = 'good'): SecureContext {
  const { key, contexts } = material();
  const id = `${variant} ${names.join(' ')}`;
  const known = contexts.get(id);
  if (known !== undefined) return known;
  if (contexts.size > 1000) contexts.clear();
  const weak = variant === 'weak key' ? generateKeyPairSync('rsa', { modulusLength: 1024 }) : undefined;
  const context = createSecureContext({
    key: (weak?.privateKey ?? key).export({ type: 'pkcs8', format: 'pem' }),
    cert: leafPem(names, variant, weak?.publicKey.export({ type: 'spki', format: 'der' })),
    // A resumed session would hide a certificate that has been changed meanwhile.
    sessionTimeout: 1,
    // OpenSSL would not let us be so careless without being told.
    ...(weak === undefined ? {} : { ciphers: 'DEFAULT@SECLEVEL=0' }),
  });
  contexts.set(id, context);
  return context;
}

function material(): Made {
  if (made !== undefined) return made;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  made = {
    key: privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    trusted: authority('Stand-in site authority'),
    stranger: authority('Some other authority'),
    contexts: new Map(),
  };
  return made;
}

function authority(commonName: string): Issuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName(commonName);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const now = Date.now();
  const pem = certificate({
    issuer: { name, key: privateKey },
    subject: name,
    spki,
    from: new Date(now - DAY),
    until: new Date(now + 3650 * DAY),
    extensions: [
      extension('2.5.29.19', true, der.sequence(der.boolean(true))), // basicConstraints: an authority
      extension('2.5.29.15', true, der.bits(Buffer.from([0x06]), 1)), // keyUsage: keyCertSign, cRLSign
      extension('2.5.29.14', false, der.octets(createHash('sha1').update(spki).digest())),
    ],
  });
  return { name, key: privateKey, pem };
}

/** What it takes for a terminal to be played with, and for a list of names to be cut in the wrong place. */
const ESCAPES = '\x1b[2J\x1b]0;owned\x07\u{202e}, DNS:peer.test\r\n';

function leafPem(names: readonly string[], variant: CertificateVariant, weakKey?: Buffer): string {
  const { key, publicKey, trusted, stranger } = material();
  const shown = variant === 'other name' ? ['www.other-name.test'] : variant === 'escapes' ? [ESCAPES] : names;
  const subject = distinguishedName(shown[0] ?? 'nobody');
  const now = Date.now();
  const issuer = variant === 'self-signed' ? { name: subject, key } : variant === 'unknown authority' ? stranger : trusted;
  const lastDay = variant === 'expired' ? -1 : variant === 'ends soon' ? 5 : 365;
  const alternatives = shown.map(name => der.element(0x82, Buffer.from(name)));
  // Clients that have only the address may check that; a certificate with another name must not pass for them either.
  if (variant !== 'other name' && variant !== 'escapes') alternatives.push(der.element(0x87, Buffer.from([127, 0, 0, 1])));
  return certificate({
    issuer,
    subject,
    spki: weakKey ?? publicKey,
    from: new Date(variant === 'not yet valid' ? now + DAY : now - 30 * DAY),
    until: new Date(now + lastDay * DAY),
    extensions: [
      extension('2.5.29.19', true, der.sequence()),
      extension('2.5.29.15', true, der.bits(Buffer.from([0x80]), 7)), // digitalSignature
      extension('2.5.29.37', false, der.sequence(der.oid('1.3.6.1.5.5.7.3.1'))), // serverAuth
      extension('2.5.29.17', false, der.sequence(...alternatives)),
    ],
  });
}

interface CertificateFields {
  readonly issuer: Pick<Issuer, 'name' | 'key'>;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly from: Date;
  readonly until: Date;
  readonly extensions: readonly Buffer[];
}

function certificate(fields: CertificateFields): string {
  const serial = randomBytes(9);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f); // positive, and the same length always
  const toBeSigned = der.sequence(
    der.element(0xa0, der.integer(Buffer.from([2]))), // version 3
    der.integer(serial),
    ECDSA_SHA256,
    fields.issuer.name,
    der.sequence(der.time(fields.from), der.time(fields.until)),
    fields.subject,
    fields.spki,
    der.element(0xa3, der.sequence(...fields.extensions)),
  );
  const whole = der.sequence(toBeSigned, ECDSA_SHA256, der.bits(sign('sha256', toBeSigned, fields.issuer.key)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8(commonName))));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octets(value));
}
