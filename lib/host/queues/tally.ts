// Counts messages while a queue is walked, without keeping them: numbers by queue, ages, who has most, and what is left of the last
// look. Memory does not grow with the queue: of its files an even sample is kept, for what only an open file can tell.

import type { Ranked } from '../../model/reading.ts';

const QUEUES = ['incoming', 'active', 'deferred', 'hold', 'corrupt'] as const;
export type QueueName = (typeof QUEUES)[number];

/** Upper ends of the age classes, in minutes, as qshape(1) has them; what is older is in the last class. */
export const AGE_MINUTES = [5, 10, 20, 40, 80, 160, 320, 640, 1280] as const;

/** What an open queue file tells. */
export interface Envelope {
  /** Arrival, epoch ms. */
  readonly at?: number;
  readonly sender?: string;
  readonly recipients: readonly string[];
  /** The address of the host that sent it to us, not its name: the name is what that host's owner makes it. */
  readonly client?: string;
  /** Where an MTA keeps all its messages in one place: the queue that the file itself names. */
  readonly queue?: QueueName;
}

interface Sampled {
  readonly queue: QueueName | undefined;
  readonly folder: string;
  readonly name: string;
  /** Arrival by the file's name. */
  readonly at: number | undefined;
}

export interface TallyOptions {
  /** Now, epoch ms. */
  readonly at: number;
  /** The last look, epoch ms; 0 when there was none. */
  readonly since: number;
  /** So many files may be opened. */
  readonly room: number;
}

export class Tally {
  /** Messages by queue; while `isEstimate`, shares of the whole. */
  readonly counts: Record<QueueName, number> = { incoming: 0, active: 0, deferred: 0, hold: 0, corrupt: 0 };
  /** Arrival of the oldest whose age is known, by queue; epoch ms. */
  readonly oldest: Partial<Record<QueueName, number>> = {};
  /** Messages whose envelopes were read, and those that could have been. */
  opened = 0;
  openable = 0;
  /** Which queue messages are in is known of a sample only. */
  isEstimate = false;
  /** Arrivals of opened messages that are in incoming or active. */
  readonly moving: number[] = [];
  readonly domains = new Map<string, number>();
  readonly senders = new Map<string, number>();
  readonly clients = new Map<string, number>();
  readonly #options: TallyOptions;
  readonly #sampled: Sampled[] = [];
  #ages: Ages;
  /** Files whose queue only their contents tell, and their ages by name: some may turn out to be held. */
  #unsorted = 0;
  readonly #unsortedAges: Ages;
  #random = 1;

  constructor(options: TallyOptions) {
    this.#options = options;
    this.#ages = new Ages(options);
    this.#unsortedAges = new Ages(options);
  }

  /** Of messages whose age is known, hold and corrupt left out. */
  get ages(): Ages {
    return this.#ages;
  }

  /** Messages in all queues but hold and corrupt. */
  get total(): number {
    const { incoming, active, deferred } = this.counts;
    return incoming + active + deferred + this.#unsorted;
  }

  /**
   * A message's file.
   *
   * @param queue undefined where only its contents tell
   * @param at arrival by its name, epoch ms; undefined where that does not tell
   */
  file(queue: QueueName | undefined, folder: string, name: string, at: number | undefined): void {
    if (queue === undefined) this.#unsorted += 1;
    else this.counts[queue] += 1;
    if (at !== undefined) {
      if (queue === undefined) this.#unsortedAges.add(at);
      else this.#aged(queue, at);
    }
    if (queue === 'corrupt') return;
    // Reservoir sampling: each file has the same chance, whatever their number turns out to be.
    this.openable += 1;
    const { room } = this.#options;
    if (this.#sampled.length < room) this.#sampled.push({ queue, folder, name, at });
    else {
      const place = this.#next(this.openable);
      if (place < room) this.#sampled[place] = { queue, folder, name, at };
    }
  }

  /** A message that was told with its envelope: nothing is left to open. */
  message(queue: QueueName, envelope: Envelope): void {
    this.counts[queue] += 1;
    this.openable += 1;
    if (envelope.at !== undefined) {
      this.#aged(queue, envelope.at);
      if ((queue === 'incoming' || queue === 'active') && this.moving.length < this.#options.room) this.moving.push(envelope.at);
    }
    this.#opened(envelope);
  }

  /**
   * Opens the sampled files and sorts by what they tell. One that has gone meanwhile was delivered: that is what queues are for.
   *
   * @param read undefined for a file that has gone, or is no whole message yet
   * @param goOn false: time is up
   */
  openSample(read: (path: string) => Envelope | undefined, goOn: () => boolean): void {
    const sorted: Record<QueueName, number> = { incoming: 0, active: 0, deferred: 0, hold: 0, corrupt: 0 };
    const sortedAges = new Ages(this.#options);
    let seen = 0;
    for (const { queue, folder, name, at } of this.#sampled) {
      if (!goOn()) break;
      const envelope = read(`${folder}/${name}`);
      if (envelope === undefined) continue;
      const place = queue ?? envelope.queue ?? 'active';
      const arrived = at ?? envelope.at;
      if (arrived !== undefined && (place === 'incoming' || place === 'active')) this.moving.push(arrived);
      if (queue === undefined) {
        sorted[place] += 1;
        seen += 1;
        if (arrived !== undefined) {
          this.#older(place, arrived);
          if (place !== 'hold' && place !== 'corrupt') sortedAges.add(arrived);
        }
      } else if (at === undefined && arrived !== undefined) this.#aged(queue, arrived);
      this.#opened(envelope);
    }
    if (this.#unsorted === 0) return;
    this.isEstimate = seen < this.#unsorted;
    // Names tell of all, held ones among them; open files tell it right, of those that were opened.
    this.#ages = this.#ages.with(this.isEstimate && this.#unsortedAges.known > 0 ? this.#unsortedAges : sortedAges);
    for (const queue of QUEUES) {
      const share = seen === 0 ? (queue === 'active' ? 1 : 0) : sorted[queue] / seen;
      this.counts[queue] += Math.round(this.#unsorted * share);
    }
    this.#unsorted = 0;
  }

  /** What to multiply counts of opened files by, to speak of all. */
  get scale(): number {
    return this.opened === 0 ? 1 : Math.max(1, this.openable / this.opened);
  }

  #aged(queue: QueueName, at: number): void {
    this.#older(queue, at);
    if (queue !== 'hold' && queue !== 'corrupt') this.#ages.add(at);
  }

  #older(queue: QueueName, at: number): void {
    const oldest = this.oldest[queue];
    if (oldest === undefined || at < oldest) this.oldest[queue] = at;
  }

  #opened({ sender, recipients, client }: Envelope): void {
    this.opened += 1;
    for (const domain of new Set(recipients.map(domainOf))) count(this.domains, domain);
    if (sender !== undefined) count(this.senders, sender === '' ? '<>' : sender);
    if (client !== undefined) count(this.clients, client);
  }

  /** xorshift32: even enough for a sample, and the same each time. */
  #next(below: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return Math.floor(((x >>> 0) / 2 ** 32) * below);
  }
}

/** Ages of messages as they come in, one by one. */
export class Ages {
  /** Messages by age class. */
  readonly groups: number[] = Array.from({ length: AGE_MINUTES.length + 1 }, () => 0);
  /** Arrival of the oldest, epoch ms. */
  oldest: number | undefined;
  known = 0;
  /** Of those, the ones that came before the last look. */
  survivors = 0;
  readonly #options: TallyOptions;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  add(at: number): void {
    const minutes = (this.#options.at - at) / 60_000;
    let group = 0;
    while (group < AGE_MINUTES.length && minutes >= (AGE_MINUTES[group] ?? 0)) group += 1;
    this.groups[group] = (this.groups[group] ?? 0) + 1;
    if (this.oldest === undefined || at < this.oldest) this.oldest = at;
    this.known += 1;
    if (at <= this.#options.since) this.survivors += 1;
  }

  with(other: Ages): Ages {
    const sum = new Ages(this.#options);
    for (const each of [this, other]) {
      each.groups.forEach((n, i) => {
        sum.groups[i] = (sum.groups[i] ?? 0) + n;
      });
      if (each.oldest !== undefined && (sum.oldest === undefined || each.oldest < sum.oldest)) sum.oldest = each.oldest;
      sum.known += each.known;
      sum.survivors += each.survivors;
    }
    return sum;
  }
}

/** The largest, by count and then by name, their counts multiplied by `scale` and rounded. */
export function top(counts: ReadonlyMap<string, number>, most: number, scale = 1): readonly Ranked[] {
  return [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, most)
    .map(([name, n]) => ({ name, count: Math.round(n * scale) }));
}

/** A hostile queue may have as many names as messages; beyond this they are put together. */
const MOST_NAMES = 20_000;

function count(counts: Map<string, number>, name: string): void {
  const key = counts.size < MOST_NAMES || counts.has(name) ? name : '(others)';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0
    ? '(local)'
    : address
        .slice(at + 1)
        .replace(/>+$/, '')
        .toLowerCase();
}
