// The message is not in the inbox at the limit: is it in another folder, or has a bounce come for it?

import type { Terms } from '../dialog/line.ts';
import type { Place } from '../dialog/look.ts';
import type { DialogRecord } from '../model/dialog.ts';
import type { Route } from '../model/site.ts';
import type { Bounce, SentMessage } from '../model/trip.ts';
import { parseBounce } from './bounce.ts';
import { recordOf } from './box.ts';
import { TOKEN_HEADER } from './token.ts';

export interface Elsewhere {
  readonly dialogs: readonly DialogRecord[];
  readonly place?: Place;
  readonly bounce?: Bounce;
}

/** imapflow and node-pop3 are compiled when a message has stayed away for seconds; most runs never need them. */
export function loadSecondClients() {
  return Promise.all([import('../dialog/look.ts'), import('../dialog/look-pop3.ts')]);
}

/**
 * Asks the first IMAP door that answers for every folder with the message in it, and the sender's own box for a bounce. What cannot
 * be asked is left out: the caller knows only what was found.
 */
export async function lookElsewhere(route: Route, message: SentMessage, startedAt: number, terms: Terms): Promise<Elsewhere> {
  const [folders, bounce] = await Promise.all([
    lookInFolders(route, message, terms),
    readBounce(route, message, startedAt, terms),
  ]);
  return { dialogs: [...folders.dialogs, ...bounce.dialogs], ...folders.found, ...bounce.found };
}

/** A bounce in the sender's box, where that is another than the one watched. */
export async function readBounce(
  route: Route,
  message: SentMessage,
  startedAt: number,
  terms: Terms,
): Promise<{ dialogs: readonly DialogRecord[]; found: { bounce?: Bounce } }> {
  const { imap, pop3 } = route.sender;
  if (imap === undefined && pop3 === undefined) return { dialogs: [], found: {} };
  const id = message.messageId;
  const [{ readAbout }, { readAboutByPop3 }] = await loadSecondClients();
  const read =
    imap !== undefined
      ? await readAbout(imap, id, startedAt, terms)
      : pop3 !== undefined
        ? await readAboutByPop3(pop3, id, terms)
        : undefined;
  if (read?.outcome !== 'answered') return { dialogs: read === undefined ? [] : [recordOf(read)], found: {} };
  const bounce = read.value.map(raw => parseBounce(raw, id)).find(each => each !== undefined);
  return { dialogs: [recordOf(read)], found: bounce === undefined ? {} : { bounce } };
}

async function lookInFolders(
  route: Route,
  message: SentMessage,
  terms: Terms,
): Promise<{ dialogs: readonly DialogRecord[]; found: { place?: Place } }> {
  const dialogs: DialogRecord[] = [];
  const [{ findMessage }] = await loadSecondClients();
  for (const door of route.lookAt) {
    const looked = await findMessage(door, { name: TOKEN_HEADER, text: message.id }, terms);
    dialogs.push(recordOf(looked));
    if (looked.outcome !== 'answered') continue;
    const place = looked.value[0];
    return { dialogs, found: place === undefined ? {} : { place } };
  }
  return { dialogs, found: {} };
}
