// Runs a command and, when it ends, keeps what V8 has compiled of its parts by then: node keep.cjs NAME ARGUMENTS. Only the build does
// this, in the folder that it is making; load.cjs reads it.

const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { crc32 } = require('node:zlib');
const { parts, start } = require('./load.cjs');

const [name] = process.argv.splice(2, 1);
process.on('exit', () => {
  const places = {};
  const pieces = [];
  let end = 0;
  for (const { script, sum } of parts.values()) {
    const piece = script.createCachedData();
    places[sum] = [end, end + piece.length];
    end += piece.length;
    pieces.push(piece);
  }
  const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(places)}\n`), ...pieces]);
  const whole = crc32(bytes).toString(16).padStart(8, '0');
  writeFileSync(join(__dirname, `${name}.compiled`), Buffer.concat([Buffer.from(whole), bytes]));
});
start(name);
