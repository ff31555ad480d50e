// A mailbox that cannot be opened or read through the MMP. The same words have several causes: a dead store behind a live proxy, a
// directory that is down, hangs or has lost the user, a wrong password, a proxy that sends people the wrong way. Pure.
//
// What tells them apart: the store asked past the MMP, each directory asked by itself, the other protocol, another user through the
// same MMP.

import { type Component, shortName } from '../model/component.ts';
import type { Knocked } from '../model/evidence.ts';
import type { Suspect } from '../model/verdict.ts';
import { type Case, isNo, said } from './case.ts';
import { selfOrWays, waysToDirectories } from './weigh-ways.ts';

export function weighLogin(it: Case): readonly Suspect[] {
  const { scene } = it;
  if (it.fault.component === scene.store) return weighStore(it);
  const proxy = proxyOf(it);
  return storeIsDown(it) ?? directoryIsBad(it, proxy) ?? namesAreBad(it) ?? accountIsBad(it) ?? weighProxy(it, proxy);
}

/** Behind a balancer the member is not known: the balancer stands for all of them. */
function proxyOf(it: Case): Component {
  const { mmpMembers } = it.scene;
  const bad = mmpMembers.filter(member => it.failed(member, undefined, it.fault.protocol) !== undefined);
  return bad.length === 1 && bad[0] !== undefined ? bad[0] : it.fault.component;
}

/** The store's own door does not open: the MMP only says so in its way. */
function storeIsDown(it: Case): readonly Suspect[] | undefined {
  const { store } = it.scene;
  const knock = it.failed(store, 'login', it.fault.protocol) ?? it.failed(store, 'login');
  if (knock === undefined || knock.fault === undefined) return undefined;
  // A log-in that is refused there too is a matter of the account or of a directory.
  if (knock.fault.phase === 'auth' && knock.fault.kind === 'rejected' && knock.fault.lasting !== 'transient') return undefined;
  const directory = knock.fault.phase === 'auth' ? it.badDirectories(store)[0] : undefined;
  if (directory !== undefined)
    return [it.convicted(directory, `${store} looks up its users there: ${knock.text}`, it.fault.text)];
  const self = it.convicted(knock, `${it.fault.component} cannot get past it: ${it.fault.text}`);
  return selfOrWays(it, self, knock.fault);
}

/** A directory that the MMP needs. All of them without an entry is the account's affair. */
function directoryIsBad(it: Case, proxy: Component): readonly Suspect[] | undefined {
  const behind = [...new Set([...it.directoriesOf(proxy), ...it.directoriesOf(it.fault.component)])];
  const bad = behind.flatMap(directory => it.failed(directory, 'entry') ?? it.failed(directory, 'bind') ?? []);
  if (bad.length === 0) return undefined;
  if (isAboutAccount(it, bad)) return undefined;
  return bad.map(knock =>
    it.convicted(knock, `${it.fault.component} looks up its users there: ${it.fault.text}`, storeIsFine(it)),
  );
}

/** Every directory that we can ask says the same of this account, and nothing is wrong with them otherwise. */
function isAboutAccount(it: Case, bad: readonly Knocked[]): boolean {
  const all = it.allDirectories();
  const aboutAccount = bad.every(isNo);
  const nobodyKnows = all.every(
    directory => it.failed(directory, 'entry') !== undefined || it.failed(directory, 'bind') !== undefined,
  );
  return (
    aboutAccount &&
    nobodyKnows &&
    !it.answered(it.scene.store, 'login') &&
    all.length > 0 &&
    (all.length > 1 || it.failed(it.scene.store, 'login') !== undefined)
  );
}

/** The MMP finds neither directory nor store by name. */
function namesAreBad(it: Case): readonly Suspect[] | undefined {
  const { fault, scene } = it;
  if (fault.kind === 'rejected' && fault.lasting === 'permanent') return undefined;
  const bad = it.badNameServers();
  if (bad.length > 0)
    return bad.map(knock => it.convicted(knock, `${fault.component} looks up the names of the others there: ${fault.text}`));
  const gone = it.nameGone(scene.store);
  // A server that refuses the question may never have been asked for this name by anybody else.
  if (gone?.fault?.kind !== 'missing') return undefined;
  return [
    it.suspect(scene.store, 'cannot tell apart', [said(gone), fault.text, storeIsFine(it)], {
      protocol: 'dns',
      phase: 'query',
      kind: 'missing',
    }),
    it.suspect(gone.component, 'cannot tell apart', [said(gone), it.otherNames(gone.component)], {
      protocol: 'dns',
      phase: 'query',
      kind: 'missing',
    }),
  ];
}

/** The password is refused where nobody stands between, at the store: it is wrong, unless a directory says that it is right. */
function accountIsBad(it: Case): readonly Suspect[] | undefined {
  const { store } = it.scene;
  const refused = it.failed(store, 'login');
  if (refused?.fault?.phase !== 'auth') return undefined;
  return accountOrStore(it, [
    `refused at ${it.fault.component}: ${it.fault.text}`,
    `and at ${store} itself: ${refused.text}`,
    ...it.badDirectories(store).map(said),
  ]);
}

/**
 * A store that refuses a log-in. Its directory takes the password: it is the store. Every directory refuses it, or has no such user: it is
 * the account. No directory can be asked: somebody else's log-in there would tell, and without one nobody can.
 */
function accountOrStore(it: Case, why: readonly string[]): readonly Suspect[] {
  const { store, account } = it.scene;
  const as = { phase: 'auth', kind: 'rejected' } as const;
  const asked = it.directoriesOf(store).length > 0 ? it.directoriesOf(store) : it.allDirectories();
  const takes = asked.flatMap(directory =>
    it.knocks(directory, 'bind').filter(({ outcome, about }) => outcome === 'answered' && about === shortName(account)),
  );
  const refuses = asked.flatMap(directory => it.failed(directory, 'entry') ?? it.failed(directory, 'bind') ?? []);
  const dead = refuses.filter(knock => !isNo(knock));
  // Servers say "wrong password" of a directory that does not answer, too.
  if (dead.length > 0) return dead.map(knock => it.convicted(knock, `${store} looks up its users there`, ...why));
  const first = takes[0];
  if (first !== undefined) {
    if (refuses.length > 0) return refuses.map(knock => it.convicted(knock, `while ${said(first)}`, ...why));
    return [it.suspect(store, it.directoriesOf(store).length > 0 ? 'sure' : 'likely', [...why, `while ${said(first)}`], as)];
  }
  if (refuses.length > 0) return [it.suspect(account, 'sure', why, as)];
  const other = otherUserAt(it, store);
  if (other === 'let in') return [it.suspect(account, 'sure', [...why, `somebody else's log-in is taken by ${store}`], as)];
  if (other === 'refused') return [it.suspect(store, 'likely', [...why, `somebody else's log-in is refused there as well`], as)];
  return [
    it.suspect(account, 'cannot tell apart', why, as),
    it.suspect(
      store,
      'cannot tell apart',
      [...why, 'no directory is configured that could say whether the password is right'],
      as,
    ),
  ];
}

/** Store and directories do their part: it is the MMP, or the way from it to the store. */
function weighProxy(it: Case, proxy: Component): readonly Suspect[] {
  const { scene, fault } = it;
  const why = [
    fault.text,
    storeIsFine(it),
    ...it.directoriesOf(proxy).flatMap(directory => it.knocks(directory, 'entry').slice(0, 1).map(said)),
  ];
  const unavailable = fault.lasting === 'transient' || fault.kind === 'timeout' || fault.kind === 'dropped';
  const storeKnown = it.answered(scene.store, 'login');
  const otherUser = otherUserAt(it, proxy);
  if (!unavailable) {
    if (storeKnown) return [it.suspect(proxy, 'sure', why)];
    return it.knocks(scene.store, 'login').length > 0
      ? [it.suspect(proxy, 'likely', why)]
      : [
          it.suspect(proxy, 'cannot tell apart', why),
          it.suspect(scene.account, 'cannot tell apart', [
            fault.text,
            'no door past the MMP is configured where the password could be tried',
          ]),
        ];
  }
  if (otherUser === 'refused') {
    const self = it.suspect(proxy, storeKnown ? 'sure' : 'likely', [...why, `another store's user is refused there as well`]);
    return selfOrWays(it, self, fault);
  }
  const link = `link/${shortName(proxy)}-${shortName(scene.store)}` as const;
  const otherwise = otherUser === 'let in' ? `another store's user gets through ${proxy}` : undefined;
  const suspects = [
    it.suspect(proxy, 'cannot tell apart', [...why, otherwise]),
    it.suspect(
      link,
      'cannot tell apart',
      [storeIsFine(it), otherwise, `only ${proxy} and the way from it to ${scene.store} are left`],
      { phase: 'connect' },
    ),
  ];
  if (otherUser === undefined) suspects.push(...waysToDirectories(it, proxy, fault));
  if (storeKnown) return suspects;
  return [
    ...suspects,
    it.suspect(scene.store, 'cannot tell apart', [
      fault.text,
      'no door past the MMP is configured where the store could be asked',
    ]),
  ];
}

/** The store itself, where no MMP stands before it. */
function weighStore(it: Case): readonly Suspect[] {
  const { store } = it.scene;
  const directory = it.badDirectories(store);
  if (it.fault.phase === 'auth' && directory.length > 0 && !isAboutAccount(it, directory))
    return directory.map(knock => it.convicted(knock, it.fault.text));
  if (it.fault.phase === 'auth' && it.fault.kind === 'rejected' && it.fault.lasting !== 'transient')
    return accountOrStore(it, [it.fault.text, ...directory.map(said)]);
  return selfOrWays(it, it.suspect(store, 'sure', [it.fault.text]), it.fault);
}

/** What became of somebody else's log-in at the same door, tried to tell suspects apart. */
function otherUserAt(it: Case, component: Component): 'let in' | 'refused' | undefined {
  const others = it
    .knocks(component, 'login')
    .filter(({ about, outcome }) => about !== shortName(it.scene.account) && outcome !== 'skipped');
  if (others.length === 0) return undefined;
  return others.some(({ outcome }) => outcome === 'answered') ? 'let in' : 'refused';
}

function storeIsFine(it: Case): string | undefined {
  const { store } = it.scene;
  return it.answered(store, 'login') ? `${store} itself lets the same user in` : undefined;
}
