// The sections of site.cfg that every site has: itself, its MTAs, MMPs and stores, and the accounts on them. For each key its form,
// default, explanation and sample; a new key is one entry here (or in site-keys.ts) and its use in build.ts.

import * as form from './site-forms.ts';
import {
  ACCOUNT_LOGIN,
  AUTH,
  HOST,
  IMAP_DOOR,
  LMTP_DOOR,
  NEEDS,
  oneDoor,
  oneSecret,
  PASSWORD,
  POP3_DOOR,
  PORTS,
  REACH,
  useless,
} from './site-keys.ts';
import { defaulted, optional, required, section } from './table/field.ts';
import { list, oneOf, text, truth, whole } from './table/form.ts';
import { record } from './table/read.ts';

export const SITE = section({
  shape: 'once',
  isRequired: true,
  help: 'The site as a whole. Only name and domain must be there.',
  fields: {
    name: required(text('a text in double quotes', { max: 100 }), {
      help: 'What messages and reports call the site.',
      sample: 'Example Mail',
    }),
    domain: required(form.domain, {
      help: 'The mail domain of the site. It is used in the Message-ID of test messages.',
      sample: 'example.com',
    }),
    key_file: optional(form.secretPath, {
      help:
        "The file with the site's own signing key: at least 32 random bytes as base64 or hex, on one line; only you may read it (chmod 600). " +
        'Test messages are signed with it, and only a message whose signature is right is ever deleted. `healthmon init` makes one; by hand: ' +
        'openssl rand -base64 32 > site.key',
      otherwise: '"site.key" beside this file',
      sample: 'site.key',
    }),
    key_env: optional(form.variableName, {
      help: 'Instead: an environment variable that holds the key.',
      otherwise: 'none',
      sample: 'HEALTHMON_KEY',
    }),
    key_credential: optional(form.credentialName, {
      help: 'Instead: a systemd credential that holds the key.',
      otherwise: 'none',
      sample: 'site.key',
    }),
    sender: optional(text('the name of an account'), {
      help: 'The name of an account. Test messages bear its address as envelope sender, and its mailbox is read for bounces. An account on another store than those tested tells most.',
      otherwise: 'the account that receives the message',
      sample: 'bounce',
    }),
    interval: defaulted(oneOf(1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60), 5, {
      help: 'Minutes between two starts of check_rndtrip by cron. The minutes in sequence.cfg are multiples of it.',
    }),
    submit: defaulted(form.seconds, 30, { help: 'Time limit for handing a message to an MTA.' }),
    deliver: defaulted(form.seconds, 60, {
      help: 'Time limit from there until it is in the mailbox; after that it counts as lost.',
    }),
    fetch: defaulted(form.seconds, 30, { help: 'Time limit for opening the mailbox, and again for reading the message back.' }),
    isolate: defaulted(form.seconds, 20, {
      help: 'Time limit for finding out which component is to blame when a test failed or was slow.',
    }),
    slow: defaulted(whole({ min: 1, max: 3_600_000, unit: 'milliseconds' }), 10_000, {
      help: 'A test that takes longer than this in total counts as slow.',
    }),
    helo: optional(form.helo, {
      help: 'The name that we say in EHLO.',
      otherwise: "this machine's own name, if it has a dot, else healthmon.DOMAIN",
      sample: 'monitor.example.com',
    }),
    ip: optional(form.ipVersion, { help: 'The version of IP to use.', otherwise: 'what the resolver gives first', sample: '4' }),
    tls_verify: defaulted(truth(), true, {
      help: 'Whether certificates must be valid. It can be turned off here or for one component; then anybody on the way can read the passwords.',
    }),
    ca_file: optional(form.filePath, {
      help: "Certificates (PEM) of the site's own authorities, used in place of this machine's list.",
      otherwise: "this machine's list",
      sample: 'ca.pem',
    }),
    pop3_logins: defaulted(whole({ min: 1, max: 100 }), 30, {
      help: 'By POP3, looking for a message takes a log-in each time: at most so many in one test.',
    }),
    pop3_watch: defaulted(oneOf('pop3', 'imap'), 'pop3', {
      help: 'How to watch for a message that is read by POP3. imap: IMAP watches and POP3 reads once, where the MMP has both doors; that sees the arrival sooner and logs in less.',
    }),
    knocks: defaulted(whole({ min: 0, max: 1000 }), 60, {
      help: 'After a failure, healthmon knocks at the doors behind it to find out whose fault it is: at most so many times in one run.',
    }),
    sweep: defaulted(whole({ min: 0, max: 1000 }), 20, {
      help: 'At most so many of our own left-over messages are removed in one test.',
    }),
    message_size: defaulted(whole({ min: 0, max: 50_000_000, unit: 'bytes' }), 0, {
      help: 'Size to which test messages are filled up. 0 leaves them as they are, about 2000 bytes.',
    }),
    may_alter: defaulted(list(oneOf('subject', 'header', 'body'), { of: 'the words "subject", "header" and "body"' }), [], {
      help:
        'Parts of a message that the site changes on purpose: a tag in the subject, headers, a footer below the body. A test message that ' +
        'comes back changed in another part is a failure.',
    }),
  },
  samples: [{ set: { name: 'Example Mail', domain: 'example.com', sender: 'bounce' } }],
  rules(entry, report) {
    const keys = ['key_file', 'key_env', 'key_credential'].filter(key => entry.written.has(key));
    const second = keys[1];
    if (second !== undefined)
      report.error(
        entry.written.get(second) ?? entry.place,
        `[site] must have one source of the signing key: found ${keys.join(', ')}`,
        'keep one of them',
      );
  },
});

export const MTA = section({
  shape: 'named',
  help: 'The MTAs that take in test messages by SMTP, one section each. NAME is what sequence.cfg (-s), messages and reports call the machine.',
  fields: {
    host: HOST,
    port: optional(form.port, {
      help: 'TCP port. Submission, with log-in, usually has port 587.',
      otherwise: `${PORTS.smtp.clear}; with security = "tls" ${PORTS.smtp.tls}`,
      sample: PORTS.smtp.clear,
    }),
    security: defaulted(form.security, 'starttls', {
      help:
        'How the connection is protected. starttls: it begins in clear and must go over to TLS; a server that does not offer that is a fault. ' +
        'tls: TLS from the first byte. plain: never encrypted.',
    }),
    ...REACH,
    user: optional(text('a text in double quotes'), {
      help: 'The name to log in with (SMTP AUTH).',
      otherwise: 'no log-in',
      sample: 'ims1',
    }),
    ...PASSWORD,
    auth: AUTH,
    queue: optional(
      record({
        flavour: required(oneOf('postfix', 'exim', 'sendmail'), { help: 'Whose output it is.', sample: 'postfix' }),
        command: required(form.command, {
          help: 'The program and its arguments, run without a shell.',
          sample: ['ssh', 'ssmtp01', 'postqueue', '-j'],
        }),
      }),
      {
        help: "A command that prints this MTA's queue. With it, a message that did not arrive can be found waiting there, with the reason.",
        otherwise: 'the queue is not asked',
        sample: { flavour: 'postfix', command: ['ssh', 'ssmtp01', 'postqueue', '-j'] },
      },
    ),
    needs: NEEDS,
  },
  samples: [
    {
      name: 'ssmtp01',
      set: { host: 'ssmtp01.example.com', port: 587, user: 'ims1', password_file: 'secrets/ims1', needs: ['directory/ldap1'] },
    },
    {
      name: 'ssmtp02',
      set: { host: 'ssmtp02.example.com', port: 587, user: 'ims1', password_file: 'secrets/ims1', needs: ['directory/ldap1'] },
    },
    { name: 'ssmtp03', set: { host: 'ssmtp03.example.com', needs: ['directory/ldap1'] } },
    { name: 'ssmtp04', set: { host: 'ssmtp04.example.com', needs: ['directory/ldap1'] } },
  ],
  rules(entry, report) {
    oneSecret(entry, report, { isNeeded: entry.written.has('user'), by: 'a user' });
    useless(entry, report, { keys: ['auth'], without: 'user' });
  },
});

export const MMP = section({
  shape: 'named',
  help: 'The MMPs: the POP and IMAP proxies (or servers) through which users read their mail. NAME stands after -p in sequence.cfg. At least one of pop3 and imap must be there.',
  fields: {
    host: HOST,
    pop3: optional(POP3_DOOR, { help: 'The POP3 door.', otherwise: 'none', sample: { port: 110, security: 'starttls' } }),
    imap: optional(IMAP_DOOR, { help: 'The IMAP door.', otherwise: 'none', sample: { port: 143, security: 'starttls' } }),
    ...REACH,
    needs: NEEDS,
  },
  samples: [
    {
      name: 'smux01',
      set: {
        host: 'smux01.example.com',
        pop3: { port: 110, security: 'starttls' },
        imap: { port: 143, security: 'starttls' },
        needs: ['directory/ldap1'],
      },
    },
    {
      name: 'smux02',
      set: {
        host: 'smux02.example.com',
        pop3: { port: 110, security: 'starttls' },
        imap: { port: 143, security: 'starttls' },
        needs: ['directory/ldap1'],
      },
    },
  ],
  rules: (entry, report) => oneDoor(entry, report, ['pop3', 'imap']),
});

const DIRECT_HELP = 'for looking past the MMP, and for "-p direct" in sequence.cfg.';

function storeSample(name: string) {
  return {
    name,
    set: {
      host: `${name}.example.com`,
      lmtp: { port: 24, security: 'plain' },
      pop3: { port: 110, security: 'starttls' },
      imap: { port: 143, security: 'starttls' },
      address: `${name}@example.com`,
      password_file: `secrets/${name}`,
    },
  };
}

export const STORE = section({
  shape: 'named',
  help:
    'The message stores, where the mailboxes are. With an address and a password here, the store has one test account that bears its ' +
    'name; that is the usual way. For more accounts on one store see [account.NAME]. The more doors are given, the more exactly a fault can be placed.',
  fields: {
    host: HOST,
    address: optional(form.address, {
      help: 'The mail address of the test account on this store.',
      otherwise: 'the accounts are described by [account.NAME]',
      sample: 'ims1@example.com',
    }),
    ...ACCOUNT_LOGIN,
    lmtp: optional(LMTP_DOOR, {
      help: 'The door by which MTAs deliver; it is knocked on after a fault.',
      otherwise: 'none',
      sample: { port: 24, security: 'plain' },
    }),
    pop3: optional(POP3_DOOR, {
      help: `The store's own POP3 door, ${DIRECT_HELP}`,
      otherwise: 'none',
      sample: { port: 110, security: 'starttls' },
    }),
    imap: optional(IMAP_DOOR, {
      help: `The store's own IMAP door, ${DIRECT_HELP}`,
      otherwise: 'none',
      sample: { port: 143, security: 'starttls' },
    }),
    junk: optional(text('the name of a folder'), {
      help: 'The folder where filters put what they suspect.',
      otherwise: 'looked for by its special use and by common names',
      sample: 'Junk',
    }),
    ...REACH,
    needs: NEEDS,
  },
  samples: [storeSample('ims1'), storeSample('ims2'), storeSample('ims3'), storeSample('ims4')],
  rules(entry, report) {
    const { written } = entry;
    if (!written.has('address')) useless(entry, report, { keys: ['user', ...Object.keys(PASSWORD), 'auth'], without: 'address' });
    else oneSecret(entry, report, { isNeeded: true, by: 'an address' });
  },
});

export const ACCOUNT = section({
  shape: 'named',
  help:
    'Test accounts beside those that stand in their [store.NAME]. NAME stands after -u in sequence.cfg. Use mailboxes that are for testing only. ' +
    'This one takes the bounces (see sender in [site]).',
  fields: {
    store: required(text('the name of a store'), { help: 'The name of the store where its mailbox is.', sample: 'ims1' }),
    address: required(form.address, { help: 'Its mail address.', sample: 'healthmon@example.com' }),
    ...ACCOUNT_LOGIN,
  },
  samples: [{ name: 'bounce', set: { store: 'ims1', address: 'healthmon-bounce@example.com', password_file: 'secrets/bounce' } }],
  rules: (entry, report) => oneSecret(entry, report, { isNeeded: true, by: 'a mailbox' }),
});
