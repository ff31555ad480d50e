// The message came back changed, or twice. Whoever had it in hand can have done it: the MTA, its filters, the store. A message over
// another MTA tells which side. Pure.

import { shortName } from '../model/component.ts';
import type { Suspect } from '../model/verdict.ts';
import type { Case } from './case.ts';

export function weighContent(it: Case): readonly Suspect[] {
  const { scene } = it;
  const what = it.trip.findings.some(finding => finding.what === 'altered') ? 'altered' : 'duplicate';
  const account = shortName(scene.account);
  const other = it.evidence.siblings.filter(
    ({ path, outcome }) => path.account === account && path.mta !== shortName(scene.mta) && outcome === 'seen',
  );
  const clean = other.find(({ findings }) => !findings.includes(what));
  const same = other.find(({ findings, forThis }) => forThis && findings.includes(what));
  const tell = clean === undefined ? undefined : `a message to ${account} via ${clean.path.mta} came as it should`;
  const sameText = same === undefined ? undefined : `a message to ${account} via ${same.path.mta} came the same way`;
  const senders = [
    it.suspect(scene.mta, 'cannot tell apart', [it.fault.text, tell], { protocol: 'smtp' }),
    ...scene.filters.map(each =>
      it.suspect(each, 'cannot tell apart', [`${scene.mta} lets it change messages`, tell], { protocol: 'milter' }),
    ),
  ];
  const store = it.suspect(scene.store, 'cannot tell apart', [it.fault.text, sameText], { protocol: 'lmtp' });
  if (clean !== undefined)
    return senders.length === 1 && senders[0] !== undefined ? [{ ...senders[0], confidence: 'sure' }] : senders;
  if (same !== undefined) return [{ ...store, confidence: 'likely' }, ...senders];
  return [...senders, store];
}
