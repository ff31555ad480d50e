// What faults do to an MTA's main.cf: refusals at each command, and the ways in which mail gets lost, late, altered or stuck
// after a 250. With no fault on, the settings are those of a healthy MTA.

import type { Component } from '../../../lib/model/component.ts';
import type { Faults } from '../faults/place.ts';
import { DOMAIN } from '../site.ts';

/** Answers in restriction lists: `static:{...}` gives the reply whatever the client said. */
const ANSWERS: Readonly<Record<string, string>> = {
  unwelcome: '421 4.3.2 Service not available, closing transmission channel',
  'mail-4xx': '451 4.3.0 Sender deferred',
  'mail-5xx': '550 5.7.1 Sender refused',
  'rcpt-4xx': '450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/lab.test.html',
  'rcpt-5xx': '550 5.7.1 Recipient refused',
  'data-4xx': '451 4.7.1 DATA deferred',
  'data-5xx': '554 5.7.1 DATA refused',
  'final-4xx': '451 4.7.1 Message deferred',
  'final-5xx': '554 5.7.1 Message content rejected',
};

/** Lines of header_checks; the From line stands in every message once. */
const HEADERS: Readonly<Record<string, string>> = {
  lost: '/^From:/ DISCARD lost',
  held: '/^From:/ HOLD held',
  bounced: '/^From:/ FILTER error:5.7.1 refused after acceptance',
  'altered-header': '/^Subject: (.*)$/ REPLACE Subject: [EXTERNAL] $1',
};

/** Settings of main.cf that depend on faults. */
export function restrictions(faults: Faults, mta: Component, etc: string): Record<string, string> {
  const on = (name: string) => faults.on(name, mta);
  const answers = (table: string, ...names: readonly string[]) =>
    names.filter(on).map(name => `${table} static:{${ANSWERS[name] ?? ''}}`);
  const sender = answers('check_sender_access', 'mail-4xx', 'mail-5xx');
  return {
    // At its own command, where a fault should show there; else at RCPT, as Postfix does by default.
    smtpd_delay_reject: on('unwelcome') || sender.length > 0 ? 'no' : 'yes',
    smtpd_client_restrictions: answers('check_client_access', 'unwelcome').join(', '),
    smtpd_sender_restrictions: sender.join(', '),
    lab_submission_restrictions: [...sender, 'permit_sasl_authenticated', 'reject'].join(', '),
    smtpd_recipient_restrictions: answers('check_recipient_access', 'rcpt-4xx', 'rcpt-5xx').join(', '),
    smtpd_data_restrictions: answers('check_client_access', 'data-4xx', 'data-5xx').join(', '),
    smtpd_end_of_data_restrictions: answers('check_client_access', 'final-4xx', 'final-5xx').join(', '),
    smtpd_client_connection_count_limit: on('connection-limit') ? '1' : '50',
    defer_transports: on('deferred') ? 'lmtp' : '',
    ...(Object.keys(HEADERS).some(on) ? { header_checks: `regexp:${etc}/header_checks` } : {}),
    ...(on('altered-body') ? { body_checks: `regexp:${etc}/body_checks` } : {}),
    ...(on('twice') ? { virtual_alias_maps: `regexp:${etc}/twice` } : {}),
  };
}

/** The tables that go with them. */
export function checks(faults: Faults, mta: Component): readonly { readonly name: string; readonly text: string }[] {
  const headers = Object.entries(HEADERS).filter(([name]) => faults.on(name, mta));
  return [
    { name: 'header_checks', text: headers.map(([, line]) => `${line}\n`).join('') },
    { name: 'body_checks', text: '/^([[:alnum:]].*)$/ REPLACE $1 [scanned]\n' },
    { name: 'twice', text: `/^([^+@]+)@${DOMAIN.replace('.', '\\.')}$/ $1@${DOMAIN}, $1+copy@${DOMAIN}\n` },
  ];
}
