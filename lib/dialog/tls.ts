// What a TLS connection tells about itself, and what its failures mean in words.

import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { TlsFacts } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';

/** What a certificate of tomorrow is called: it, or our clock. */
export const NOT_VALID_YET = 'certificate is not valid yet (or our clock is behind)';

const DAY_MS = 86_400_000;
const LEAST_RSA_BITS = 2048;

/** The facts of an established connection; `at` is now, epoch ms. Text from the certificate is bounded and printable. */
export function tlsFacts(socket: TLSSocket, verified: boolean, at: number): TlsFacts {
  const certificate = socket.getPeerCertificate();
  const names = altNames(certificate);
  // A peer that has gone already has no certificate any more.
  const validTo = new Date(certificate.valid_to ?? '');
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher()?.standardName ?? 'unknown',
    subject: shown(certificate.subject?.CN) ?? names[0] ?? '(no name)',
    issuer: shown(certificate.issuer?.CN) ?? shown(certificate.issuer?.O) ?? '(no name)',
    names,
    validFrom: isoOrEmpty(certificate.valid_from),
    validTo: isoOrEmpty(certificate.valid_to),
    daysLeft: Number.isNaN(validTo.getTime()) ? 0 : Math.floor((validTo.getTime() - at) / DAY_MS),
    verified,
  };
}

/** Why a handshake failed or a certificate was refused, by OpenSSL's and Node's codes. `name` is what the certificate should bear. */
export function tlsTrouble(error: unknown, name: string): string {
  const code = codeOf(error);
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return 'certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return NOT_VALID_YET;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'certificate is self-signed and not among the trusted ones (ca_file)';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `certificate is signed by an authority that is not trusted here (${code}; ca_file)`;
    case 'EE_KEY_TOO_SMALL':
    case 'CA_KEY_TOO_SMALL':
    case 'CA_MD_TOO_WEAK':
    case 'ERR_SSL_EE_KEY_TOO_SMALL':
      return `certificate's key or signature is too weak (${code})`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `certificate is for another name than ${printable(name, 100)}`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'does not speak TLS there: it sent clear text in the handshake';
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
    case 'ERR_SSL_NO_PROTOCOLS_AVAILABLE':
      return 'offers only TLS versions that are too old (1.2 or newer is needed)';
    default:
      return `TLS failed: ${printable(code, 120)}`;
  }
}

/** Why a certificate is not to be trusted, in words; undefined when it is. `name` is what it should bear. */
export function certificateTrouble(socket: TLSSocket, name: string): string | undefined {
  if (socket.authorized) return keyTrouble(socket);
  // Newer versions of Node refuse weak keys themselves, and have no word for it.
  const isUnsaid = codeOf(socket.authorizationError) === 'UNSPECIFIED';
  return (isUnsaid ? keyTrouble(socket) : undefined) ?? tlsTrouble(socket.authorizationError, name);
}

/**
 * What is wrong with the key of a certificate that is good otherwise; undefined when nothing is. Told here and not left to OpenSSL,
 * whose levels differ between versions of Node.
 *
 * @see NIST SP 800-131A: RSA keys below 2048 bits are not to be used
 */
function keyTrouble(socket: TLSSocket): string | undefined {
  // Not getPeerX509Certificate: on Node 20 getPeerCertificate has nothing more to tell after it.
  const { bits, modulus } = socket.getPeerCertificate();
  if (modulus === undefined || bits === undefined || bits >= LEAST_RSA_BITS) return undefined;
  return `certificate's key is too weak: RSA with ${bits} bits (${LEAST_RSA_BITS} are needed)`;
}

function codeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return 'certificate refused';
}

function altNames(certificate: PeerCertificate): string[] {
  const all = certificate.subjectaltname ?? '';
  return all
    .split(/,\s*/)
    .map(entry => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1])
    .filter(name => name !== undefined)
    .slice(0, 50)
    .map(name => printable(name, 100));
}

function shown(name: string | string[] | undefined): string | undefined {
  const first = Array.isArray(name) ? name[0] : name;
  return first === undefined ? undefined : printable(first, 100);
}

function isoOrEmpty(date: string | undefined): string {
  const at = new Date(date ?? '');
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
