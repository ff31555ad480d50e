// A knock at a mail filter: option negotiation and quit, as an MTA begins and ends. No message is shown to it.
//
// A packet is a length of four bytes (big endian), one letter, and data. @see the milter protocol as libmilter and Postfix speak it
// (sendmail's include/libmilter/mfdef.h; Postfix' src/milter/milter8.c), version 6

import type { Dialog } from '../model/dialog.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { Line, type Terms } from './line.ts';

export interface Negotiated {
  /** Of the protocol: 2 to 6. */
  readonly version: number;
}

const NEGOTIATE = 0x4f; // SMFIC_OPTNEG, 'O'
const QUIT = 0x51; // SMFIC_QUIT, 'Q'
const VERSION = 6;
/** All that an MTA may offer, as Postfix does: a filter that asks for more than is offered gives up. */
const ACTIONS = 0x1ff;
const STEPS = 0x1fffff;
/** An answer is 13 bytes, and some more where a filter lists macros. */
const ANSWER_BYTES = 4096;

/** Connects and negotiates. A filter that is frozen accepts the connection and never answers: phase `negotiate`. */
export async function knockMilter(endpoint: Endpoint, terms: Terms): Promise<Dialog<Negotiated>> {
  const line = new Line(endpoint, terms);
  try {
    return await line.operation(terms, async () => {
      await line.dial();
      const negotiated = await line.phase('negotiate', async () => {
        const offer = Buffer.alloc(12);
        offer.writeUInt32BE(VERSION, 0);
        offer.writeUInt32BE(ACTIONS, 4);
        offer.writeUInt32BE(STEPS, 8);
        await line.send(packet(NEGOTIATE, offer), '(option negotiation)');
        const length = (await line.readBytes(4)).readUInt32BE(0);
        if (length < 13 || length > ANSWER_BYTES)
          throw line.broken('garbled', `answered the negotiation with a packet of ${length} bytes`);
        const answer = await line.readBytes(length);
        if (answer[0] !== NEGOTIATE)
          throw line.broken('garbled', `answered the negotiation with a packet of another kind (${answer[0]})`);
        const version = answer.readUInt32BE(1);
        if (version < 2 || version > VERSION)
          throw line.broken('garbled', `answered the negotiation with version ${version} of the protocol`);
        return { version };
      });
      await line.leave(() => line.send(packet(QUIT, Buffer.alloc(0)), '(quit)'));
      return negotiated;
    });
  } finally {
    line.close();
  }
}

function packet(letter: number, data: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(data.length + 1, 0);
  head[4] = letter;
  return Buffer.concat([head, data]);
}
