// Hands a letter to the relay by the house's own SMTP dialog: one deadline, TLS as it was asked for, faults in the same words as everywhere.

import { submit } from '../dialog/smtp.ts';
import type { Relay } from './config.ts';
import type { HandOver, Send } from './deliver.ts';

/** For one hand-over, large letters over slow lines included. */
const DEADLINE_MS = 60_000;

export function sendOver({ endpoint, helo }: Relay, signal: AbortSignal): Send {
  const began = performance.now();
  return async (letter, envelope): Promise<HandOver> => {
    const terms = { clock: () => performance.now() - began, deadlineMs: DEADLINE_MS, signal };
    const dialog = await submit(endpoint, helo, envelope, letter, terms);
    switch (dialog.outcome) {
      case 'answered':
        return { result: 'sent', text: dialog.value.reply };
      case 'failed': {
        const { component, protocol, phase, text, lasting } = dialog.fault;
        const isForThisAddress = phase === 'rcpt' && lasting === 'permanent';
        return {
          result: 'failed',
          text: `${component} ${protocol} ${phase}: ${text}`,
          again: isForThisAddress ? 'never' : 'later',
        };
      }
      case 'cut':
        return { result: 'failed', text: 'we were told to stop', again: 'later' };
      default:
        return dialog satisfies never;
    }
  };
}
