// How a command ends: with its own status, or with 3 and words for what went wrong on our side.

import { LocalProblem } from '../model/endpoint.ts';
import { NotWritten } from '../record/append.ts';
import { Stop } from './context.ts';
import { leave, type Terminal } from './terminal.ts';

export async function end(terminal: Terminal, work: () => Promise<number>): Promise<never> {
  try {
    return leave(await work());
  } catch (error) {
    terminal.progress('');
    if (error instanceof Stop) {
      terminal.say(error.message);
      return leave(error.status);
    }
    if (error instanceof NotWritten || error instanceof LocalProblem) {
      terminal.say(error.message);
      return leave(3);
    }
    terminal.say(
      `This is a fault of this program; please report it with the lines below.\n${error instanceof Error ? error.stack : String(error)}`,
    );
    return leave(3);
  }
}
