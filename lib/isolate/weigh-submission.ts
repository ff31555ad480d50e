// An MTA that opens its door and does not take the message. It may not want to; or it asks somebody who does not answer: its directory
// for the log-in and the recipient, its filter for everything. Pure.

import { shortName } from '../model/component.ts';
import type { Suspect } from '../model/verdict.ts';
import { type Case, isNo, said } from './case.ts';
import { selfOrWays, waysToDirectories } from './weigh-ways.ts';

export function weighSubmission(it: Case): readonly Suspect[] {
  const { fault, scene } = it;
  const mta =
    scene.mtaMembers.length > 0
      ? (scene.mtaMembers.find(member => it.failed(member) !== undefined) ?? fault.component)
      : fault.component;
  const directories = it.badDirectories(mta);
  const filters = it.badFilters();
  const filter = filters[0];

  if (fault.phase === 'auth') return weighAuth(it, mta);
  // A filter that is down shows at the first command that it is asked about.
  if (filter !== undefined && fault.kind !== 'missing')
    return filters.map(knock => it.convicted(knock, `${mta} asks it about every message: ${fault.text}`));
  if (directories.length > 0 && (fault.phase === 'mail' || fault.phase === 'rcpt')) {
    const everywhere = it.directoriesOf(mta).every(directory => it.failed(directory, 'entry') !== undefined);
    const nobodyKnows = everywhere && directories.every(({ fault: why }) => why?.phase === 'search') && storeRefusesToo(it);
    if (nobodyKnows) return [it.suspect(scene.account, 'sure', [fault.text, ...directories.map(said)])];
    return directories.map(knock => it.convicted(knock, `${mta} looks up senders and recipients there: ${fault.text}`));
  }
  const ways = waysToDirectories(it, mta, fault);
  if (ways.length > 0) return [it.suspect(mta, 'cannot tell apart', [fault.text, repeated(it, mta)]), ...ways];
  const afterContent = fault.phase === 'final' || fault.phase === 'body' || fault.phase === 'data';
  if (afterContent && scene.filters.length > 0) {
    const negotiates = scene.filters.flatMap(each => it.knocks(each).slice(0, 1).map(said));
    return [
      it.suspect(mta, 'cannot tell apart', [fault.text, 'the words do not say whether the MTA or its filter has decided']),
      ...scene.filters.map(each =>
        it.suspect(each, 'cannot tell apart', [`${mta} shows it every message`, ...negotiates], {
          protocol: 'milter',
          phase: 'final',
        }),
      ),
    ];
  }
  return [it.suspect(mta, 'sure', [fault.text, repeated(it, mta)])];
}

/**
 * 535 is a wrong password, or a backend in trouble that says so. What tells: the same user and password at a store and at directories,
 * where the MTA does not stand between.
 */
function weighAuth(it: Case, mta: Suspect['component']): readonly Suspect[] {
  const { fault, scene } = it;
  const who = scene.submitter;
  const elsewhere = it.evidence.knocks.filter(
    ({ about, question }) =>
      who !== undefined && about === shortName(who) && (question === 'login' || question === 'bind' || question === 'entry'),
  );
  const taken = elsewhere.find(({ question, outcome }) => outcome === 'answered' && question !== 'entry');
  const refused = elsewhere.filter(({ outcome, fault: why }) => outcome === 'failed' && why?.phase === 'auth');
  const behind = it.directoriesOf(mta);
  const noes = elsewhere.filter(({ outcome, component }) => outcome === 'failed' && behind.includes(component));
  const everybodyRefuses =
    taken === undefined && (refused.length > 0 || (behind.length > 0 && noes.length >= behind.length && noes.every(isNo)));
  if (fault.kind === 'rejected' && fault.lasting === 'permanent' && who !== undefined && everybodyRefuses && noes.every(isNo))
    return [it.suspect(who, 'sure', [fault.text, ...[...refused, ...noes].map(said)])];
  const broken = it.badDirectories(mta).filter(knock => !isNo(knock) || (taken !== undefined && noes.includes(knock)));
  if (broken.length > 0) return broken.map(knock => it.convicted(knock, `${mta} checks log-ins there: ${fault.text}`));
  const why =
    taken !== undefined
      ? `the same password is taken elsewhere: ${said(taken)}`
      : who === undefined
        ? 'no account of site.cfg has this user, so its password could not be tried elsewhere'
        : undefined;
  const self = it.suspect(mta, taken !== undefined || fault.kind !== 'rejected' ? 'sure' : 'likely', [fault.text, why]);
  return selfOrWays(it, self, fault);
}

function storeRefusesToo(it: Case): boolean {
  const lmtp = it.failed(it.scene.store, 'rcpt');
  const login = it.failed(it.scene.store, 'login');
  return lmtp?.fault?.phase === 'rcpt' || login?.fault?.phase === 'auth';
}

function repeated(it: Case, mta: Suspect['component']): string | undefined {
  const now = it.knocks(mta, 'rcpt').find(({ outcome }) => outcome !== 'skipped');
  if (now === undefined) return undefined;
  return now.outcome === 'answered'
    ? 'asked again a moment later, it takes the recipient'
    : `asked again a moment later: ${now.text}`;
}
