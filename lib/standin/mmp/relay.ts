// Passing bytes between a client and a machine behind: blind for a balancer, command by command for a proxy, so that a proxy has
// its own faults in each phase even after it has handed the session over.

import type { PhaseName } from '../../model/dialog.ts';
import type { Visit } from '../network/visit.ts';
import { Gone, type Wire } from '../network/wire.ts';

/** Passes everything both ways until either side ends. */
export async function relayBytes(visit: Visit, upstream: Wire): Promise<void> {
  const toServer = pump(
    () => visit.readSome(),
    bytes => upstream.write(bytes),
  );
  const toClient = pump(
    () => upstream.readSome(),
    bytes => visit.say(bytes),
  );
  await untilOneEnds(visit, upstream, [toServer, toClient]);
}

/** How a protocol's command lines are to be read. */
export interface CommandReader {
  /** The phase of a line, and what to refuse it with; undefined for lines that are no command, or have no phase. */
  readonly phaseOf: (
    line: string,
  ) => { readonly phase: PhaseName; readonly usualRefusal: string; readonly asReply: (refusal: string) => string } | undefined;
  /** Bytes that follow the line and are not a command. */
  readonly literalAfter: (line: string) => number;
}

/** As `relayBytes`, but enters the phase of each command of the client before it is passed on. */
export async function relayCommands(visit: Visit, upstream: Wire, reader: CommandReader): Promise<void> {
  const commands = async () => {
    for (;;) {
      const line = await visit.readLine();
      const found = reader.phaseOf(line);
      const refusal = found === undefined ? undefined : await visit.enter(found.phase, found.usualRefusal);
      if (refusal !== undefined) {
        if (refusal !== '') await visit.say(`${found?.asReply(refusal) ?? refusal}\r\n`);
        continue;
      }
      await upstream.write(`${line}\r\n`);
      const literal = reader.literalAfter(line);
      if (literal > 0) await upstream.write(await visit.read(literal));
    }
  };
  const toClient = pump(
    () => upstream.readSome(),
    bytes => visit.say(bytes),
  );
  await untilOneEnds(visit, upstream, [commands(), toClient]);
}

async function pump(read: () => Promise<Buffer>, write: (bytes: Buffer) => Promise<void>): Promise<void> {
  for (;;) await write(await read());
}

async function untilOneEnds(visit: Visit, upstream: Wire, pumps: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.race(pumps);
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  } finally {
    upstream.end();
    visit.wire.end();
    await Promise.allSettled(pumps);
  }
}
