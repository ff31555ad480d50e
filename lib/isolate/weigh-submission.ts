// An MTA that opens its door and does not take the message. It may not want to; or it asks somebody who does not answer: its directory
// for the log-in and the recipient, its filter for everything. Pure.

import type { Suspect } from '../model/verdict.ts';
import { type Case, said } from './case.ts';

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

/** 535 is a wrong password, or a backend in trouble that says so. */
function weighAuth(it: Case, mta: Suspect['component']): readonly Suspect[] {
  const { fault, scene } = it;
  const directories = it.badDirectories(mta);
  const letIn = it.answered(scene.store, 'login') || it.answered(scene.mmp, 'login');
  const broken = directories.filter(({ fault: why }) => why?.phase !== 'bind' || letIn);
  if (broken.length > 0 && !everybodyRefuses(it))
    return broken.map(knock => it.convicted(knock, `${mta} checks log-ins there: ${fault.text}`));
  if (fault.kind === 'rejected' && fault.lasting === 'permanent' && everybodyRefuses(it)) {
    return [it.suspect(scene.account, 'sure', [fault.text, ...refusals(it)])];
  }
  const why = letIn ? `the account's password is taken elsewhere on the site` : undefined;
  return [it.suspect(mta, letIn || fault.kind !== 'rejected' ? 'sure' : 'likely', [fault.text, why])];
}

function everybodyRefuses(it: Case): boolean {
  return it.failed(it.scene.store, 'login')?.fault?.phase === 'auth' && !it.answered(it.scene.store, 'login');
}

function refusals(it: Case): readonly string[] {
  const knock = it.failed(it.scene.store, 'login');
  return knock === undefined ? [] : [said(knock)];
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
