// A failed trip with its evidence, and the questions that weighing puts to it. Pure.

import { type Component, kindOf, shortName } from '../model/component.ts';
import type { Fault, FaultKind, PhaseName } from '../model/dialog.ts';
import type { Protocol } from '../model/endpoint.ts';
import type { Evidence, Knocked, Question, Sibling } from '../model/evidence.ts';
import type { Trip } from '../model/trip.ts';
import type { Confidence, Suspect } from '../model/verdict.ts';

export class Case {
  readonly trip: Trip;
  readonly fault: Fault;
  readonly evidence: Evidence;

  constructor(trip: Trip, fault: Fault, evidence: Evidence) {
    this.trip = trip;
    this.fault = fault;
    this.evidence = evidence;
  }

  get scene(): Evidence['scene'] {
    return this.evidence.scene;
  }

  knocks(component: Component, question?: Question, protocol?: Protocol): readonly Knocked[] {
    return this.evidence.knocks.filter(
      each =>
        each.component === component &&
        (question === undefined || each.question === question) &&
        (protocol === undefined || each.protocol === protocol),
    );
  }

  /** Some knock of that kind was answered. */
  answered(component: Component, question?: Question, protocol?: Protocol): boolean {
    return this.knocks(component, question, protocol).some(({ outcome }) => outcome === 'answered');
  }

  /** The first knock of that kind that failed. */
  failed(component: Component, question?: Question, protocol?: Protocol): Knocked | undefined {
    return this.knocks(component, question, protocol).find(({ outcome }) => outcome === 'failed');
  }

  /** Directories behind a component that do not do their part, by their own doors. */
  badDirectories(component: Component): readonly Knocked[] {
    return this.directoriesOf(component).flatMap(
      directory => this.failed(directory, 'entry') ?? this.failed(directory, 'bind') ?? [],
    );
  }

  directoriesOf(component: Component): readonly Component[] {
    return (this.scene.needs[component] ?? []).filter(each => kindOf(each) === 'directory');
  }

  badFilters(): readonly Knocked[] {
    return this.scene.filters.flatMap(filter => this.failed(filter) ?? []);
  }

  /** Name servers that do not answer, or that know none of several names; one name that is gone convicts nobody. */
  badNameServers(): readonly Knocked[] {
    return this.scene.nameServers.flatMap(server => {
      const asked = this.knocks(server, 'name');
      const silent = asked.find(({ outcome, fault }) => outcome === 'failed' && fault?.kind !== 'missing');
      const lostAll = asked.length > 1 && asked.every(({ outcome }) => outcome === 'failed');
      return silent ?? (lostAll ? asked[0] : undefined) ?? [];
    });
  }

  /** A name server says that there is no name of this component. */
  nameGone(component: Component): Knocked | undefined {
    const name = shortName(component).toLowerCase();
    const ofIt = ({ about }: Knocked) => about.toLowerCase() === name || about.toLowerCase().startsWith(`${name}.`);
    return this.scene.nameServers
      .flatMap(server => this.knocks(server, 'name'))
      .find(knock => knock.outcome === 'failed' && knock.fault?.kind === 'missing' && ofIt(knock));
  }

  /** Other paths that led over all of these components, newest first. */
  siblingsOver(components: readonly Component[]): readonly Sibling[] {
    const over = ({ path }: Sibling) => {
      const on = new Set([path.account, path.mta, path.mmp]);
      return components.every(each => on.has(shortName(each)));
    };
    return [...this.evidence.siblings].filter(over).sort((a, b) => b.at - a.at);
  }

  suspect(
    component: Component,
    confidence: Confidence,
    why: readonly (string | undefined)[],
    as: {
      readonly protocol?: Protocol;
      readonly phase?: PhaseName;
      readonly kind?: FaultKind | 'slow';
      readonly against?: readonly string[];
    } = {},
  ): Suspect {
    const { fault } = this;
    return {
      component,
      protocol: as.protocol ?? fault.protocol,
      phase: as.phase ?? fault.phase,
      kind: as.kind ?? fault.kind,
      confidence,
      why: why.filter(each => each !== undefined),
      ...(as.against === undefined || as.against.length === 0 ? {} : { against: as.against }),
    };
  }

  /** A component that its own door convicts. */
  convicted(knock: Knocked, ...more: readonly (string | undefined)[]): Suspect {
    const { component, protocol, fault } = knock;
    return this.suspect(component, 'sure', [`its own door, asked directly: ${knock.text}`, ...more], {
      protocol,
      phase: fault?.phase ?? 'connect',
      kind: fault?.kind ?? 'missing',
    });
  }
}

/** What a knock says, with its component: `store/ims1 imap: logged in`. */
export function said({ component, protocol, text }: Knocked): string {
  return `${component} ${protocol}: ${text}`;
}
