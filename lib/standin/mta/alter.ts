// What gateways do to messages that pass.

import { split } from '../store/message.ts';

/** `subject`: a tag in front of it. `header`: a Message-ID of its own. `body`: a disclaimer at the end. */
export type Alteration = 'subject' | 'header' | 'body';

export function alter(raw: Buffer, alteration: Alteration): Buffer {
  const { header, body } = split(raw);
  const text = header.toString('latin1');
  switch (alteration) {
    case 'subject':
      return join(text.replace(/^Subject: */im, 'Subject: [EXTERNAL] '), body);
    case 'header':
      return join(text.replace(/^Message-ID:.*(?:\r\n[ \t].*)*/im, 'Message-ID: <rewritten.by.a.gateway@example.net>'), body);
    case 'body':
      return Buffer.concat([raw, Buffer.from('-- \r\nThis message is confidential and has been checked for viruses.\r\n')]);
    default:
      return alteration satisfies never;
  }
}

function join(header: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(header, 'latin1'), body]);
}
