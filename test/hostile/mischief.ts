// What peers do in place of an answer. Each stops by itself when the connection is gone.

import type { Socket } from 'node:net';
import type { Mischief } from '../dialog/peer.ts';

/** Words that move a cursor, set a title, turn the reading direction, ring, or end a line where there is none. */
export const ESCAPES =
  '\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\x00\x08\x7f\t\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{85}\u{2028}end';
/** The same as bytes on a wire that our peers write as Latin-1. */
export const ESCAPE_BYTES = Buffer.from(ESCAPES).toString('latin1');

export const silence: Mischief = () => {};
export const fin: Mischief = socket => socket.end();

/** After a moment, so that the connection is known to be there. */
export const rst: Mischief = (_, raw) => void setTimeout(() => raw.resetAndDestroy(), 20);

export const say =
  (text: string): Mischief =>
  socket =>
    void socket.write(text, 'latin1');

export const sayAndEnd =
  (text: string): Mischief =>
  socket =>
    void socket.end(text, 'latin1');

/** The same words again and again, as fast as they are taken. */
export const flood =
  (text: string, first = ''): Mischief =>
  socket =>
    pour(socket, Buffer.from(text.repeat(Math.ceil(65_536 / text.length)), 'latin1'), Number.POSITIVE_INFINITY, first);

/** So many megabytes of them, and then nothing. */
export const megabytes =
  (count: number, text: string, first = ''): Mischief =>
  socket =>
    pour(socket, Buffer.from(text.repeat(Math.ceil(65_536 / text.length)), 'latin1'), count * 1024 * 1024, first);

/** A little every few milliseconds. */
export const drip =
  (text: string, everyMs = 20, first = ''): Mischief =>
  socket => {
    socket.write(first, 'latin1');
    const timer = setInterval(() => socket.write(text, 'latin1'), everyMs);
    socket.once('close', () => clearInterval(timer));
  };

/** First this, and after some milliseconds that. */
export const thenLater =
  (first: string, ms: number, later: string): Mischief =>
  socket => {
    socket.write(first, 'latin1');
    setTimeout(() => {
      if (socket.writable) socket.write(later, 'latin1');
    }, ms);
  };

/** Takes nothing more and says nothing. */
export const stopReading: Mischief = (socket, raw) => {
  socket.pause();
  raw.pause();
};

function pour(socket: Socket, block: Buffer, most: number, first: string): void {
  let sent = 0;
  let open = true;
  socket.once('close', () => {
    open = false;
  });
  if (first !== '') socket.write(first, 'latin1');
  const more = () => {
    while (open && socket.writable && sent < most) {
      sent += block.length;
      if (!socket.write(block)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}
