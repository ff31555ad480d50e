// What the system's errors mean on a connection: kind, words, and whether waiting may help.

import type { Fault, FaultKind } from '../model/dialog.ts';
import { printable } from '../model/printable.ts';

interface Trouble {
  readonly kind: FaultKind;
  readonly text: string;
  readonly lasting: Fault['lasting'];
}

/**
 * The end of a connection.
 *
 * @param error as the socket gave it; undefined when the peer closed in good order
 * @param during `partial` quotes what had come of the answer we were reading, or is empty
 */
export function endTrouble(
  error: NodeJS.ErrnoException | undefined,
  during: { readonly connecting: boolean; readonly partial: string; readonly socketIsTls: boolean },
): Trouble {
  const trouble = (kind: FaultKind, text: string): Trouble => ({ kind, text, lasting: usualLasting(kind) });
  if (error === undefined) return trouble('dropped', `closed the connection${during.partial}`);
  switch (error.code) {
    case 'ECONNREFUSED':
      return trouble('refused-connection', 'refused the connection: nothing listens there, or a firewall says so');
    case 'ECONNRESET':
    case 'EPIPE':
      return trouble('dropped', during.connecting ? 'reset the connection at once' : `reset the connection${during.partial}`);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return trouble('unreachable', `cannot be reached: ${error.code}`);
    case 'ETIMEDOUT':
      return trouble('timeout', 'did not answer: the system gave up waiting (ETIMEDOUT)');
    case 'ENOENT':
      return trouble('refused-connection', 'has no such socket (ENOENT)');
    // These are said by our own system, about our own means.
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'EADDRNOTAVAIL':
    case 'EACCES':
    case 'EPERM':
    case 'EINVAL':
      return trouble('local', `could not be called from here: ${error.code}`);
    default:
      return trouble(during.socketIsTls ? 'tls' : 'dropped', `connection failed: ${printable(error.message, 200)}`);
  }
}

export function nameTrouble(host: string, code: string): string {
  const shown = printable(host, 100);
  if (code === 'ENOTFOUND') return `the name ${shown} does not resolve: no such name (ENOTFOUND)`;
  if (code === 'EAI_AGAIN') return `the name ${shown} does not resolve: no name server answered (EAI_AGAIN)`;
  return `the name ${shown} does not resolve: ${code}`;
}

export function nameLasting(code: unknown): Fault['lasting'] {
  return code === 'ENOTFOUND' ? 'permanent' : 'transient';
}

export function usualLasting(kind: FaultKind): Fault['lasting'] {
  return kind === 'unreachable' || kind === 'dropped' || kind === 'timeout' ? 'transient' : 'unknown';
}
