// Is the message on the store itself, past the MMP? Looked for by the second client, in all folders.

import type { Terms } from '../dialog/line.ts';
import { findMessage } from '../dialog/look.ts';
import { readAboutByPop3 } from '../dialog/look-pop3.ts';
import type { StoreWord } from '../model/evidence.ts';
import type { Account, Site } from '../model/site.ts';

/** @param header name and text of a header that only our message has */
export async function lookOnStore(
  site: Site,
  account: Account,
  header: { readonly name: string; readonly text: string },
  terms: Terms,
): Promise<StoreWord> {
  const store = `store/${account.store}` as const;
  const doors = site.stores.get(account.store);
  if (doors?.imap !== undefined) {
    const looked = await findMessage({ ...doors.imap, login: account.login }, header, terms);
    if (looked.outcome !== 'answered') return cannotLook(store, looked.outcome === 'failed' ? looked.fault.text : 'told to stop');
    const place = looked.value[0];
    if (place === undefined) return { store, found: 'nowhere', text: 'the store itself does not have the message in any folder' };
    if (place.use === 'inbox') return { store, found: 'inbox', text: 'the store itself has the message in the inbox' };
    return { store, found: 'other folder', text: `the store itself has the message under ${place.folder}` };
  }
  if (doors?.pop3 !== undefined) {
    const looked = await readAboutByPop3({ ...doors.pop3, login: account.login }, header.text, terms);
    if (looked.outcome !== 'answered') return cannotLook(store, looked.outcome === 'failed' ? looked.fault.text : 'told to stop');
    return looked.value.length > 0
      ? { store, found: 'inbox', text: 'the store itself has the message in the inbox' }
      : { store, found: 'nowhere', text: 'the store itself does not have the message in its inbox (POP3 shows no other folder)' };
  }
  return cannotLook(store, 'site.cfg gives no door to look past the MMP');
}

function cannotLook(store: StoreWord['store'], why: string): StoreWord {
  return { store, found: 'cannot look', text: `the store could not be looked into: ${why}` };
}
