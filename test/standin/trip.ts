// One trip by hand over a stand-in site: open the mailbox, submit, and see what became of the message in the machines themselves.

import type { Path } from '../../lib/model/trip.ts';
import type { StandinSite } from '../../lib/standin/site.ts';
import { type Ended, walk } from './walk.ts';

export interface Outcome {
  /** `select done`, `auth rejected` */
  readonly open: string;
  readonly openSaid: string;
  readonly submit: string;
  readonly submitSaid: string;
  /** `ims1 INBOX`, once per copy; empty when nothing arrived in time. */
  readonly arrived: readonly string[];
  /** Status and text of a bounce in the sender's box. */
  readonly bounce: string;
  /** `deferred: reason`, for each recipient still in the MTA's queue. */
  readonly queue: readonly string[];
}

let number = 0;

/** @param settled looked at again and again for up to 5 s, as long as it says no; then the outcome is given as it is */
export async function trip(
  standin: StandinSite,
  path: Path,
  settled: (outcome: Outcome) => boolean,
  limitMs = 5000,
): Promise<Outcome> {
  const { site } = standin;
  const account = site.accounts.get(path.account);
  if (account === undefined) throw new Error('no such account');
  const doors = site.mmps.get(path.mmp) ?? site.balancers.get(path.mmp)?.doors;
  const opened = await walk(path.mailbox === 'imap' ? doors?.imap : doors?.pop3, {
    login: account.login,
    limitMs,
    until: path.mailbox === 'imap' ? 'search' : 'list',
  });
  number += 1;
  const mark = `trip number ${number} of this test`;
  const submitted = await walk(site.mtas.get(path.mta)?.smtp ?? site.balancers.get(path.mta)?.doors.smtp, {
    to: account.address,
    limitMs,
    raw: `Message-ID: <${number}@me.test>\r\nSubject: ${mark}\r\n\r\nhello\r\n`,
  });
  const until = performance.now() + 5000;
  for (;;) {
    const outcome: Outcome = {
      open: inShort(opened),
      openSaid: opened.said,
      submit: inShort(submitted),
      submitSaid: submitted.said,
      arrived: copies(standin, path.account, mark),
      bounce: bounceOf(standin, mark),
      queue: (standin.mtas.get(path.mta)?.queue.messages ?? [])
        .filter(({ raw }) => raw.includes(mark))
        .map(({ queue, reason }) => (reason === undefined ? queue : `${queue}: ${reason}`)),
    };
    if (settled(outcome) || performance.now() > until) return outcome;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

function inShort({ phase, how }: Ended): string {
  return `${phase} ${how}`;
}

function copies(standin: StandinSite, user: string, mark: string): string[] {
  return [...standin.stores].flatMap(([name, store]) =>
    store
      .mailboxOf(user)
      .folders.flatMap(folder => folder.messages.filter(({ raw }) => raw.includes(mark)).map(() => `${name} ${folder.name}`)),
  );
}

function bounceOf(standin: StandinSite, mark: string): string {
  const { sender = '' } = standin.site;
  const store = standin.stores.get(standin.site.accounts.get(sender)?.store ?? '');
  const bounce = store?.mailbox(sender).messages.find(({ raw }) => raw.includes(mark));
  const text = bounce?.raw.toString('latin1') ?? '';
  return text === '' ? '' : `${/^Status: (.*)$/m.exec(text)?.[1]?.trim()} ${/^Diagnostic-Code: (.*)$/m.exec(text)?.[1]?.trim()}`;
}
