// One file for each way to get a config wrong, and the exact words that its writer will read. A file in bad/ takes the place of
// its namesake in good/; its name says what is wrong with it.

import { readdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadSite } from '../../lib/site/load.ts';
import { formatProblems } from '../../lib/site/problem.ts';
import { temporaryFolder } from './folder.ts';

const HERE = import.meta.dirname;
const AT = Date.UTC(2026, 10, 22);

const TOLD: Readonly<Record<string, readonly string[]>> = {
  'sequence-account-misspelt.cfg': ["sequence.cfg:1: error: unknown account 'imsl' after -u: did you mean 'ims1'?"],
  'sequence-control-characters.cfg': [
    "sequence.cfg:1: error: expected the name of an account after -u: found 'im\\x1b[31ms1'",
    "    a name has letters, digits, '.', '_' and '-', at most 63, the first a letter or digit",
  ],
  'sequence-direct-without-door.cfg': [
    'sequence.cfg:1: error: the entry can never run: -p direct means the doors of store/ims1, which has neither pop3 nor imap',
    '    add one to [store.ims1], or name an MMP',
  ],
  'sequence-empty.cfg': [
    'sequence.cfg:1: warning: there is no entry: nothing is ever tested',
    '    healthmon config describe sequence.cfg prints one to begin with',
  ],
  'sequence-latin1.cfg': [
    'sequence.cfg:2: error: expected UTF-8 outside of remarks: found bytes in another encoding',
    '    if it is Latin-1: iconv -f latin1 -t utf-8',
  ],
  'sequence-minute-60.cfg': [
    "sequence.cfg:1: error: expected a minute from 00 to 59: found '60'",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-minute-as-cron.cfg': [
    "sequence.cfg:1: error: expected a minute from 00 to 59: found '*/5'",
    "    cron's lists and steps are not read here: write a line for each minute",
  ],
  'sequence-minute-never.cfg': [
    'sequence.cfg:1: error: the entry can never run: minute 07 is not a multiple of the interval, 5 minutes',
    '    write 05 or 10, or change interval in [site]',
  ],
  'sequence-minute-one-digit.cfg': ['sequence.cfg:1: warning: the minute has two digits: found 5', '    write 05'],
  'sequence-minute-three-digits.cfg': [
    "sequence.cfg:1: error: expected a minute from 00 to 59: found '005'",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-minute-twice-same-path.cfg': [
    'sequence.cfg:2: error: minute 00 has the same path twice: it is in line 1 already',
    '    take one of the two lines out',
  ],
  'sequence-minute-twice.cfg': [
    'sequence.cfg:2: warning: minute 00 is in line 1 already: the two run at the same time; both read the mailbox of ims1, and POP3 servers let in one at a time',
    '    if that is not meant, give one of them another minute',
  ],
  'sequence-minute-word.cfg': [
    "sequence.cfg:1: error: expected a minute from 00 to 59: found 'xx'",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-missing-option.cfg': [
    'sequence.cfg:1: error: the entry has no -s <mta>',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-missing-options.cfg': [
    'sequence.cfg:1: error: the entry has no -u <account>, -s <mta>, -p <mmp>',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-missing-value.cfg': [
    'sequence.cfg:1: error: expected an account after -u: found -s',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
    'sequence.cfg:1: error: expected an MMP after -p: found the end of the line',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-mmp-as-mta.cfg': [
    'sequence.cfg:1: error: expected an MTA after -s: found mmp/smux01',
    '    known MTAs: ssmtp01',
    'sequence.cfg:1: error: expected an MMP after -p: found mta/ssmtp01',
    '    known MMPs: smux01',
  ],
  'sequence-mta-unknown.cfg': ["sequence.cfg:1: error: unknown MTA 'zzz' after -s", '    known MTAs: ssmtp01'],
  'sequence-name-not-plain.cfg': [
    "sequence.cfg:1: error: expected the name of an account after -u: found '$(id)'",
    "    a name has letters, digits, '.', '_' and '-', at most 63, the first a letter or digit",
  ],
  'sequence-no-action.cfg': [
    'sequence.cfg:1: error: expected DMSG after the minute',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-no-break-space.cfg': [
    "sequence.cfg:1: error: expected blanks and tabs between words: found 'ims1\\u{a0}-s'",
    '    a no-break space or the like, as copied text has: type it again',
  ],
  'sequence-option-before-action.cfg': [
    'sequence.cfg:1: error: expected DMSG after the minute',
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-option-glued.cfg': [
    "sequence.cfg:1: error: unknown word '-uims1': did you mean '-u ims1'?",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-option-twice.cfg': ["sequence.cfg:1: error: option -u stands twice in one line: 'ims1' and 'ims2'"],
  'sequence-option-unknown.cfg': [
    "sequence.cfg:1: error: unknown word '-x'",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-option-upper-case.cfg': [
    "sequence.cfg:1: error: unknown word '-U': did you mean '-u'?",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'sequence-protocol-unknown.cfg': ["sequence.cfg:1: error: expected pop3 or imap after -m: found 'imp': did you mean 'imap'?"],
  'sequence-unknown-word.cfg': ["sequence.cfg:1: error: unknown word 'DMGS': did you mean 'DMSG'?"],
  'sequence-utf16.cfg': ['sequence.cfg:1: error: expected UTF-8: found UTF-16', '    save it as UTF-8: iconv -f utf-16 -t utf-8'],
  'sequence-word-too-many.cfg': [
    "sequence.cfg:1: error: unknown word 'smux02'",
    '    a line reads: <minute> DMSG -u <account> -s <mta> -p <mmp> [-m pop3|imap]',
  ],
  'site-account-on-unknown-store.cfg': [
    'site.cfg:18: warning: no entry of sequence.cfg uses account/a: a fault of it goes unnoticed',
    '    add an entry with -u a',
    "site.cfg:19: error: 'store' in [account.a] names unknown store 'isn1'",
    '    known stores: ims1',
  ],
  'site-account-twice.cfg': [
    'site.cfg:18: error: [account.ims1] is a second account of this name: [store.ims1] (line 13) has one already',
    '    rename one, or leave the address out of the store',
  ],
  'site-account-without-password.cfg': [
    'site.cfg:18: error: [account.a] has a mailbox and no password: expected one of password_file, password_env, password_credential, password_command',
    '    add a line such as: password_file = "secrets/a"',
    'site.cfg:18: warning: no entry of sequence.cfg uses account/a: a fault of it goes unnoticed',
    '    add an entry with -u a',
  ],
  'site-account-without-route.cfg': [
    'site.cfg:7: warning: account ims1 ([store.ims1]) cannot be read: there is no [mmp.NAME], and [store.ims1] has neither a pop3 nor an imap door',
    "sequence.cfg:1: error: unknown MMP 'smux01' after -p",
    '    there are no MMPs in site.cfg',
  ],
  'site-address-without-domain.cfg': [
    `site.cfg:15: error: 'address' in [store.ims1] must be a mail address such as "ims1@example.com": found "ims1"`,
  ],
  'site-auth-without-user.cfg': ["site.cfg:7: error: 'auth' in [mta.ssmtp01] has no use without 'user'"],
  'site-balancer-named-as-mta.cfg': [
    'site.cfg:18: error: [balancer.ssmtp01] and [mta.ssmtp01] (line 5) have one name: "-s ssmtp01" in sequence.cfg could mean either',
    '    rename one of them',
  ],
  'site-balancer-user-without-smtp.cfg': ["site.cfg:20: error: 'user' in [balancer.b] has no use without 'smtp'"],
  'site-balancer-without-door.cfg': [
    'site.cfg:18: error: [balancer.b] has no door: expected at least one of smtp, pop3, imap',
    '    add a line such as: imap = { security = "starttls" }',
  ],
  'site-bind-in-clear.cfg': [
    'site.cfg:20: warning: [directory.ldap1]: the password travels unencrypted (ldap:// with starttls = false)',
  ],
  'site-bind-without-password.cfg': [
    'site.cfg:18: error: [directory.ldap1] has a bind_dn and no password: expected one of password_file, password_env, password_credential, password_command',
    '    add a line such as: password_file = "secrets/ldap1"',
  ],
  'site-ca-file-missing.cfg': ['site.cfg:4: error: cannot use ca_file nowhere.pem: no such file'],
  'site-date-as-text.cfg': [
    `site.cfg:20: error: 'from' in [[maintenance]] number 1 must be a date with a time and without quotes, as in 2026-11-22T22:00:00+01:00: found "2026-11-22"`,
    "site.cfg:21: error: 'until' in [[maintenance]] number 1 must be a date with a time and without quotes, as in 2026-11-22T22:00:00+01:00: found 2026-11-23",
  ],
  'site-domain-is-address.cfg': [
    `site.cfg:3: error: 'domain' in [site] must be a domain such as "example.com": found "192.0.2.1"`,
  ],
  'site-empty.cfg': [
    'site.cfg:1: error: section [site] is missing',
    'site.cfg:1: warning: no [mta.NAME]: there is nowhere to hand in a test message',
    'site.cfg:1: warning: no test account: expected an address in a [store.NAME], or an [account.NAME]',
    "sequence.cfg:1: error: unknown account 'ims1' after -u",
    '    there are no accounts in site.cfg',
    "sequence.cfg:1: error: unknown MTA 'ssmtp01' after -s",
    '    there are no MTAs in site.cfg',
    "sequence.cfg:1: error: unknown MMP 'smux01' after -p",
    '    there are no MMPs in site.cfg',
  ],
  'site-helo-blank.cfg': [
    `site.cfg:4: error: 'helo' in [site] must be a domain name, or an address in brackets (RFC 5321 section 4.1.3): found "a b"`,
  ],
  'site-host-as-url.cfg': [
    `site.cfg:6: error: 'host' in [mta.ssmtp01] must be the name or address of a machine, without a port: found "smtp://ssmtp01"`,
    '    write the name only, without a protocol before it',
  ],
  'site-host-ipv6-in-brackets.cfg': [
    `site.cfg:6: error: 'host' in [mta.ssmtp01] must be the name or address of a machine, without a port: found "[2001:db8::1]"`,
    '    an IPv6 address stands here without brackets',
  ],
  'site-host-mistyped-address.cfg': [
    `site.cfg:6: error: 'host' in [mta.ssmtp01] must be the name or address of a machine, without a port: found "192.0.2.300"`,
  ],
  'site-host-with-port.cfg': [
    `site.cfg:6: error: 'host' in [mta.ssmtp01] must be the name or address of a machine, without a port: found "ssmtp01.example.com:25"`,
    '    the port is a key of its own',
  ],
  'site-host-with-umlaut.cfg': [
    `site.cfg:6: error: 'host' in [mta.ssmtp01] must be the name or address of a machine, without a port: found "müller.example.com"`,
    '    write a name with letters beyond ASCII in its "xn--" form',
  ],
  'site-interval-not-of-the-hour.cfg': [
    "site.cfg:4: error: 'interval' in [site] must be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60: found 7",
  ],
  'site-ip-as-number.cfg': [`site.cfg:4: error: 'ip' in [site] must be "4" or "6": found 4`],
  'site-key-before-sections.cfg': [
    "site.cfg:1: error: key 'domain' stands before the first section",
    "    'domain' belongs in [site]",
  ],
  'site-key-of-another-section.cfg': ["site.cfg:17: error: unknown key 'sender' in [store.ims1]: 'sender' belongs in [site]"],
  'site-latin1.cfg': [
    'site.cfg:2: error: expected UTF-8: found bytes in another encoding',
    '    if it is Latin-1: iconv -f latin1 -t utf-8',
  ],
  'site-ldap-filter-unbalanced.cfg': [
    `site.cfg:21: error: 'filter' in [directory.ldap1] must be an LDAP filter in brackets, such as "(mail=%s)": found "(&(mail=%s)(x=1)"`,
  ],
  'site-ldap-filter-without-account.cfg': [
    "site.cfg:21: warning: 'filter' in [directory.ldap1] has neither %s nor %u: the same entry is looked for whatever account is tested",
  ],
  'site-limit-zero.cfg': ["site.cfg:4: error: 'deliver' in [site] must be a whole number from 1 to 3600 (seconds): found 0"],
  'site-limits-too-long.cfg': [
    'sequence.cfg:1: warning: a slow run can take 3660 seconds (submit + deliver + fetch) and the next entry, at minute 00, is due after 3600: it would be skipped',
    '    lower these limits in [site], or put the entries further apart',
  ],
  'site-list-as-text.cfg': [
    `site.cfg:7: error: 'needs' in [mta.ssmtp01] must be a list of components such as "directory/ldap1": found "directory/ldap1"`,
    '    a list stands in brackets, with commas between its items: ["first", "second"]',
  ],
  'site-list-of-numbers.cfg': [
    `site.cfg:7: error: item 1 of 'needs' in [mta.ssmtp01] must be a component such as "directory/ldap1": found 1`,
    `site.cfg:7: error: item 3 of 'needs' in [mta.ssmtp01] must be a component such as "directory/ldap1": found 2`,
  ],
  'site-listed-as-section.cfg': [
    "site.cfg:18: error: section 'maintenance' must be written as [[maintenance]]: found [maintenance]",
  ],
  'site-maintenance-backwards.cfg': ["site.cfg:21: error: 'until' in [[maintenance]] number 1 must be later than 'from'"],
  'site-maintenance-over.cfg': [
    'site.cfg:18: warning: [[maintenance]] number 1 of mta/ssmtp01 was over on 2020-11-23T00:00:00.000Z',
    '    it can be taken out',
  ],
  'site-maintenance-unknown.cfg': [
    "site.cfg:19: error: 'component' in [[maintenance]] number 1 names unknown component 'mta/ssmtp1': did you mean 'mta/ssmtp01'?",
  ],
  'site-many.cfg': [
    "site.cfg:4: error: unknown key 'sumbit' in [site]: did you mean 'submit'?",
    "site.cfg:5: error: 'interval' in [site] must be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60: found 7",
    `site.cfg:9: error: 'port' in [mta.ssmtp01] must be a whole number from 1 to 65535: found "25"`,
    `site.cfg:10: error: 'security' in [mta.ssmtp01] must be "starttls", "tls" or "plain": found "ssl"`,
    "site.cfg:11: error: 'needs' in [mta.ssmtp01] names unknown component 'directory/ldap1'",
    '    known components: mta/ssmtp01, mmp/smux01, store/ims1, account/ims1',
    "site.cfg:15: error: 'port' of 'imap' in [mmp.smux01] must be a whole number from 1 to 65535: found 0",
    `site.cfg:19: error: 'address' in [store.ims1] must be a mail address such as "ims1@example.com": found "ims1"`,
    "site.cfg:20: error: a password must not stand in this file: found 'password' in [store.ims1]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
    'site.cfg:22: error: unknown section [acount]: did you mean [account.NAME]?',
  ],
  'site-may-alter-unknown.cfg': [
    `site.cfg:4: error: item 2 of 'may_alter' in [site] must be "subject", "header" or "body": found "bodies"`,
  ],
  'site-member-without-door.cfg': ['site.cfg:19: warning: [balancer.b] has the door imap, and its member mmp/smux01 has not'],
  'site-members-of-wrong-kind.cfg': [
    "site.cfg:20: error: 'members' in [balancer.b] names mmp/smux01: expected one of kind mta",
    "site.cfg:20: error: 'members' in [balancer.b] names unknown component 'mta/ssmtp02': did you mean 'mta/ssmtp01'?",
  ],
  'site-missing-keys.cfg': [
    "site.cfg:1: error: [site] has no 'name': expected a text in double quotes",
    '    add a line such as: name = "Example Mail"',
    `site.cfg:1: error: [site] has no 'domain': expected a domain such as "example.com"`,
    '    add a line such as: domain = "example.com"',
  ],
  'site-mmp-named-direct.cfg': [
    `site.cfg:18: error: [mmp.direct] cannot have this name: "-p direct" in sequence.cfg means the store's own doors`,
    'site.cfg:18: warning: no entry of sequence.cfg uses mmp/direct: a fault of it goes unnoticed',
    '    add an entry with -p direct',
  ],
  'site-mmp-without-door.cfg': [
    'site.cfg:8: error: [mmp.smux01] has no door: expected at least one of pop3, imap',
    '    add a line such as: imap = { security = "starttls" }',
  ],
  'site-name-in-parts.cfg': [
    'site.cfg:18: error: [dns.ns1.example.com] is a name in several parts: expected [dns.NAME]',
    '    a name with dots stands in quotes: [dns."ns1.example.com"]',
  ],
  'site-name-not-plain.cfg': [
    `site.cfg:18: error: the name in [dns."ns 1"] must be letters, digits, '.', '_' and '-', at most 63, the first a letter or digit`,
  ],
  'site-name-server-by-name.cfg': [
    `site.cfg:19: error: 'address' in [dns.ns1] must be an IPv4 or IPv6 address: found "ns1.example.com"`,
  ],
  'site-named-as-list.cfg': ["site.cfg:18: error: section 'filter' must be written as [filter.NAME]: found [[filter]]"],
  'site-named-without-name.cfg': [
    "site.cfg:19: error: 'address' stands in [dns], which needs a name: expected [dns.NAME]",
    '    write [dns.NAME] above it, with a name of your choice',
  ],
  'site-needs-misspelt.cfg': [
    "site.cfg:7: error: 'needs' in [mta.ssmtp01] names unknown component 'directory/ldpa1': did you mean 'directory/ldap1'?",
  ],
  'site-needs-ring.cfg': [
    "site.cfg:18: error: 'needs' go round in a ring: mta/ssmtp01 needs mmp/smux01 needs store/ims1 needs mta/ssmtp01",
  ],
  'site-needs-unknown.cfg': [
    "site.cfg:7: error: 'needs' in [mta.ssmtp01] names unknown component 'directory/zzz'",
    '    known components: mta/ssmtp01, mmp/smux01, store/ims1, account/ims1',
  ],
  'site-needs-without-kind.cfg': [
    "site.cfg:7: error: 'needs' in [mta.ssmtp01] names unknown component 'ldap1': did you mean 'directory/ldap1'?",
  ],
  'site-nothing-to-do.cfg': [
    'site.cfg:1: warning: no [mta.NAME]: there is nowhere to hand in a test message',
    'site.cfg:1: warning: no test account: expected an address in a [store.NAME], or an [account.NAME]',
    "sequence.cfg:1: error: unknown account 'ims1' after -u",
    '    there are no accounts in site.cfg',
    "sequence.cfg:1: error: unknown MTA 'ssmtp01' after -s",
    '    there are no MTAs in site.cfg',
    "sequence.cfg:1: error: unknown MMP 'smux01' after -p",
    '    there are no MMPs in site.cfg',
  ],
  'site-number-as-text.cfg': [`site.cfg:7: error: 'port' in [mta.ssmtp01] must be a whole number from 1 to 65535: found "25"`],
  'site-number-out-of-range.cfg': [
    "site.cfg:7: error: 'port' in [mta.ssmtp01] must be a whole number from 1 to 65535: found 70000",
  ],
  'site-number-with-fraction.cfg': [
    "site.cfg:4: error: 'submit' in [site] must be a whole number from 1 to 3600 (seconds): found 30.5",
  ],
  'site-once-as-list.cfg': ["site.cfg:1: error: section 'site' must be written once, as [site]: found [[site]]"],
  'site-password-without-user.cfg': ["site.cfg:7: error: 'password_file' in [mta.ssmtp01] has no use without a user"],
  'site-plain-key.cfg': [
    "site.cfg:4: error: a key must not stand in this file: found 'key' in [site]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file in [site]: key_file = "site.key"',
  ],
  'site-plain-password-in-command-key.cfg': [
    "site.cfg:16: error: 'password_command' in [store.ims1] must be a list of a program and its arguments, run without a shell: found a text (not shown)",
    '    a list stands in brackets, with commas between its items: ["first", "second"]',
  ],
  'site-plain-password-in-door.cfg': [
    "site.cfg:10: error: a password must not stand in this file: found 'password' in 'pop3' in [mmp.smux01]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
  ],
  'site-plain-password-in-env-key.cfg': [
    "site.cfg:16: error: 'password_env' in [store.ims1] must be the name of an environment variable: found a text (not shown)",
    '    the variable holds the password; its name stands here',
  ],
  'site-plain-password-in-url.cfg': [
    `site.cfg:19: error: 'url' in [directory.ldap1] must be "ldap://HOST:PORT" or "ldaps://HOST:PORT": found a text (not shown)`,
    '    name and password do not stand in the URL: use bind_dn and password_file',
  ],
  'site-plain-password-variants.cfg': [
    "site.cfg:8: error: a password must not stand in this file: found 'passwd' in [mta.ssmtp01]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
    "site.cfg:9: error: a password must not stand in this file: found 'pass' in [mta.ssmtp01]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
    "site.cfg:10: error: a password must not stand in this file: found 'Secret' in [mta.ssmtp01]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
    "site.cfg:11: error: a password must not stand in this file: found 'smtp_password' in [mta.ssmtp01]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
  ],
  'site-plain-password.cfg': [
    "site.cfg:16: error: a password must not stand in this file: found 'password' in [store.ims1]",
    '    write it into a file of its own that only you can read (chmod 600), and name that file here: password_file = "secrets/NAME"',
  ],
  'site-plain-with-login.cfg': [
    `site.cfg:10: warning: 'pop3' in [mmp.smux01]: the password travels unencrypted (security = "plain")`,
  ],
  'site-port-does-not-fit.cfg': [
    `site.cfg:10: warning: 'pop3' in [mmp.smux01]: port 995 is usually POP3 over TLS, which begins with TLS from the first byte, and security is "starttls"`,
    `site.cfg:11: warning: 'imap' in [mmp.smux01]: port 143 is usually IMAP, which begins in clear, and security is "tls"`,
  ],
  'site-sender-unknown.cfg': ["site.cfg:4: error: 'sender' in [site] names unknown account 'bounce'", '    known accounts: ims1'],
  'site-socket-as-postfix.cfg': [
    `site.cfg:19: error: 'socket' in [filter.dkim] must be "inet:PORT@HOST" or "unix:/PATH": found "inet:localhost:8891"`,
    '    this is how Postfix writes it; here it is "inet:8891@localhost"',
  ],
  'site-starttls-with-ldaps.cfg': [
    "site.cfg:20: error: 'starttls' in [directory.ldap1] contradicts its ldaps:// URL",
    '    leave starttls out, or write ldap://',
  ],
  'site-store-login-without-address.cfg': [
    "site.cfg:15: error: 'user' in [store.ims1] has no use without 'address'",
    "site.cfg:16: error: 'password_file' in [store.ims1] has no use without 'address'",
  ],
  'site-syntax-duplicate-key.cfg': ["site.cfg:7: error: 'host' is defined a second time", '    keep one of the two'],
  'site-syntax-duplicate-section.cfg': ['site.cfg:18: error: [mta.ssmtp01] is defined a second time', '    keep one of the two'],
  'site-syntax-missing-value.cfg': ['site.cfg:7: error: cannot read as TOML: expected a value after "=" on the same line'],
  'site-syntax-unquoted.cfg': [
    'site.cfg:7: error: cannot read as TOML: unexpected character',
    '    a text stands in double quotes, as in host = "mail.example.com"',
  ],
  'site-syntax-unterminated.cfg': [
    'site.cfg:7: error: cannot read as TOML: the text is not closed',
    '    it ends on the same line, with the quote that it began with',
  ],
  'site-table-as-number.cfg': [
    "site.cfg:10: error: 'pop3' in [mmp.smux01] must be a table with port, security, auth: found 110",
    '    it stands in braces, as in { port = ... }',
  ],
  'site-text-empty.cfg': ["site.cfg:2: error: 'name' in [site] must be a text in double quotes: found an empty text"],
  'site-text-with-control.cfg': [
    `site.cfg:2: error: 'name' in [site] must be a text in double quotes: found "Te\\x0ast\\x1b[31m"`,
    '    line ends and control characters are not taken',
  ],
  'site-truth-as-text.cfg': [`site.cfg:4: error: 'tls_verify' in [site] must be true or false: found "no"`],
  'site-two-keys.cfg': [
    'site.cfg:5: error: [site] must have one source of the signing key: found key_file, key_env',
    '    keep one of them',
  ],
  'site-two-password-sources.cfg': [
    'site.cfg:17: error: [store.ims1] must have one source of the password: found password_file, password_env',
    '    keep one of them',
  ],
  'site-unknown-key-far.cfg': [
    "site.cfg:7: error: unknown key 'colour' in [mta.ssmtp01]",
    '    known here: host, port, security, servername, ip, tls_verify, ca_file, user, password_file, password_env, password_credential, password_command, auth, queue, needs',
  ],
  'site-unknown-key-in-door.cfg': ["site.cfg:10: error: unknown key 'prot' in 'pop3' in [mmp.smux01]: did you mean 'port'?"],
  'site-unknown-key.cfg': ["site.cfg:7: error: unknown key 'prot' in [mta.ssmtp01]: did you mean 'port'?"],
  'site-unknown-section-far.cfg': [
    'site.cfg:18: error: unknown section [webserver]',
    '    known sections: [site], [mta.NAME], [mmp.NAME], [store.NAME], [account.NAME], [balancer.NAME], [directory.NAME], [filter.NAME], [dns.NAME], [[maintenance]]',
  ],
  'site-unknown-section.cfg': ['site.cfg:18: error: unknown section [dsn]: did you mean [dns.NAME]?'],
  'site-unused-components.cfg': [
    'site.cfg:18: warning: no entry of sequence.cfg uses mta/ssmtp02: a fault of it goes unnoticed',
    '    add an entry with -s ssmtp02',
    'site.cfg:20: warning: no entry of sequence.cfg uses mmp/smux02: a fault of it goes unnoticed',
    '    add an entry with -p smux02',
    'site.cfg:23: warning: no entry of sequence.cfg uses store/ims2: a fault of it goes unnoticed',
    '    add an entry whose -u is an account on it',
    'site.cfg:27: warning: no entry of sequence.cfg uses account/spare: a fault of it goes unnoticed',
    '    add an entry with -u spare',
  ],
  'site-unverified-with-login.cfg': [
    "site.cfg:11: warning: 'pop3' in [mmp.smux01]: the certificate is not verified (tls_verify = false), so the password goes to whoever answers",
    '    for certificates of your own: ca_file',
    "site.cfg:12: warning: 'imap' in [mmp.smux01]: the certificate is not verified (tls_verify = false), so the password goes to whoever answers",
    '    for certificates of your own: ca_file',
  ],
  'site-url-with-base.cfg': [
    `site.cfg:19: error: 'url' in [directory.ldap1] must be "ldap://HOST:PORT" or "ldaps://HOST:PORT": found a text (not shown)`,
    '    the search base is a key of its own: base = "dc=example,dc=com"',
  ],
  'site-used-by-misspelt.cfg': [
    "site.cfg:20: error: 'used_by' in [filter.dkim] names unknown MTA 'ssmpt01': did you mean 'ssmtp01'?",
    "site.cfg:20: error: 'used_by' in [filter.dkim] names unknown MTA 'mta/ssmtp01': did you mean 'ssmtp01'?",
  ],
  'site-user-without-password.cfg': [
    'site.cfg:5: error: [mta.ssmtp01] has a user and no password: expected one of password_file, password_env, password_credential, password_command',
    '    add a line such as: password_file = "secrets/ssmtp01"',
  ],
  'site-utf16.cfg': ['site.cfg:1: error: expected UTF-8: found UTF-16', '    save it as UTF-8: iconv -f utf-16 -t utf-8'],
  'site-word-misspelt.cfg': [
    `site.cfg:7: error: 'security' in [mta.ssmtp01] must be "starttls", "tls" or "plain": found "startls": did you mean 'starttls'?`,
  ],
};

test('every file in bad/ has its words here', () => {
  expect(readdirSync(join(HERE, 'bad')).toSorted()).toEqual(Object.keys(TOLD).toSorted());
});

test('good/ is free of problems, so that every word below comes from the bad file', async () => {
  const { problems } = await loadSite(join(HERE, 'good'), { secrets: false, at: AT });
  expect(problems).toEqual([]);
});

test.for(Object.entries(TOLD))('%s is told in these words', async ([file, lines]) => {
  const dir = await temporaryFolder();
  for (const name of ['site.cfg', 'sequence.cfg']) await copyFile(join(HERE, 'good', name), join(dir, name));
  await copyFile(join(HERE, 'bad', file), join(dir, file.startsWith('site-') ? 'site.cfg' : 'sequence.cfg'));

  const { problems, site, sequence } = await loadSite(dir, { secrets: false, at: AT });

  const told = formatProblems(problems).replaceAll(`${dir}/`, '').split('\n');
  expect(told).toEqual(lines);
  const isUsable = problems.every(({ severity }) => severity === 'warning');
  expect([site !== undefined, sequence !== undefined]).toEqual([isUsable, isUsable]);
});

test('no file that has a password in it gets the password told', async () => {
  const files = readdirSync(join(HERE, 'bad')).filter(file => file.startsWith('site-plain-') || file === 'site-many.cfg');
  expect(files.length).toBeGreaterThan(5);
  const told = files.map(file => TOLD[file]?.join('\n') ?? '');
  expect(told.filter(text => text.includes('hunter2'))).toEqual([]);
});
