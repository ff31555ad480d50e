// Where a fault sits, and the list of those that are on. `mta/ssmtp01`, `mmp/smux01:pop3`, `link/smux01-ims1`, `account/ims1`.

import type { Component } from '../../../lib/model/component.ts';
import type { Protocol } from '../../../lib/model/endpoint.ts';

export interface Place {
  readonly component: Component;
  /** Only this protocol of it; absent: all. */
  readonly protocol?: Protocol;
}

export interface ActiveFault extends Place {
  readonly name: string;
  /** How late, for faults that delay. */
  readonly seconds: number;
}

export function placeText(place: Place): string {
  return place.protocol === undefined ? place.component : `${place.component}:${place.protocol}`;
}

export function faultText(fault: ActiveFault): string {
  return `${fault.name} ${placeText(fault)}`;
}

/** Which faults are on; every daemon's configuration is a function of this list. */
export class Faults {
  readonly list: readonly ActiveFault[];

  constructor(list: readonly ActiveFault[] = []) {
    this.list = list;
  }

  /** True when that fault is on at that component, for that protocol where one is given. */
  on(name: string, component: Component, protocol?: Protocol): boolean {
    return this.at(name, component, protocol) !== undefined;
  }

  at(name: string, component: Component, protocol?: Protocol): ActiveFault | undefined {
    return this.list.find(
      fault =>
        fault.name === name &&
        fault.component === component &&
        (fault.protocol === undefined || protocol === undefined || fault.protocol === protocol),
    );
  }

  /** All faults of these names, wherever they are. */
  named(...names: readonly string[]): readonly ActiveFault[] {
    return this.list.filter(fault => names.includes(fault.name));
  }

  with(fault: ActiveFault): Faults {
    return new Faults([...this.without(fault).list, fault]);
  }

  without(fault: Place & { readonly name: string }): Faults {
    return new Faults(this.list.filter(other => faultText(other) !== `${fault.name} ${placeText(fault)}`));
  }
}
