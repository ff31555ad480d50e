// A user's mail: folders of messages, byte for byte as they were delivered. The store's servers work on it, and so do tests:
// they plant other people's mail, count, and compare.

export interface StoredMessage {
  readonly uid: number;
  /** Exactly what was delivered or appended. */
  readonly raw: Buffer;
  readonly internalDate: Date;
  /** System flags with their backslash, keywords without. Changed through the folder only. */
  readonly flags: ReadonlySet<string>;
}

interface Held {
  uid: number;
  raw: Buffer;
  internalDate: Date;
  flags: Set<string>;
}

interface AppendOptions {
  readonly flags?: readonly string[];
  readonly internalDate?: Date;
}

/** Called after a change; what changed can be seen by looking. */
type Listener = () => void;

export class Folder {
  readonly name: string;
  /** `\Junk`, `\Sent`, …; absent: none. */
  readonly specialUse: string | undefined;
  readonly uidValidity: number;
  #uidNext = 1;
  readonly #messages: Held[] = [];
  readonly #listeners = new Set<Listener>();

  constructor(name: string, uidValidity: number, specialUse?: string) {
    this.name = name;
    this.uidValidity = uidValidity;
    this.specialUse = specialUse;
  }

  get uidNext(): number {
    return this.#uidNext;
  }

  /** In the order of their UIDs. A fresh array at each call. */
  get messages(): readonly StoredMessage[] {
    return this.#messages.slice();
  }

  get bytes(): number {
    return this.#messages.reduce((sum, message) => sum + message.raw.length, 0);
  }

  append(raw: Buffer | string, options: AppendOptions = {}): StoredMessage {
    const message: Held = {
      uid: this.#uidNext,
      raw: typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw,
      internalDate: options.internalDate ?? new Date(),
      flags: new Set(options.flags ?? []),
    };
    this.#uidNext += 1;
    this.#messages.push(message);
    this.#tell();
    return message;
  }

  setFlags(uid: number, flags: Iterable<string>): void {
    const message = this.#messages.find(candidate => candidate.uid === uid);
    if (message === undefined) return;
    message.flags = new Set(flags);
    this.#tell();
  }

  /** Removes those of these messages that are there. @returns the UIDs removed */
  remove(uids: ReadonlySet<number>): number[] {
    const removed: number[] = [];
    for (let i = this.#messages.length - 1; i >= 0; i -= 1) {
      const uid = this.#messages[i]?.uid ?? 0;
      if (!uids.has(uid)) continue;
      this.#messages.splice(i, 1);
      removed.unshift(uid);
    }
    if (removed.length > 0) this.#tell();
    return removed;
  }

  /** @returns a function that ends the watch */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

export class Mailbox {
  readonly #folders = new Map<string, Folder>();
  /** Held by a POP3 session (RFC 1939 section 4). */
  popLocked = false;
  #nextValidity: number;

  constructor(uidValidity = Math.floor(Date.now() / 1000)) {
    this.#nextValidity = uidValidity;
    this.create('INBOX');
    this.create('Junk', '\\Junk');
    this.create('Sent', '\\Sent');
    this.create('Trash', '\\Trash');
  }

  /** `INBOX` in any case; other names exactly. */
  folder(name: string): Folder | undefined {
    return this.#folders.get(name.toUpperCase() === 'INBOX' ? 'INBOX' : name);
  }

  get inbox(): Folder {
    return this.#folders.get('INBOX') ?? this.create('INBOX');
  }

  get folders(): readonly Folder[] {
    return [...this.#folders.values()];
  }

  create(name: string, specialUse?: string): Folder {
    const folder = new Folder(name, this.#nextValidity, specialUse);
    this.#nextValidity += 1;
    this.#folders.set(name, folder);
    return folder;
  }

  drop(name: string): boolean {
    return name !== 'INBOX' && this.#folders.delete(name);
  }

  get bytes(): number {
    return this.folders.reduce((sum, folder) => sum + folder.bytes, 0);
  }
}
