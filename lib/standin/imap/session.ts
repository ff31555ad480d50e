// One logged-in IMAP session, as the commands see it.

import type { Visit } from '../network/visit.ts';
import type { Mailbox } from '../store/mailbox.ts';
import type { Command } from './command.ts';
import type { View } from './view.ts';

export interface ImapSession {
  readonly visit: Visit;
  readonly mailbox: Mailbox;
  /** Whether UID EXPUNGE and the UIDs in replies are offered. */
  readonly uidplus: boolean;
  /** The selected folder. */
  view: View | undefined;
}

/** What a command leaves to be said behind its tag, after the untagged replies that it has said itself. */
export type Handler = (session: ImapSession, command: Command) => Promise<string>;
