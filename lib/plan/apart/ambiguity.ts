// Which components could not be told apart after a failure, and what would change that. Pure.
//
// On each kind of path every fault of faults.ts is supposed, and whom isolation would name is taken from isolation itself. Where
// that is not the truth, or not the truth alone, the additions of remedies.ts are tried, one and then two at a time.

import { type Component, kindOf, shortName } from '../../model/component.ts';
import type { Sequence } from '../../model/sequence.ts';
import type { Site } from '../../model/site.ts';
import { type Change, entryOver } from '../change.ts';
import { allPaths } from '../due.ts';
import { settled } from '../inventory.ts';
import { likeOf, slotsOf } from './alike.ts';
import { SYMPTOMS, type Symptom } from './faults.ts';
import { doorRemedies, machineRemedies, type Remedy } from './remedies.ts';
import { type Supposition, suspectsIf, type World, worldOf } from './suppose.ts';

export interface Ambiguity {
  /** What an operator sees. */
  readonly symptom: string;
  /** Where a person would look besides. */
  readonly beyond: string;
  /** Who may be behind it, on one path or several that share them; the members of a case cannot be told apart from each other. */
  readonly cases: readonly (readonly Component[])[];
  /** A directory or name server that site.cfg does not name may be behind it too. */
  readonly unnamed: boolean;
  /** What would tell them apart, or some of them; empty when nothing in site.cfg or sequence.cfg would. */
  readonly changes: readonly Change[];
  /** With these changes the truth is named in every case that is supposed here. */
  readonly solves: boolean;
}

/** In the order of the symptoms; what is the same on several paths is told once. */
export function ambiguitiesOf(site: Site, sequence: Sequence): readonly Ambiguity[] {
  const gathered = new Map<string, Gathered>();
  const worlds = allPaths(settled(site, sequence)).flatMap(path => worldOf(site, path) ?? []);
  const kinds = new Map<string, World[]>();
  for (const world of worlds) kinds.set(likeOf(world), [...(kinds.get(likeOf(world)) ?? []), world]);
  for (const symptom of SYMPTOMS) {
    for (const alike of kinds.values()) {
      const first = alike[0];
      if (first === undefined) continue;
      for (const question of questionsOf(first, symptom)) {
        const { remedies, solves } = remedyFor(first, symptom, question);
        for (const world of alike) gather(gathered, { symptom, question, remedies, solves, first, world });
      }
    }
  }
  return [...gathered.values()].map(({ cases, changes, ...rest }) => ({
    ...rest,
    cases: [...cases.values()],
    changes: [...changes.values(), ...straightToMembers(site, sequence, [...cases.values()].flat())],
  }));
}

/** Suppositions that leave the same suspects. */
interface Question {
  readonly ids: ReadonlySet<string>;
  /** Suspects and truth; undefined stands for what site.cfg does not name. */
  readonly suspects: ReadonlySet<Component | undefined>;
}

function questionsOf(world: World, symptom: Symptom): readonly Question[] {
  const questions = new Map<string, { ids: Set<string>; suspects: Set<Component | undefined> }>();
  for (const supposed of symptom.suppositions(world)) {
    const { isOpen, suspects } = outcomeOf(world, supposed);
    if (!isOpen) continue;
    const key = [...suspects].map(String).sort().join();
    const known = questions.get(key) ?? { ids: new Set(), suspects };
    known.ids.add(supposed.id);
    questions.set(key, known);
  }
  return [...questions.values()];
}

/** It is open unless the truth comes first, and not as one of several that cannot be told apart. */
function outcomeOf(
  world: World,
  supposed: Supposition,
): { readonly isOpen: boolean; readonly isSuspected: boolean; readonly suspects: Set<Component | undefined> } {
  const named = suspectsIf(world, supposed);
  const first = named[0];
  const components = named.map(({ component }) => component);
  return {
    isOpen: first?.component !== supposed.truth || first?.confidence === 'cannot tell apart',
    isSuspected: supposed.truth !== undefined && components.includes(supposed.truth),
    suspects: new Set([...components, supposed.truth]),
  };
}

/** What a blameless component under suspicion costs, against a guilty one that is not. */
const UNSUSPECTED = 5;

/** How far the truth is from being known; 0 when it is. */
function doubt(world: World, symptom: Symptom, { ids }: Question): number {
  return symptom
    .suppositions(world)
    .filter(({ id }) => ids.has(id))
    .map(supposed => outcomeOf(world, supposed))
    .reduce((sum, { isOpen, isSuspected, suspects }) => sum + (isOpen ? suspects.size + (isSuspected ? 0 : UNSUSPECTED) : 0), 0);
}

/** The additions that help most: up to two doors, and one more machine where these leave a doubt that it takes away. */
function remedyFor(
  world: World,
  symptom: Symptom,
  question: Question,
): { readonly remedies: readonly string[]; readonly solves: boolean } {
  let best: Attempt = { world, remedies: [], doubt: doubt(world, symptom, question) };
  const attempt = (from: Attempt, remedies: readonly Remedy[]): readonly Attempt[] =>
    remedies.flatMap(({ site, id }) => {
      const after = worldOf(site, world.route.path);
      if (after === undefined) return [];
      const tried = { world: after, remedies: [...from.remedies, id], doubt: doubt(after, symptom, question) };
      if (tried.doubt < best.doubt) best = tried;
      return [tried];
    });
  const singles = attempt(best, doorRemedies(world));
  if (best.doubt > 0) for (const single of singles) attempt(single, doorRemedies(single.world));
  if (best.doubt > 0) attempt(best, machineRemedies(best.world));
  return { remedies: best.remedies, solves: best.doubt === 0 };
}

interface Attempt {
  readonly world: World;
  readonly remedies: readonly string[];
  readonly doubt: number;
}

interface Gathered {
  readonly symptom: string;
  readonly beyond: string;
  readonly unnamed: boolean;
  readonly solves: boolean;
  readonly cases: Map<string, readonly Component[]>;
  readonly changes: Map<string, Change>;
}

/** Takes what was found on the first of some paths that are alike over to another of them. */
function gather(
  gathered: Map<string, Gathered>,
  {
    symptom,
    question,
    remedies,
    solves,
    first,
    world,
  }: {
    readonly symptom: Symptom;
    readonly question: Question;
    readonly remedies: readonly string[];
    readonly solves: boolean;
    readonly first: World;
    readonly world: World;
  },
): void {
  const suspected = [...slotsOf(first)].filter(([, component]) => question.suspects.has(component));
  const places = suspected.map(([place]) => place);
  const unnamed = question.suspects.has(undefined);
  // A balancer stands in the place of an MTA, and is told by itself.
  const kinds = suspected.map(([, component]) => kindOf(component));
  const key = JSON.stringify([symptom.text, places, kinds, unnamed, remedies]);
  const known: Gathered = gathered.get(key) ?? {
    symptom: symptom.text,
    beyond: symptom.beyond,
    unnamed,
    solves,
    cases: new Map(),
    changes: new Map(),
  };
  gathered.set(key, known);
  const here = slotsOf(world);
  // What holds for one member of a balancer holds for each.
  const members = { 'mta member 0': world.scene.mtaMembers, 'mmp member 0': world.scene.mmpMembers };
  const suspects = places.flatMap(place => (isMember(place) ? members[place] : (here.get(place) ?? [])));
  known.cases.set(suspects.join(), suspects);
  let site = world;
  for (const id of remedies) {
    const remedy = [...doorRemedies(site), ...machineRemedies(site)].find(each => each.id === id);
    if (remedy === undefined) return;
    for (const change of remedy.changes) known.changes.set(JSON.stringify(change), change);
    site = worldOf(remedy.site, world.route.path) ?? site;
  }
}

function isMember(place: string): place is 'mta member 0' | 'mmp member 0' {
  return place === 'mta member 0' || place === 'mmp member 0';
}

/** Members that hide behind a balancer show when a path leads straight to them. */
function straightToMembers(site: Site, sequence: Sequence, all: readonly Component[]): readonly Change[] {
  const suspects = [...new Set(all)];
  if (!suspects.some(component => kindOf(component) === 'balancer')) return [];
  const entries = suspects.flatMap(component => {
    const name = shortName(component);
    if (kindOf(component) === 'mta' && !sequence.some(({ mta }) => mta === name))
      return entryOver(site, sequence, { mta: name }) ?? [];
    if (kindOf(component) === 'mmp' && !sequence.some(({ mmp }) => mmp === name))
      return entryOver(site, sequence, { mmp: name }) ?? [];
    return [];
  });
  return entries.length === 0 ? [] : [{ file: 'sequence.cfg', entries }];
}
