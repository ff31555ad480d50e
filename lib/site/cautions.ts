// What in a site.cfg is allowed and still worth a warning: passwords that travel in clear, ports that do not fit, components that
// nothing can reach.

import type { Protocol, Security } from '../model/endpoint.ts';
import type { Place, Reporter } from './problem.ts';
import { parseDirectoryUrl } from './site-forms.ts';
import type { SiteContents } from './site-table.ts';
import type { Entry, Fields } from './table/field.ts';

/** Ports that say by themselves how the connection begins (RFC 8314 section 3, and custom). */
const USUAL: Readonly<Record<number, { readonly begins: 'tls' | 'clear'; readonly word: string }>> = {
  25: { begins: 'clear', word: 'SMTP' },
  587: { begins: 'clear', word: 'submission' },
  465: { begins: 'tls', word: 'submission over TLS' },
  110: { begins: 'clear', word: 'POP3' },
  995: { begins: 'tls', word: 'POP3 over TLS' },
  143: { begins: 'clear', word: 'IMAP' },
  993: { begins: 'tls', word: 'IMAP over TLS' },
};

interface DoorCheck {
  readonly entry: Entry<Fields>;
  /** `'pop3' in [mmp.smux01]`. */
  readonly what: string;
  readonly place: Place;
  readonly protocol: Protocol;
  readonly port: number | undefined;
  readonly security: Security | undefined;
  readonly hasLogin: boolean;
}

/** @param at now, epoch ms: maintenance that is over is told. */
export function checkCautions(contents: SiteContents, at: number, report: Reporter): void {
  for (const door of doorsOf(contents)) checkDoor(door, contents, report);
  checkDirectories(contents, report);
  checkReachable(contents, report);
  for (const { draft, place, label } of contents.maintenance) {
    if (draft.until !== undefined && draft.until < at) {
      report.warning(
        place,
        `${label} of ${draft.component ?? 'a component'} was over on ${new Date(draft.until).toISOString()}`,
        'it can be taken out',
      );
    }
  }
}

function checkDoor({ entry, what, place, port, security, hasLogin }: DoorCheck, contents: SiteContents, report: Reporter): void {
  if (security === undefined) return;
  if (security === 'plain' && hasLogin) report.warning(place, `${what}: the password travels unencrypted (security = "plain")`);
  if (security !== 'plain' && hasLogin && !isVerified(entry, contents)) {
    report.warning(
      place,
      `${what}: the certificate is not verified (tls_verify = false), so the password goes to whoever answers`,
      'for certificates of your own: ca_file',
    );
  }
  const usual = port === undefined ? undefined : USUAL[port];
  if (usual === undefined || (usual.begins === 'tls') === (security === 'tls')) return;
  const begins = usual.begins === 'tls' ? 'TLS from the first byte' : 'in clear';
  report.warning(
    place,
    `${what}: port ${port} is usually ${usual.word}, which begins ${usual.begins === 'tls' ? `with ${begins}` : begins}, and security is "${security}"`,
  );
}

function doorsOf(contents: SiteContents): DoorCheck[] {
  const checks: DoorCheck[] = [];
  for (const entry of contents.mta) {
    const { port, security } = entry.draft;
    const place = entry.written.get('security') ?? entry.written.get('port') ?? entry.place;
    checks.push({ entry, what: entry.label, place, protocol: 'smtp', port, security, hasLogin: entry.written.has('user') });
  }
  const add = (
    entry: Entry<Fields>,
    protocol: Protocol,
    door: { port?: number | undefined; security: Security } | undefined,
    hasLogin: boolean,
  ): void => {
    const place = entry.written.get(protocol) ?? entry.place;
    if (door !== undefined)
      checks.push({
        entry,
        what: `'${protocol}' in ${entry.label}`,
        place,
        protocol,
        port: door.port,
        security: door.security,
        hasLogin,
      });
  };
  for (const entry of contents.balancer) add(entry, 'smtp', entry.draft.smtp, entry.written.has('user'));
  for (const entry of contents.store) add(entry, 'lmtp', entry.draft.lmtp, false);
  for (const entry of [...contents.mmp, ...contents.balancer, ...contents.store]) {
    add(entry, 'pop3', entry.draft.pop3, true);
    add(entry, 'imap', entry.draft.imap, true);
  }
  return checks;
}

/** As far as can be told: a value that is wrong counts as safe, since it has been told already. */
function isVerified(entry: Entry<Fields>, contents: SiteContents): boolean {
  const own = entry.draft.tls_verify;
  return entry.written.has('tls_verify') ? own !== false : contents.site[0]?.draft.tls_verify !== false;
}

function checkDirectories(contents: SiteContents, report: Reporter): void {
  for (const entry of contents.directory) {
    const { url, starttls } = entry.draft;
    const parsed = url === undefined ? undefined : parseDirectoryUrl(url);
    if (parsed === undefined || !entry.written.has('bind_dn')) continue;
    const place = entry.written.get('starttls') ?? entry.written.get('url') ?? entry.place;
    if (!parsed.isTls && starttls === false)
      report.warning(place, `${entry.label}: the password travels unencrypted (ldap:// with starttls = false)`);
    else if (!isVerified(entry, contents)) {
      report.warning(
        place,
        `${entry.label}: the certificate is not verified (tls_verify = false), so the password goes to whoever answers`,
        'for certificates of your own: ca_file',
      );
    }
  }
}

/** Where nothing can be sent or read, no sequence helps. */
function checkReachable(contents: SiteContents, report: Reporter): void {
  const top = contents.site[0]?.place ?? { line: 1, column: 1 };
  if (contents.mta.length === 0 && !contents.balancer.some(({ written }) => written.has('smtp'))) {
    report.warning(top, 'no [mta.NAME]: there is nowhere to hand in a test message');
  }
  const accounts = [...contents.store.filter(({ written }) => written.has('address')), ...contents.account];
  if (accounts.length === 0) report.warning(top, 'no test account: expected an address in a [store.NAME], or an [account.NAME]');
  const readers = [...contents.mmp, ...contents.balancer].filter(({ written }) => written.has('pop3') || written.has('imap'));
  if (readers.length > 0 || contents.mmp.length > 0) return;
  for (const { name, label, place, draft } of accounts) {
    const home = 'store' in draft && typeof draft.store === 'string' ? draft.store : name;
    const store = contents.store.find(one => one.name === home);
    if (store === undefined || store.written.has('pop3') || store.written.has('imap')) continue;
    report.warning(
      place,
      `account ${name} (${label}) cannot be read: there is no [mmp.NAME], and ${store.label} has neither a pop3 nor an imap door`,
    );
  }
}
