// After a fault has been taken away: what the site's programs still believe of it is put right, and all is waited for: doors
// that answer, balancers that use their members again, queues that run empty.

import { connect } from 'node:net';
import { kindOf } from '../../lib/model/component.ts';
import { allDaemons } from './daemons/all.ts';
import { membersOf as balanced, statsSocket } from './daemons/haproxy.ts';
import { doorsToAnswer, shutDoors } from './doors.ts';
import type { ActiveFault, Faults } from './faults/place.ts';
import { isFrozen, type Processes } from './processes.ts';
import { flush } from './queue.ts';
import { LabError, until } from './run.ts';
import type { Door, Machine, Site } from './site.ts';

export interface Healing {
  readonly site: Site;
  readonly processes: Processes;
  /** Faults that were on before; absent: nothing was up. */
  readonly before?: Faults;
  /** Faults that stay. */
  readonly left: Faults;
}

/** @throws {LabError} naming what is still not healthy. */
export async function heal(healing: Healing): Promise<void> {
  const { site, before, left } = healing;
  const running = (component: Machine['component']) => isRunning(healing, component);
  const gone = before?.list.filter(fault => !left.list.includes(fault)) ?? [];
  const answered = before === undefined ? [] : doorsToAnswer(site, before);
  const wasSure = (door: Door, machine: Machine) => answered.some(each => each.machine === machine && each.door === door);
  const doors = doorsToAnswer(site, left)
    .filter(({ machine }) => running(machine.component))
    .filter(({ machine, door }) => !wasSure(door, machine) || gone.some(fault => fault.component === machine.component));
  let shut: readonly string[] = [];
  await until('the doors answer', 8000, async () => {
    shut = await shutDoors(site, doors, 1000);
    return shut.length === 0 ? true : undefined;
  }).catch(() => {
    throw new LabError(`The site is not healthy again: ${shut.join('; ')}`);
  });
  await Promise.all(
    site
      .of('balancer')
      .filter(each => running(each.component))
      .map(balancer => membersUp(healing, balancer)),
  );
  if (left.list.some(delaysMail) || (before !== undefined && !gone.some(delaysMail))) return;
  for (const mta of site.of('mta').filter(each => running(each.component))) {
    const waiting = await flush(site, healing.processes, mta.name, 6000);
    if (waiting > 0) throw new LabError(`The queue of ${mta.name} still holds ${waiting} message${waiting === 1 ? '' : 's'}`);
  }
}

/** Faults with which mail may honestly stay in a queue. */
function delaysMail(fault: ActiveFault): boolean {
  const kind = kindOf(fault.component);
  return kind !== 'mmp' && kind !== 'balancer';
}

/** Waits until a balancer counts each running member of its as up. */
async function membersUp(healing: Healing, balancer: Machine): Promise<void> {
  const { site, left } = healing;
  const open = doorsToAnswer(site, left);
  const wanted = balanced(site, balancer)
    .filter(member => isRunning(healing, member.component))
    .filter(member => member.doors.every(door => open.some(each => each.machine === member && each.door === door)))
    .filter(member => !left.list.some(fault => fault.component === `link/${balancer.name}-${member.name}`));
  await until(`${balancer.component} uses ${wanted.map(member => member.name).join(' and ')}`, 5000, async () => {
    const lines = (await askBalancer(statsSocket(site, balancer), 'show stat')).split('\n').map(line => line.split(','));
    const down = lines.filter(
      fields => wanted.some(member => member.name === fields[1]) && fields[17]?.startsWith('UP') !== true,
    );
    return down.length === 0 && lines.length > 2 ? true : undefined;
  });
}

function askBalancer(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => socket.end(`${command}\n`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

function isRunning({ site, processes }: Healing, component: Machine['component']): boolean {
  const daemons = allDaemons(site).filter(daemon => daemon.component === component);
  return daemons.every(daemon => {
    const started = processes.find(daemon.id);
    return started !== undefined && !isFrozen(started);
  });
}
