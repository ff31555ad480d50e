// What can be broken in a stand-in site, where, and what is then true. The list itself stands in the files beside; here is what
// one entry is, and what a product that isolates the fault should say.

import type { Component } from '../../model/component.ts';
import type { PhaseName } from '../../model/dialog.ts';
import type { Protocol } from '../../model/endpoint.ts';
import type { Arrival, Finding, Path } from '../../model/trip.ts';
import type { State } from '../../model/verdict.ts';
import type { Machinery } from '../machinery.ts';
import type { Act, Imposed } from '../network/conditions.ts';

/** A component, or one of its doors: `mmp/smux01`, `mmp/smux01 pop3`. */
export type Place = Component | `${Component} ${Protocol}`;

/** Each fault reads the ones it knows; all have defaults. */
export interface BreakOptions {
  /** For waits: how long. */
  readonly ms?: number;
  /** For refusals: only the first so many. */
  readonly times?: number;
  /** For `at-phase`: where, and what is done there. */
  readonly phase?: PhaseName;
  readonly act?: Act;
  /** After the command has been carried out. */
  readonly after?: boolean;
  /** For refusals: the very words. */
  readonly reply?: string;
}

/** What a right answer is. Of each list one is enough; an empty list asks for nothing. */
export interface Truth {
  /** One of these may be named, or several of them as not to be told apart; no other. */
  readonly components: readonly Component[];
  readonly protocols: readonly Protocol[];
  readonly phases: readonly PhaseName[];
  readonly states: readonly State[];
  readonly arrivals: readonly Arrival['outcome'][];
  /** Told besides, where the message came all the same. */
  readonly finding?: Finding['what'];
  /** A trip that meets the fault. */
  readonly path: Path;
}

export interface Fault {
  /** One line: what it is in the real world. */
  readonly imitates: string;
  /** Where it can occur in this site. */
  readonly places: (machinery: Machinery) => readonly Place[];
  readonly truth: (machinery: Machinery, place: Place, options: BreakOptions) => Truth;
  /** Resolves when it is in force. */
  readonly impose: (machinery: Machinery, place: Place, options: BreakOptions) => Promise<Imposed>;
}

/** A truth without those parts that do not matter. */
export function truthAt(
  path: Path,
  told: Pick<Truth, 'components' | 'protocols' | 'phases' | 'states'> & Partial<Pick<Truth, 'arrivals' | 'finding'>>,
): Truth {
  return { arrivals: [], ...told, path };
}

export function componentOf(place: Place): Component {
  return splitPlace(place).component;
}

export function splitPlace(place: Place): { component: Component; protocol: Protocol | undefined } {
  const blank = place.indexOf(' ');
  // a Place is nothing else than one or two such words
  if (blank < 0) return { component: place as Component, protocol: undefined };
  return { component: place.slice(0, blank) as Component, protocol: place.slice(blank + 1) as Protocol };
}

/** Several switches as one. */
export function together(switches: readonly Imposed[]): Imposed {
  return {
    lift: async () => {
      await Promise.all(switches.map(each => each.lift()));
    },
  };
}

/** A switch made of turning something on now and off later; off happens once. */
export function toggled(on: () => void, off: () => void): Imposed {
  let isOn = true;
  on();
  return {
    lift: async () => {
      if (isOn) off();
      isOn = false;
    },
  };
}
