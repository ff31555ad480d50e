// The MTA took the message, and it is not where it should be. Who had it last? The queue says, or the store, or a bounce; where nobody
// says, everybody who has had it in hand is suspect and no one else. Pure.

import { type Component, shortName } from '../model/component.ts';
import type { Sibling } from '../model/evidence.ts';
import type { Suspect } from '../model/verdict.ts';
import { type Case, said } from './case.ts';

export function weighArrival(it: Case): readonly Suspect[] {
  switch (it.trip.arrival.outcome) {
    case 'bounced':
      return weighBounce(it);
    case 'junked':
      return [
        it.suspect(it.scene.store, 'likely', [it.fault.text, 'filing under a folder is done at delivery, on the store'], {
          protocol: 'lmtp',
          phase: 'arrival',
        }),
      ];
    default:
      return weighLost(it);
  }
}

function weighLost(it: Case): readonly Suspect[] {
  const { scene, evidence } = it;
  const { queue, onStore } = evidence;
  if (onStore?.found === 'inbox' && scene.mmp !== scene.store) {
    return [
      it.suspect(scene.mmp, 'sure', [onStore.text, `${scene.mmp} shows the user another mailbox, or an old view of it`], {
        protocol: it.trip.path.mailbox,
        phase: 'search',
        kind: 'missing',
      }),
    ];
  }
  if (queue !== undefined && queue.found !== 'gone' && queue.found !== 'unasked')
    return weighQueued(it, queue.found, queue.reason, queue.text);
  const lmtp = it.failed(scene.store, undefined, 'lmtp');
  if (lmtp !== undefined) return deliveryDoor(it, lmtp);
  return weighVanished(it);
}

/** It lies in the queue: the queue's own reason, checked at the door that it names. */
function weighQueued(
  it: Case,
  found: 'active' | 'incoming' | 'deferred' | 'hold',
  reason: string | undefined,
  text: string,
): readonly Suspect[] {
  const { scene } = it;
  const lmtp = it.failed(scene.store, undefined, 'lmtp');
  if (found === 'hold' || found === 'incoming') return [it.suspect(queueOwner(it), 'sure', [text], { phase: 'arrival' })];
  const ofName =
    reason !== undefined && /name service error|host (or domain name )?not found|name or service not known/i.test(reason);
  if (ofName) {
    const server = it.badNameServers();
    return server.length > 0
      ? server.map(knock => it.convicted(knock, text))
      : [it.suspect(queueOwner(it), 'likely', [text, 'its own look-up of names fails'], { phase: 'arrival' })];
  }
  if (lmtp !== undefined) return deliveryDoor(it, lmtp, text);
  const directory = it.badDirectories(scene.store)[0] ?? it.badDirectories(queueOwner(it))[0];
  const storeSaid = reason !== undefined && /said: [45]\d\d/.test(reason);
  if (storeSaid) {
    if (directory !== undefined && /temporary|internal error/i.test(reason)) return [it.convicted(directory, text)];
    return [
      it.suspect(scene.store, 'sure', [text, 'the store answers, and refuses the message'], {
        protocol: 'lmtp',
        phase: /end of data/i.test(reason) ? 'final' : /rcpt/i.test(reason) ? 'rcpt' : 'arrival',
        kind: 'rejected',
      }),
    ];
  }
  if (directory !== undefined) return [it.convicted(directory, text)];
  const cannotConnect =
    reason !== undefined && /connect to|connection (refused|timed out)|conversation with|lost connection|no route/i.test(reason);
  if (cannotConnect) {
    const link = linkOf(it);
    const door = it.answered(scene.store, undefined, 'lmtp') ? `${scene.store} opens its lmtp door to us` : undefined;
    const suspects = [
      it.suspect(link, 'cannot tell apart', [text, door], { protocol: 'lmtp', phase: 'connect', kind: 'refused-connection' }),
      it.suspect(queueOwner(it), 'cannot tell apart', [text, door, 'it may be sending to a wrong address'], {
        protocol: 'lmtp',
        phase: 'connect',
        kind: 'refused-connection',
      }),
    ];
    return door === undefined
      ? [
          it.suspect(scene.store, 'cannot tell apart', [text], {
            protocol: 'lmtp',
            phase: 'connect',
            kind: 'refused-connection',
          }),
          ...suspects,
        ]
      : suspects;
  }
  if (reason !== undefined) return [it.suspect(queueOwner(it), 'likely', [text], { phase: 'arrival' })];
  // Active, and nothing said: it is being delivered to somebody from whom nothing comes back, or not at all.
  const door = it.knocks(scene.store, undefined, 'lmtp').find(({ outcome }) => outcome === 'answered');
  const toStore: Parameters<Case['suspect']>[3] = { protocol: 'lmtp', phase: 'arrival', kind: 'timeout' };
  return [
    it.suspect(
      queueOwner(it),
      'cannot tell apart',
      [text, 'without a reason: it waits for an answer, or nothing moves its queue'],
      { phase: 'arrival' },
    ),
    it.suspect(linkOf(it), 'cannot tell apart', [text, door === undefined ? undefined : said(door)], toStore),
    ...(door !== undefined
      ? []
      : [it.suspect(scene.store, 'cannot tell apart', [text, 'no lmtp door is configured where it could be asked'], toStore)]),
  ];
}

/** The store's delivery door does not do its part when we knock ourselves. */
function deliveryDoor(it: Case, lmtp: NonNullable<ReturnType<Case['failed']>>, text?: string): readonly Suspect[] {
  const directory = lmtp.fault?.phase === 'rcpt' ? it.badDirectories(it.scene.store)[0] : undefined;
  if (directory !== undefined)
    return [it.convicted(directory, `${it.scene.store} looks up recipients there: ${lmtp.text}`, text)];
  return [it.convicted(lmtp, text ?? it.fault.text)];
}

/** It is in no queue, on no store, and nobody has sent it back. */
function weighVanished(it: Case): readonly Suspect[] {
  const { scene, evidence } = it;
  const mta = queueOwner(it);
  const why = [it.fault.text, evidence.queue?.text, evidence.onStore?.text];
  const filters = it.badFilters();
  if (filters.length > 0) return filters.map(knock => it.convicted(knock, ...why));
  const viaOther = arrivedBy(it, ({ path }) => path.account === shortName(scene.account) && path.mta !== shortName(scene.mta));
  const toOther = arrivedBy(it, ({ path }) => path.account !== shortName(scene.account) && path.mta === shortName(scene.mta));
  const lostByOther = missedBy(it, ({ path }) => path.account === shortName(scene.account) && path.mta !== shortName(scene.mta));
  const senders = [
    it.suspect(mta, 'cannot tell apart', [...why, viaOther], { phase: 'arrival' }),
    ...scene.filters.map(each =>
      it.suspect(each, 'cannot tell apart', [`${mta} shows it every message, and it may discard or quarantine`, viaOther], {
        protocol: 'milter',
        phase: 'final',
      }),
    ),
  ];
  const store = it.suspect(scene.store, 'cannot tell apart', [...why, toOther, lostByOther], {
    protocol: 'lmtp',
    phase: 'arrival',
  });
  if (viaOther !== undefined)
    return senders.length === 1 && senders[0] !== undefined ? [{ ...senders[0], confidence: 'sure' }] : senders;
  if (lostByOther !== undefined && toOther !== undefined) return [{ ...store, confidence: 'sure' }];
  if (toOther !== undefined || lostByOther !== undefined) return [{ ...store, confidence: 'likely' }, ...senders];
  return [...senders, store];
}

function weighBounce(it: Case): readonly Suspect[] {
  const { arrival } = it.trip;
  const { scene } = it;
  if (arrival.outcome !== 'bounced') return [];
  const { bounce } = arrival;
  const why = [it.fault.text];
  const remote = bounce.remoteMta ?? /host ([^\s[(]+)/.exec(bounce.diagnostic ?? '')?.[1];
  const ofUser = bounce.status.startsWith('5.1.');
  const here = remote !== undefined && sameHost(remote, shortName(scene.store));
  const bad = [...it.badDirectories(queueOwner(it)), ...it.badDirectories(scene.store)];
  const directory = bad[0];
  if (directory !== undefined && (ofUser || bounce.status.startsWith('4.'))) return [it.convicted(directory, ...why)];
  const name = /host (or domain name )?not found|name service error/i.test(bounce.diagnostic ?? '')
    ? it.badNameServers()[0]
    : undefined;
  if (name !== undefined) return [it.convicted(name, ...why)];
  const takes = it.knocks(scene.store, 'rcpt').find(({ outcome }) => outcome === 'answered');
  if (takes !== undefined)
    return [
      it.suspect(
        queueOwner(it),
        'sure',
        [...why, said(takes), here ? undefined : remote === undefined ? undefined : `it was tried at ${remote}`],
        { phase: 'arrival', kind: 'rejected' },
      ),
    ];
  const refuses = it.failed(scene.store, undefined, 'lmtp');
  if (refuses !== undefined) return [it.convicted(refuses, ...why)];
  if (here) return [it.suspect(scene.store, 'likely', why, { protocol: 'lmtp', phase: 'rcpt', kind: 'rejected' })];
  return [it.suspect(queueOwner(it), 'likely', why, { phase: 'arrival', kind: 'rejected' })];
}

/** The MTA that had the message; behind a balancer the first hop names it. */
function queueOwner(it: Case): Component {
  return it.evidence.queue?.mta ?? it.scene.mta;
}

function linkOf(it: Case): Component {
  return `link/${shortName(queueOwner(it))}-${shortName(it.scene.store)}`;
}

function arrivedBy(it: Case, over: (sibling: Sibling) => boolean): string | undefined {
  const found = it.evidence.siblings.find(each => over(each) && each.outcome === 'seen');
  return found === undefined
    ? undefined
    : `a message via ${found.path.mta} to ${found.path.account} did arrive${found.forThis ? ', sent to tell' : ''}`;
}

function missedBy(it: Case, over: (sibling: Sibling) => boolean): string | undefined {
  const found = it.evidence.siblings.find(
    each => over(each) && each.forThis && (each.outcome === 'lost' || each.outcome === 'unknown'),
  );
  return found === undefined
    ? undefined
    : `a message via ${found.path.mta} to ${found.path.account}, sent to tell, has not arrived either`;
}

function sameHost(host: string, name: string): boolean {
  return host.toLowerCase() === name.toLowerCase() || host.toLowerCase().startsWith(`${name.toLowerCase()}.`);
}
