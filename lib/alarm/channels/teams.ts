// Microsoft Teams, by a workflow that posts a card when a webhook request is received.

import { channel, hostOf } from '../channel.ts';
import { jsonField, judge, refused } from '../send/judge.ts';
import { headline, plainText } from '../words/wording.ts';

/** A message may have 28 KB, the card's own frame included. */
const TEXT = 12_000;

export const teams = channel({
  kind: 'teams',
  help:
    'A Microsoft Teams channel or chat: in Teams, Workflows, "Post to a channel when a webhook request is received"; the address that it shows at the end. ' +
    'The older Office 365 connectors take the same card.',
  docs: 'https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using',
  takes: 'all',
  keys: { url: { is: 'url', isSecret: true, help: "The workflow's address.", sample: 'secrets/teams-url' } },
  sample: { url_file: 'secrets/teams-url' },
  leadsTo: ({ url }) => [hostOf(url)],
  async bring(parcel, { url }, { http }) {
    const text = plainText(parcel);
    // Runs of a rich text block know no markup, other than text blocks.
    const run = (words: string, look: object) => ({
      type: 'RichTextBlock',
      inlines: [{ type: 'TextRun', text: words, ...look }],
    });
    const card = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      msteams: { width: 'Full' },
      fallbackText: headline(parcel),
      body: [
        run(headline(parcel), { weight: 'Bolder', size: 'Medium', color: colourOf(parcel.notices[0]?.what === 'cleared') }),
        ...text
          .slice(0, TEXT)
          .split('\n')
          .map(line => run(line === '' ? ' ' : line, { fontType: 'Monospace' })),
      ],
    };
    const message = {
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
    };
    const reply = await http({
      method: 'POST',
      url,
      body: JSON.stringify(message),
      headers: { 'Content-Type': 'application/json' },
    });
    // The old connectors say 200 and tell in the body that it has failed.
    if (reply.came === 'reply' && reply.status === 200 && /delivery failed/i.test(reply.body)) {
      if (/\b429\b/.test(reply.body))
        return { result: 'failed', text: 'answered 200, and in it 429: too many requests', again: 'soon' };
      return refused(`answered 200, and in it that it has failed: ${reply.body}`);
    }
    return judge(reply, ({ body }) => jsonField(body, 'error.message'));
  },
});

function colourOf(isGood: boolean): string {
  return isGood ? 'Good' : 'Attention';
}
