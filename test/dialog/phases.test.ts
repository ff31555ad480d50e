// Every protocol, every phase, every way of going wrong: the dialog ends by its deadline and names phase and kind.

import { expect, test } from 'vitest';
import type { FaultKind } from '../../lib/model/dialog.ts';
import { endpoint, login, type Mischief, type Step, startPeer, terms } from './peer.ts';
import { PLAYS, type Play } from './scripts.ts';

/** Only silence is waited for; the other ways end by themselves, however busy this machine is. ms */
const SILENCE_MS = 500;
const OTHERWISE_MS = 10_000;

interface Way {
  readonly name: string;
  readonly kind: FaultKind;
  readonly mischief: (play: Play, step: Step) => Mischief;
  readonly not?: (play: Play, step: Step) => boolean;
}

// CAPA may be refused by old servers, and POP3 goes on without; nothing that QUIT is answered with matters to SMTP.
const mayRefuse = (play: Play, step: Step) => play.protocol === 'pop3' && step.phase === 'capability';

const WAYS: readonly Way[] = [
  { name: 'says nothing', kind: 'timeout', mischief: () => () => {} },
  { name: 'closes', kind: 'dropped', mischief: () => socket => socket.end() },
  { name: 'resets', kind: 'dropped', mischief: () => (_, raw) => raw.resetAndDestroy() },
  { name: 'closes in the middle of a line', kind: 'dropped', mischief: () => socket => socket.end('+') },
  { name: 'refuses', kind: 'rejected', mischief: (play, step) => socket => socket.write(play.refusal(step)), not: mayRefuse },
  { name: 'talks nonsense', kind: 'garbled', mischief: () => socket => socket.write('\x1b]0;owned\x07 what?\r\n') },
  {
    name: 'sends a line without an end',
    kind: 'garbled',
    mischief: (_, step) => socket => socket.write('x'.repeat(step.phase === 'search' ? 1_200_000 : 20_000)),
  },
];

for (const play of PLAYS) {
  const name = `${play.protocol} ${play.security}`;

  test(`${name}: a good dialog is answered, and every phase has its time`, async () => {
    const peer = await startPeer(play.steps);
    const done = await play.run(endpoint(play.protocol, peer.port, play.security, { login: login() }), terms());
    await peer.stop();
    expect(done).toMatchObject({ outcome: 'answered' });
    for (const phase of done.phases) expect(phase.tookMs).toBeGreaterThanOrEqual(0);
  });

  test(`${name}: replies that come a byte at a time are put together`, async () => {
    const peer = await startPeer(play.steps, { byteByByte: true });
    const done = await play.run(endpoint(play.protocol, peer.port, play.security, { login: login() }), terms());
    await peer.stop();
    expect(done).toMatchObject({ outcome: 'answered' });
  });

  for (const way of WAYS) {
    test(`${name}: a peer that ${way.name} is named with its phase`, async () => {
      const seen = await Promise.all(
        play.steps.map(async (step, index) => {
          if (step.phase === 'quit' && play.protocol === 'smtp') return undefined;
          if (way.not?.(play, step) === true) return undefined;
          const peer = await startPeer(play.steps, { wrong: { step: index, mischief: way.mischief(play, step) } });
          const deadlineMs = way.kind === 'timeout' ? SILENCE_MS : OTHERWISE_MS;
          const t = terms(deadlineMs);
          const ended = await play.run(endpoint(play.protocol, peer.port, play.security, { login: login() }), t);
          await peer.stop();
          const fault = ended.outcome === 'failed' ? ended.fault : undefined;
          // Loopback delivers a reset so fast that connect() itself reports it.
          const phase = way.name === 'resets' && index === 0 && fault?.phase === 'connect' ? 'banner' : fault?.phase;
          return {
            step: `${index} ${step.phase}`,
            phase,
            kind: fault?.kind,
            component: fault?.component,
            protocol: fault?.protocol,
            inTime: ended.tookMs <= deadlineMs + 200,
          };
        }),
      );
      const wanted = play.steps.map((step, index) => {
        if (step.phase === 'quit' && play.protocol === 'smtp') return undefined;
        if (way.not?.(play, step) === true) return undefined;
        const component = play.protocol === 'smtp' ? 'mta/peer' : 'mmp/peer';
        return {
          step: `${index} ${step.phase}`,
          phase: step.phase,
          kind: way.kind,
          component,
          protocol: play.protocol,
          inTime: true,
        };
      });
      expect(seen).toEqual(wanted);
    });
  }
}
