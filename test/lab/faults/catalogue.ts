// Every fault that the lab can put on: what it imitates, where, and what is true meanwhile. How each is done stands with the
// daemon it concerns (daemons/*), in packets.ts, in relays.ts or in reconcile.ts.

import { kindOf } from '../../../lib/model/component.ts';
import { LabError } from '../run.ts';
import type { Site } from '../site.ts';
import { DIRECTORY_FAULTS } from './catalogue-directory.ts';
import { DOOR_FAULTS } from './catalogue-doors.ts';
import { MAIL_FAULTS } from './catalogue-mail.ts';
import { type ActiveFault, type Place, placeText } from './place.ts';
import type { Truth } from './truth.ts';

export interface FaultKind {
  readonly name: string;
  /** One line: what happens at a real site. */
  readonly imitates: string;
  readonly places: (site: Site) => readonly Place[];
  readonly truth: (place: Place) => Truth;
  /** True when every door goes on answering: the fault lies behind. */
  readonly doorsOpen?: boolean;
  /** Seconds by which it delays, unless said otherwise. */
  readonly seconds?: number;
}

/** In the order of `lab faults`. */
export const FAULTS: readonly FaultKind[] = [...DOOR_FAULTS, ...DIRECTORY_FAULTS, ...MAIL_FAULTS];

/** @throws {LabError} with the names there are. */
export function faultKind(name: string): FaultKind {
  const found = FAULTS.find(each => each.name === name);
  if (found === undefined) throw new LabError(`No such fault: ${name}. There are: ${FAULTS.map(each => each.name).join(' ')}`);
  return found;
}

/**
 * Finds the place by its text; a name without its kind will do, and no text where there is only one place.
 *
 * @throws {LabError} with the places there are.
 */
export function activeFault(site: Site, name: string, text: string | undefined, seconds?: number): ActiveFault {
  const kind = faultKind(name);
  const places = kind.places(site);
  const found = places.filter(
    place => text === undefined || placeText(place) === text || placeText(place).split('/')[1] === text,
  );
  const [place] = found;
  if (place === undefined || found.length > 1) {
    const wanted = places.map(placeText).join(' ');
    throw new LabError(
      text === undefined ? `${name} needs a place, one of: ${wanted}` : `${name} cannot be put at ${text}; places: ${wanted}`,
    );
  }
  return { name, ...place, seconds: seconds ?? kind.seconds ?? 0 };
}

/** Whether the doors of a fault's place go on answering as if nothing were. */
export function leavesDoorsOpen(fault: ActiveFault): boolean {
  return faultKind(fault.name).doorsOpen === true || kindOf(fault.component) === 'account';
}
