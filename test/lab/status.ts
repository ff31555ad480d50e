// A machine of the lab as it is now: what it is, and which of its daemons live.

import type { Component } from '../../lib/model/component.ts';
import { daemonsOf } from './daemons/all.ts';
import { isAlive, isFrozen, membersOf, type Processes } from './processes.ts';
import type { Machine } from './site.ts';

/** One machine as it is now. */
export interface ComponentStatus {
  readonly component: Component;
  readonly host: string;
  readonly address: string;
  readonly ports: readonly number[];
  readonly daemons: readonly {
    readonly id: string;
    readonly program: string;
    readonly pid?: number;
    readonly state: 'running' | 'frozen' | 'stopped';
  }[];
}

export function statusOf(machine: Machine, processes: Processes): ComponentStatus {
  const list = processes.list();
  return {
    component: machine.component,
    host: machine.host,
    address: machine.address,
    ports: machine.doors.map(door => door.port),
    daemons: daemonsOf(machine).map(({ id, program }) => {
      const started = list.find(each => each.id === id);
      // A daemon may be gone while its children live on.
      if (started === undefined || (!isAlive(started) && membersOf(started).length === 0))
        return { id, program, state: 'stopped' };
      return { id, program, pid: started.pid, state: isFrozen(started) ? 'frozen' : 'running' };
    }),
  };
}
