// A channel of your own. Copy this folder to plugins/alarm_channels/KIND (small letters, digits, _), write KIND below, and give
// alarms.cfg a section [KIND.NAME]. plugins/README.md, "Alarm channels", says what there is.
//
// With the comment below an editor knows the types:
/** @type {import('../../../lib/alarm/channel.ts').Channel} */
export default {
  kind: 'example',
  help: 'Posts a line of text to an address of ours.',
  docs: 'plugins/README.md',

  // 'all': one message may tell of several alarms. 'each': every alarm comes by itself, for services that keep a state for each.
  takes: 'all',

  // What a section may hold. A secret never stands in alarms.cfg: for `token` it has token_file, token_env or token_credential.
  keys: {
    url: { is: 'url', help: 'Where to send it.', sample: 'https://example.net/notify' },
    token: { is: 'secret', help: 'What lets us in.', optional: 'none', sample: 'secrets/example-token' },
    room: { is: 'text', help: 'Where it appears.', default: 'ops', sample: 'ops', max: 60 },
  },
  sample: { url: 'https://example.net/notify', token_file: 'secrets/example-token' },

  // For "healthmon config check", which proves that no channel leads through the mail site.
  leadsTo: ({ url }) => [{ host: new URL(url).hostname }],

  /**
   * Brings one message. `tools.http` keeps the deadline, verifies certificates, goes by the proxies of the environment and never
   * throws for what comes back. An error that is thrown here is told as a fault of this file, and the next channel is tried.
   */
  async bring(message, { url, token, room }, tools) {
    const [first] = message.notices;
    const reply = await tools.http({
      method: 'POST',
      url,
      body: JSON.stringify({ id: message.id, room, text: `${first.what}: ${first.title}`, alarms: message.notices.length }),
      headers: { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
    });
    if (reply.came === 'nothing')
      // It may have arrived: then it is not sent over this channel again at once.
      return reply.mayHaveArrived
        ? { result: 'unsure', text: reply.text }
        : { result: 'failed', text: reply.text, again: 'soon' };
    if (reply.status >= 200 && reply.status < 300) return { result: 'delivered', text: `answered ${reply.status}` };
    const again = reply.status === 429 || reply.status >= 500 ? 'soon' : 'never';
    return { result: 'failed', text: `answered ${reply.status}`, again, afterMs: reply.retryAfterMs };
  },
};
