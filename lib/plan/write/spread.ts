// In which order to walk paths so that each component is visited as evenly as possible over the hour. Pure, and the same each time.
//
// What is made small is the sum of the squared pauses between visits, of each component by itself; then no two entries of one minute
// for one account, whose mailbox POP3 locks, and no two entries in a row over one MTA. From an order that always takes the path whose
// components have waited longest, pairs of entries are swapped as long as that helps; at first also where it harms a little, so that
// the search does not stop at the first order that no single swap improves.

/** A path to be put in order: what it visits. */
export interface Stop {
  /** Names of everything whose visits are to be spread. */
  readonly visits: readonly string[];
  /** Of these, what entries of one minute should not have in common. */
  readonly mailbox: string;
  /** And what two entries in a row should not. */
  readonly sender: string;
  /** An MMP whose doors are visited by turns, by POP3 and by IMAP; spread over two hours, door by door. */
  readonly turns?: string;
}

const HOUR = 60;
/** Swaps that are tried: enough for an hour of entries to settle, and few enough for a thousand in half a second. */
const LEAST_SWAPS = 5_000;
const MOST_SWAPS = 120_000;
const SWAPS_PER_PAIR = 30;
/** What an entry that meets its like costs, in squared pauses. */
const SAME_MAILBOX = 8;
const SAME_SENDER = 2;
/** So much harm a swap may do at the very first. */
const HARM = 0.4;

/**
 * @param minutes of the entries, ascending, one for each stop; several may be equal
 * @returns the number of the stop for each of these minutes
 */
export function spread(stops: readonly Stop[], minutes: readonly number[]): readonly number[] {
  if (stops.length < 3) return stops.map((_, n) => n);
  const order = new Order(stops, minutes);
  const random = randomFrom(20_010_110);
  const swaps = Math.max(LEAST_SWAPS, Math.min(MOST_SWAPS, stops.length * stops.length * SWAPS_PER_PAIR));
  let best = order.stops();
  let cost = 0;
  let bestCost = 0;
  for (let n = 0; n < swaps; n += 1) {
    const one = Math.floor(random() * stops.length);
    const other = Math.floor(random() * stops.length);
    if (one === other) continue;
    const change = order.swap(one, other);
    const harm = HARM * (1 - n / swaps) ** 3;
    if (change > harm) {
      order.swap(one, other);
      continue;
    }
    cost += change;
    if (cost < bestCost - 1e-9) {
      bestCost = cost;
      best = order.stops();
    }
  }
  return best;
}

/** Always the stop whose visits have waited longest, measured by how often each is to be made. */
function byWaiting(stops: readonly Numbered[], tracks: number): readonly number[] {
  const counts = new Int32Array(tracks);
  for (const { visits } of stops) for (const visit of visits) counts[visit] = (counts[visit] ?? 0) + 1;
  const last = new Int32Array(tracks).fill(-stops.length);
  const left = new Set(stops.keys());
  const order: number[] = [];
  while (left.size > 0) {
    let best = -1;
    let longest = Number.NEGATIVE_INFINITY;
    for (const n of left) {
      let waited = 0;
      for (const visit of stops[n]?.visits ?? []) waited += (order.length - (last[visit] ?? 0)) * (counts[visit] ?? 0);
      if (waited <= longest) continue;
      best = n;
      longest = waited;
    }
    left.delete(best);
    for (const visit of stops[best]?.visits ?? []) last[visit] = order.length;
    order.push(best);
  }
  return order;
}

/** A stop with numbers for names. */
interface Numbered {
  readonly visits: readonly number[];
  readonly mailbox: number;
  readonly sender: number;
  readonly turns: number | undefined;
}

/** An order with its cost, which changes by swaps. */
class Order {
  readonly #stops: readonly Numbered[];
  readonly #minutes: readonly number[];
  /** The instant of each place: entries of one minute count as spread over the time until the next. */
  readonly #times: readonly number[];
  readonly #at: number[];
  readonly #tracks: readonly Track[];
  /** How often each mailbox is opened in each minute. */
  readonly #openings: Int32Array;

  constructor(stops: readonly Stop[], minutes: readonly number[]) {
    const names = new Map<string, number>();
    const number = (name: string) => {
      const known = names.get(name) ?? names.size;
      names.set(name, known);
      return known;
    };
    this.#stops = stops.map(({ visits, mailbox, sender, turns }) => ({
      visits: visits.map(number),
      mailbox: number(`mailbox ${mailbox}`),
      sender: number(`sender ${sender}`),
      turns: turns === undefined ? undefined : number(`turns ${turns}`),
    }));
    this.#minutes = minutes;
    this.#times = instantsOf(minutes);
    this.#tracks = Array.from({ length: names.size }, () => new Track());
    for (const { visits, turns } of this.#stops) {
      for (const visit of visits) this.#tracks[visit]?.expect(HOUR);
      if (turns !== undefined) this.#tracks[turns]?.expect(2 * HOUR);
    }
    this.#openings = new Int32Array(names.size * HOUR);
    this.#at = [...byWaiting(this.#stops, names.size)];
    for (const place of minutes.keys()) this.#put(place, 1);
  }

  stops(): readonly number[] {
    return [...this.#at];
  }

  /** @returns by how much the cost has changed */
  swap(one: number, other: number): number {
    const rows = this.#sameSender(one) + this.#sameSender(other);
    let change = this.#put(one, -1) + this.#put(other, -1);
    const kept = this.#at[one] ?? 0;
    this.#at[one] = this.#at[other] ?? 0;
    this.#at[other] = kept;
    change += this.#put(one, 1) + this.#put(other, 1);
    return change + this.#sameSender(one) + this.#sameSender(other) - rows;
  }

  /** Adds or takes away the visits of the stop at a place. */
  #put(place: number, sign: 1 | -1): number {
    const stop = this.#stop(place);
    if (stop === undefined) return 0;
    const time = this.#times[place] ?? 0;
    const minute = this.#minutes[place] ?? 0;
    let change = 0;
    for (const visit of stop.visits) change += this.#tracks[visit]?.change(time, sign) ?? 0;
    if (stop.turns !== undefined)
      change += (this.#tracks[stop.turns]?.change(minute % 2 === 0 ? time : time + HOUR, sign) ?? 0) / 2;
    const at = stop.mailbox * HOUR + minute;
    const before = this.#openings[at] ?? 0;
    this.#openings[at] = before + sign;
    return change + sign * SAME_MAILBOX * Math.min(before, before + sign);
  }

  #sameSender(place: number): number {
    const count = this.#at.length;
    const sender = this.#stop(place)?.sender;
    const beside = [(place + 1) % count, (place + count - 1) % count];
    return beside.filter(next => this.#stop(next)?.sender === sender).length * SAME_SENDER;
  }

  #stop(place: number): Numbered | undefined {
    return this.#stops[this.#at[place] ?? -1];
  }
}

function instantsOf(minutes: readonly number[]): readonly number[] {
  return minutes.map((minute, place) => {
    const first = minutes.indexOf(minute);
    const after = minutes.lastIndexOf(minute) + 1;
    return minute + ((place - first) * ((minutes[after] ?? HOUR) - minute)) / (after - first);
  });
}

/** The instants of one component's visits, on a circle. */
class Track {
  readonly #times: number[] = [];
  #cycle = HOUR;
  #visits = 0;

  /** One more visit in so many minutes, to be put in its place later. */
  expect(cycle: number): void {
    this.#cycle = cycle;
    this.#visits += 1;
  }

  /** @returns by how much the cost of the pauses changes; a pause that is even costs 1 */
  change(time: number, sign: 1 | -1): number {
    const times = this.#times;
    let at = 0;
    for (let high = times.length; at < high; ) {
      const middle = (at + high) >> 1;
      if ((times[middle] ?? 0) < time) at = middle + 1;
      else high = middle;
    }
    if (sign < 0) times.splice(at, 1);
    const before = times[(at + times.length - 1) % times.length];
    const after = times[at % times.length];
    if (sign > 0) times.splice(at, 0, time);
    if (before === undefined || after === undefined) return 0;
    const from = this.#between(before, time);
    const to = this.#between(time, after);
    const without = from + to > 0 ? from + to : this.#cycle;
    return sign * (this.#cost(from) + this.#cost(to) - this.#cost(without));
  }

  #cost(pause: number): number {
    const uneven = (pause * this.#visits) / this.#cycle;
    return uneven ** 2;
  }

  #between(from: number, to: number): number {
    return from <= to ? to - from : to - from + this.#cycle;
  }
}

/** Numbers in [0, 1) that look like chance and are the same each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
