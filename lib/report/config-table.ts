// The keys of [report] in alarms.cfg, with their explanations.

import * as form from '../site/site-forms.ts';
import { AUTH, oneSecret, PASSWORD, PORTS, useless } from '../site/site-keys.ts';
import { defaulted, optional, section } from '../site/table/field.ts';
import { list, pattern, text, truth, whole } from '../site/table/form.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const formatName = pattern('the name of a report format, such as "daily"', NAME);

export const REPORT_SECTION = section({
  shape: 'once',
  help:
    'The report of the day, which check_rndtrip -r makes (by cron, or the daemon by itself). Alarms must not go over the mail system ' +
    'that is watched; reports may. What cannot be mailed is kept, and tried again.',
  isCommentedOut: true,
  fields: {
    to: defaulted(list(form.address, { of: 'mail addresses' }), [], {
      help: 'Who gets it. Without an address it is only kept, in report/ of the state folder.',
    }),
    format: defaulted(formatName, 'daily', {
      help: 'Its format: one of healthmon report formats, also of your own (plugins/report_formats.cfg).',
    }),
    attach: defaulted(list(formatName, { of: 'names of formats' }), [], {
      help: 'Further formats that go along as files, such as "csv". The table of the day always does.',
    }),
    from: optional(form.address, {
      help: 'The address that it comes from.',
      otherwise: 'healthmon@ the domain of the site',
      sample: 'healthmon@example.com',
    }),
    relay: optional(
      pattern('an MTA or balancer of site.cfg, such as "mta/ssmtp01"', /^(mta|balancer)\/[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
      {
        help: 'The machine of the site that takes it, with the log-in that site.cfg has for it.',
        otherwise: 'none; then host says which machine takes it',
        sample: 'mta/ssmtp01',
      },
    ),
    host: optional(form.host, {
      help: 'Instead: a machine that is no part of the site, which is better: it can tell of a day on which the site was down.',
      otherwise: 'none',
      sample: 'mail.example.net',
    }),
    port: optional(form.port, {
      help: 'Its port.',
      otherwise: `${PORTS.smtp.clear}; with security = "tls" ${PORTS.smtp.tls}`,
      sample: 587,
    }),
    security: defaulted(form.security, 'starttls', {
      help: 'How the connection is protected: starttls (required, never skipped), tls from the first byte, or plain.',
    }),
    servername: optional(form.host, {
      help: 'The name that its certificate must bear.',
      otherwise: 'host',
      sample: 'mail.example.net',
    }),
    tls_verify: defaulted(truth(), true, { help: 'Whether its certificate must be valid.' }),
    ca_file: optional(form.filePath, {
      help: 'Certificates (PEM) of the authorities that it is checked against.',
      otherwise: "this machine's list",
      sample: 'ca.pem',
    }),
    user: optional(text('a text in double quotes'), {
      help: 'The name to log in with.',
      otherwise: 'no log-in',
      sample: 'monitor',
    }),
    ...PASSWORD,
    auth: AUTH,
    at: defaulted(pattern('a time of day such as "00:04"', /^([01]\d|2[0-3]):[0-5]\d$/), '00:04', {
      help:
        'When the daemon makes it. In the first half of a day it is about the day before; in the last half hour about that day itself, ' +
        'and what finishes later is in the next one.',
    }),
    keep_days: defaulted(whole({ min: 1, max: 3660, unit: 'days' }), 92, {
      help: 'So long reports are kept in the state folder.',
    }),
    fallback: optional(pattern('the name of a channel', NAME), {
      help: 'A channel of this file that is told when a report could not be mailed, with the place where it lies.',
      otherwise: 'none',
      sample: 'ops',
    }),
  },
  samples: [{ set: { to: ['postmaster@example.com'], relay: 'mta/ssmtp01' } }],
  rules(entry, report) {
    const has = (key: string) => entry.written.has(key);
    const place = (key: string) => entry.written.get(key) ?? entry.place;
    if (has('relay') && has('host')) report.error(place('host'), `${entry.label} has a relay and a host`, 'keep one of the two');
    if ((entry.draft.to ?? []).length > 0 && !has('relay') && !has('host'))
      report.error(
        place('to'),
        `${entry.label} says who gets the report, and not over which machine: expected relay or host`,
        'add a line such as: relay = "mta/ssmtp01"',
      );
    useless(entry, report, { keys: ['port', 'security', 'servername', 'tls_verify', 'ca_file', 'user'], without: 'host' });
    oneSecret(entry, report, { isNeeded: has('user'), by: 'a user' });
    useless(entry, report, { keys: ['auth'], without: 'user' });
  },
});
