// What one IMAP session knows of the folder that it has selected. Numbers must not change under a client's feet (RFC 3501
// section 7.4.1), so a session sees its own list, and hears of changes when it may.

import type { Folder, StoredMessage } from '../store/mailbox.ts';

interface Known {
  readonly message: StoredMessage;
  /** As last told; the folder replaces the set when flags change. */
  flags: ReadonlySet<string>;
}

export class View {
  readonly folder: Folder;
  readonly readOnly: boolean;
  #known: Known[];

  constructor(folder: Folder, readOnly: boolean) {
    this.folder = folder;
    this.readOnly = readOnly;
    this.#known = folder.messages.map(message => ({ message, flags: message.flags }));
  }

  get messages(): readonly StoredMessage[] {
    return this.#known.map(({ message }) => message);
  }

  /**
   * Untagged replies that bring the client up to date.
   *
   * @param expunges whether numbers may change now; not in the middle of FETCH, STORE and SEARCH by number
   */
  news(expunges: boolean): string {
    const now = this.folder.messages;
    let said = '';
    if (expunges) {
      const present = new Set(now.map(({ uid }) => uid));
      for (let i = this.#known.length - 1; i >= 0; i -= 1) {
        if (present.has(this.#known[i]?.message.uid ?? 0)) continue;
        this.#known.splice(i, 1);
        said += `* ${i + 1} EXPUNGE\r\n`;
      }
    }
    const last = this.#known.at(-1)?.message.uid ?? 0;
    const fresh = now.filter(({ uid }) => uid > last);
    if (fresh.length > 0) {
      this.#known.push(...fresh.map(message => ({ message, flags: message.flags })));
      said += `* ${this.#known.length} EXISTS\r\n* ${fresh.length} RECENT\r\n`;
    }
    this.#known.forEach((known, i) => {
      if (known.flags === known.message.flags) return;
      known.flags = known.message.flags;
      said += `* ${i + 1} FETCH (UID ${known.message.uid} FLAGS (${[...known.flags].join(' ')}))\r\n`;
    });
    return said;
  }

  /** Makes the session take its own change of flags as told. */
  told(message: StoredMessage): void {
    for (const known of this.#known) if (known.message === message) known.flags = message.flags;
  }
}
