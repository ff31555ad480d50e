// The list of all faults, and the one way to switch one on.

import type { Machinery } from '../machinery.ts';
import { ACCOUNT_FAULTS } from './accounts.ts';
import { DIALOG_FAULTS } from './dialogs.ts';
import { DOOR_FAULTS } from './doors.ts';
import type { BreakOptions, Fault, Place, Truth } from './faults.ts';
import { FILTER_FAULTS } from './filters.ts';
import { MAIL_FAULTS } from './mail.ts';
import { NETWORK_FAULTS } from './network.ts';

const FAULTS = { ...DOOR_FAULTS, ...DIALOG_FAULTS, ...ACCOUNT_FAULTS, ...FILTER_FAULTS, ...NETWORK_FAULTS, ...MAIL_FAULTS };

export type FaultName = keyof typeof FAULTS;

/** One fault as `drill --list` shows it. */
export interface FaultKind {
  readonly name: FaultName;
  /** What it imitates in the real world, one line. */
  readonly imitates: string;
  /** Where it can be put in this site. */
  readonly places: readonly Place[];
}

/** A fault that is in force. */
export interface Broken {
  readonly fault: FaultName;
  readonly place: Place;
  readonly truth: Truth;
  /** Resolves when everything is as it was. Harmless when called twice. */
  mend(): Promise<void>;
}

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

export function faultKinds(machinery: Machinery): FaultKind[] {
  return Object.entries(FAULTS).flatMap(([name, { imitates, places }]) => {
    const here = places(machinery);
    return isFaultName(name) && here.length > 0 ? [{ name, imitates, places: here }] : [];
  });
}

export function truthOf(machinery: Machinery, name: FaultName, place: Place, options: BreakOptions): Truth {
  return find(machinery, name, place).truth(machinery, place, options);
}

export async function breakIt(machinery: Machinery, name: FaultName, place: Place, options: BreakOptions): Promise<Broken> {
  const fault = find(machinery, name, place);
  const truth = fault.truth(machinery, place, options);
  const imposed = await fault.impose(machinery, place, options);
  return { fault: name, place, truth, mend: () => imposed.lift() };
}

function find(machinery: Machinery, name: FaultName, place: Place): Fault {
  const fault: Fault = FAULTS[name];
  const places = fault.places(machinery);
  if (!places.includes(place))
    throw new Error(
      `Cannot break ${place} by '${name}': it can occur at ${places.length === 0 ? 'no place of this site' : places.join(', ')}`,
    );
  return fault;
}
