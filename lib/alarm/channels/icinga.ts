// Icinga 2, by its API: one passive service shows the worst alarm that is open.

import { channel, hostOf } from '../channel.ts';
import { basic } from '../send/http.ts';
import { jsonField, judge } from '../send/judge.ts';
import { stateNow } from './state-now.ts';

export const icinga = channel({
  kind: 'icinga',
  help:
    'Icinga 2, by its API: the state of one passive service is set to that of the worst alarm that is open. ' +
    'The service must exist, with enable_passive_checks, and an API user with the permission actions/process-check-result.',
  docs: 'https://icinga.com/docs/icinga-2/latest/doc/12-icinga2-api/#process-check-result',
  takes: 'all',
  keys: {
    url: { is: 'url', help: 'Its API.', sample: 'https://icinga.example.net:5665' },
    user: { is: 'text', help: 'The API user.', sample: 'healthmon', max: 100 },
    password: { is: 'secret', help: "The API user's password.", sample: 'secrets/icinga' },
    host: { is: 'text', help: 'The host that has the service.', sample: 'mail.example.com', max: 255 },
    service: { is: 'text', help: 'The service.', default: 'healthmon', sample: 'healthmon', max: 255 },
  },
  sample: {
    url: 'https://icinga.example.net:5665',
    user: 'healthmon',
    password_file: 'secrets/icinga',
    host: 'mail.example.com',
  },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url, user, password, host, service }, { http }) {
    const { status, output } = stateNow(parcel);
    const body = {
      type: 'Service',
      // The names are data, not part of the filter's language.
      filter: 'host.name == wanted_host && service.name == wanted_service',
      filter_vars: { wanted_host: host, wanted_service: service },
      exit_status: status,
      plugin_output: output,
      check_source: 'healthmon',
    };
    const reply = await http({
      method: 'POST',
      url: `${url.replace(/\/$/, '')}/v1/actions/process-check-result`,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Accept: 'application/json', Authorization: basic(user, password) },
    });
    if (reply.came === 'reply' && reply.status === 404)
      return { result: 'failed', text: `answered 404: there is no service ${service} on host ${host}`, again: 'never' };
    return judge(reply, ({ body: said }) => jsonField(said, 'status'));
  },
});
