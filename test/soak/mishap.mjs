// Loaded into a command before its own code (node --import): makes one thing go wrong inside it, at a place that can be counted, and
// moves its clock. What to do is JSON in $MISHAP:
//
//   below   the state folder: file operations below it count; socket writes count as well where `do` is a kill
//   at      the n-th of these operations goes wrong
//   do      kill: SIGKILL before it; torn: after half of what it would have written
//           ENOSPC, EDQUOT: from then on nothing more fits, on the disk or in our share of it; EROFS: from then on nothing can be changed; EIO: this one fails
//   clock   a file that says how far the clock is off, as libfaketime reads it: "+3600"
//   count   a file that gets the kinds of the operations, in their order, when the process ends by itself

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { Writable } from 'node:stream';

const order = JSON.parse(process.env.MISHAP ?? '{}');
const real = { ...fs };
const kills = order.do === 'kill' || order.do === 'torn' || order.do === undefined;
const below = order.below === undefined ? undefined : `${order.below}/`;
const held = new Set();
let count = 0;
const kinds = [];

if (below !== undefined) {
  const { O_CREAT, O_WRONLY, O_RDWR } = fs.constants;
  const writes = flags =>
    typeof flags === 'number' ? (flags & (O_CREAT | O_WRONLY | O_RDWR)) !== 0 : /[wa+]/.test(flags ?? 'r');
  const isState = path => typeof path === 'string' && `${path}/`.startsWith(below);

  fs.openSync = (path, flags, ...rest) => {
    if (!isState(path) || !writes(flags)) return real.openSync(path, flags, ...rest);
    strike('open');
    const fd = real.openSync(path, flags, ...rest);
    held.add(fd);
    return fd;
  };
  fs.closeSync = fd => {
    held.delete(fd);
    return real.closeSync(fd);
  };
  fs.writeSync = (fd, data, ...rest) => {
    if (!held.has(fd)) return real.writeSync(fd, data, ...rest);
    const half = () => real.writeSync(fd, Buffer.from(data).subarray(0, Math.floor(data.length / 2)));
    // A disk that fills up takes a part and says so by its count alone.
    return strike('write', half) === 'short' ? half() : real.writeSync(fd, data, ...rest);
  };
  fs.writeFileSync = (path, data, ...rest) => {
    if (!isState(path)) return real.writeFileSync(path, data, ...rest);
    strike('write', () => real.writeFileSync(path, data.slice(0, Math.floor(data.length / 2)), ...rest));
    return real.writeFileSync(path, data, ...rest);
  };
  fs.fsyncSync = fd => {
    if (held.has(fd)) strike('sync');
    return real.fsyncSync(fd);
  };
  fs.fsync = (fd, done) => {
    try {
      if (held.has(fd)) strike('sync');
    } catch (error) {
      process.nextTick(done, error);
      return;
    }
    real.fsync(fd, done);
  };
  for (const name of ['linkSync', 'symlinkSync', 'renameSync', 'rmSync', 'unlinkSync', 'mkdirSync']) {
    fs[name] = (...args) => {
      if (args.slice(0, 2).some(isState)) strike(name);
      return real[name](...args);
    };
  }
  if (kills) {
    net.Socket.prototype.write = function write(...args) {
      strike('socket');
      return Writable.prototype.write.apply(this, args);
    };
  }
}

if (order.clock !== undefined) {
  const RealDate = Date;
  const off = () => Number.parseFloat(real.readFileSync(order.clock, 'utf8')) * 1000;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(RealDate.now() + off());
      else super(...args);
    }
    static now() {
      return Math.floor(RealDate.now() + off());
    }
  };
}

syncBuiltinESMExports();
if (order.count !== undefined) process.on('exit', () => real.writeFileSync(order.count, JSON.stringify(kinds)));

/** Counts, and lets the mishap happen when it is due. @returns `short` where only a part is to be written */
function strike(what, half) {
  count += 1;
  if (order.count !== undefined) kinds.push(what);
  if (order.at === undefined || count < order.at) return undefined;
  switch (order.do) {
    case 'kill':
    case 'torn':
      if (order.do === 'torn') half?.();
      process.kill(process.pid, 'SIGKILL');
      // The signal may take a moment; nothing more of this process is to happen meanwhile.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5000);
      return undefined;
    case 'ENOSPC':
    case 'EDQUOT':
      if (what === 'write' && count === order.at) return 'short';
      if (what === 'write' || what === 'mkdirSync' || what === 'symlinkSync') throw failure(order.do, what);
      return undefined;
    case 'EROFS':
      throw failure('EROFS', what);
    case 'EIO':
      if (count === order.at) throw failure('EIO', what);
      return undefined;
    default:
      return undefined;
  }
}

function failure(code, what) {
  return Object.assign(new Error(`${code}: made by the test, ${what}`), { code, syscall: what });
}
