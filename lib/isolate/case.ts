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

  /** Every directory that anybody along the path asks. */
  allDirectories(): readonly Component[] {
    return [...new Set(Object.values(this.scene.needs).flat())].filter(each => kindOf(each) === 'directory');
  }

  badFilters(): readonly Knocked[] {
    return this.scene.filters.flatMap(filter => this.failed(filter) ?? []);
  }

  /**
   * Name servers that do not answer, or have no answer to any of several names. One name that is gone or refused convicts nobody: it may
   * lie outside of what the server is there for.
   */
  badNameServers(): readonly Knocked[] {
    return this.scene.nameServers.flatMap(server => {
      const asked = this.knocks(server, 'name').filter(({ outcome }) => outcome !== 'skipped');
      const silent = asked.find(({ outcome, fault }) => outcome === 'failed' && !isWord(fault?.kind));
      const lostAll = asked.length > 1 && asked.every(({ outcome }) => outcome === 'failed');
      return silent ?? (lostAll ? asked[0] : undefined) ?? [];
    });
  }

  /** A name server's word that it has no name of this component: there is none, or it does not tell. */
  nameGone(component: Component): Knocked | undefined {
    return this.scene.nameServers
      .flatMap(server => this.knocks(server, 'name'))
      .find(
        ({ outcome, fault, bearers }) => outcome === 'failed' && isWord(fault?.kind) && bearers?.includes(component) === true,
      );
  }

  /** What else a name server knows, in words; undefined when it has answered nothing. */
  otherNames(server: Component): string | undefined {
    const known = this.knocks(server, 'name').filter(({ outcome }) => outcome === 'answered');
    if (known.length === 0) return undefined;
    return `it has ${known.length === 1 ? `the name ${known[0]?.about}` : `${known.length} other names of the site`}`;
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

/** A name server that answers, whatever it says. */
function isWord(kind: FaultKind | undefined): boolean {
  return kind === 'missing' || kind === 'rejected';
}

/** What a knock says, with its component: `store/ims1 imap: logged in`. */
export function said({ component, protocol, text }: Knocked): string {
  return `${component} ${protocol}: ${text}`;
}

/** A directory's own no to this account: no entry, or not this password. */
export function isNo({ fault }: Pick<Knocked, 'fault'>): boolean {
  return (fault?.phase === 'search' && fault.kind === 'missing') || (fault?.phase === 'bind' && fault.kind === 'rejected');
}
