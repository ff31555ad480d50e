// The sections of site.cfg that some sites have: balancers, directories, filters, name servers, planned outages. What is not
// described is not guessed; each that is described can be named as the cause of a fault.

import * as form from './site-forms.ts';
import { HOST, IMAP_DOOR, NEEDS, oneDoor, oneSecret, PASSWORD, POP3_DOOR, REACH, SMTP_DOOR, useless } from './site-keys.ts';
import { defaulted, optional, required, section } from './table/field.ts';
import { instant, text, truth } from './table/form.ts';

export const BALANCER = section({
  shape: 'named',
  help: 'Load balancers, for sites that have some. NAME can stand in sequence.cfg wherever a member could: after -s with an smtp door, after -p with a pop3 or imap door.',
  fields: {
    host: HOST,
    smtp: optional(SMTP_DOOR, { help: 'The door to its MTAs.', otherwise: 'none', sample: { port: 587, security: 'starttls' } }),
    pop3: optional(POP3_DOOR, {
      help: 'The door to the POP3 side of its MMPs.',
      otherwise: 'none',
      sample: { port: 110, security: 'starttls' },
    }),
    imap: optional(IMAP_DOOR, {
      help: 'The door to the IMAP side of its MMPs.',
      otherwise: 'none',
      sample: { port: 143, security: 'starttls' },
    }),
    user: optional(text('a text in double quotes'), {
      help: 'The name to log in with at the smtp door.',
      otherwise: 'no log-in',
      sample: 'ims1',
    }),
    ...PASSWORD,
    members: required(form.memberNames, {
      help: 'The machines behind it, MTAs for smtp, MMPs for pop3 and imap.',
      sample: ['mta/ssmtp01', 'mta/ssmtp02'],
    }),
    ...REACH,
    needs: NEEDS,
  },
  samples: [
    {
      name: 'smtp',
      set: {
        host: 'smtp.example.com',
        smtp: { port: 587, security: 'starttls' },
        user: 'ims1',
        password_file: 'secrets/ims1',
        members: ['mta/ssmtp01', 'mta/ssmtp02'],
      },
    },
  ],
  rules(entry, report) {
    oneDoor(entry, report, ['smtp', 'pop3', 'imap']);
    useless(entry, report, { keys: ['user'], without: 'smtp' });
    oneSecret(entry, report, { isNeeded: entry.written.has('user'), by: 'a user' });
  },
});

export const DIRECTORY = section({
  shape: 'named',
  help: 'LDAP directories that MTAs, MMPs or stores ask for their users. Whoever asks one has it in its needs.',
  fields: {
    url: required(form.directoryUrl, {
      help: 'Where it is. ldap:// is port 389, ldaps:// is TLS from the first byte on port 636.',
      sample: 'ldap://ldap1.example.com',
    }),
    starttls: optional(truth(), {
      help: 'Whether an ldap:// connection must go over to TLS.',
      otherwise: 'true for ldap://; it has no meaning for ldaps://',
      sample: true,
    }),
    base: required(text('the DN of a search base', { min: 0, max: 1000 }), {
      help: 'The search base.',
      sample: 'dc=example,dc=com',
    }),
    filter: defaulted(form.ldapFilter, '(mail=%s)', {
      help: "What a test account's entry is found by. %s stands for its address, %u for its user.",
    }),
    attributes: defaulted(form.attributeNames, ['mail'], { help: 'Attributes that the entry must have.' }),
    bind_dn: optional(text('a DN', { max: 1000 }), {
      help: 'The DN to log in with.',
      otherwise: 'anonymous',
      sample: 'cn=healthmon,dc=example,dc=com',
    }),
    ...PASSWORD,
    ...REACH,
    needs: { ...NEEDS, sample: ['dns/ns1'] },
  },
  samples: [{ name: 'ldap1', set: { url: 'ldap://ldap1.example.com', base: 'dc=example,dc=com' } }],
  rules(entry, report) {
    oneSecret(entry, report, { isNeeded: entry.written.has('bind_dn'), by: 'a bind_dn' });
    const { url, starttls } = entry.draft;
    const isTls = url !== undefined && form.parseDirectoryUrl(url)?.isTls === true;
    const place = entry.written.get('starttls') ?? entry.place;
    if (isTls && starttls === true)
      report.error(place, `'starttls' in ${entry.label} contradicts its ldaps:// URL`, 'leave starttls out, or write ldap://');
    const { filter } = entry.draft;
    if (filter !== undefined && !/%[su]/.test(filter)) {
      report.warning(
        entry.written.get('filter') ?? entry.place,
        `'filter' in ${entry.label} has neither %s nor %u: the same entry is looked for whatever account is tested`,
      );
    }
  },
});

export const FILTER = section({
  shape: 'named',
  help: 'Mail filters (milters) that MTAs hand each message to.',
  fields: {
    socket: required(form.milterSocket, {
      help: 'Where it listens: inet:PORT@HOST, or unix:/PATH on this machine.',
      sample: 'inet:8891@ssmtp03.example.com',
    }),
    used_by: required(form.mtaNames, { help: 'The names of the MTAs that use it.', sample: ['ssmtp03'] }),
    needs: NEEDS,
  },
  samples: [{ name: 'dkim', set: { socket: 'inet:8891@ssmtp03.example.com', used_by: ['ssmtp03'] } }],
});

export const DNS = section({
  shape: 'named',
  help: 'Name servers that are asked directly when a name does not resolve.',
  fields: {
    address: required(form.ipAddress, { help: 'The IP address of the name server.', sample: '192.0.2.53' }),
    port: defaulted(form.port, 53, { help: 'Its port.' }),
  },
  samples: [{ name: 'ns1', set: { address: '192.0.2.53' } }],
});

export const MAINTENANCE = section({
  shape: 'listed',
  isCommentedOut: true,
  help: 'Planned outages: within these times a component is left out of verdicts. One section each.',
  fields: {
    component: required(text('a component such as "mta/ssmtp02"'), { help: 'What is being worked on.', sample: 'mta/ssmtp02' }),
    from: required(instant(), {
      help: "Its beginning. Without an offset such as +01:00 it is this machine's own time.",
      sample: { toml: '2026-11-22T22:00:00+01:00' },
    }),
    until: required(instant(), { help: 'Its end.', sample: { toml: '2026-11-23T02:00:00+01:00' } }),
    reason: required(text('a text in double quotes'), {
      help: 'Why; it is shown beside the component.',
      sample: 'kernel update',
    }),
  },
  samples: [
    {
      set: {
        component: 'mta/ssmtp02',
        from: { toml: '2026-11-22T22:00:00+01:00' },
        until: { toml: '2026-11-23T02:00:00+01:00' },
        reason: 'kernel update',
      },
    },
  ],
  rules(entry, report) {
    const { from, until } = entry.draft;
    if (from !== undefined && until !== undefined && until <= from) {
      report.error(entry.written.get('until') ?? entry.place, `'until' in ${entry.label} must be later than 'from'`);
    }
  },
});
