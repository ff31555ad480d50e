// Starts a command: require('dist/load.cjs').start('healthmon'). The build copies this file into dist/, beside the parts that commands
// consist of.
//
// Compiling them is a good part of a start. So each is handed to V8 with what V8 made of it when it was built, in NAME.compiled, where
// every piece stands under the check sum of the text that it was made of. V8 itself refuses what another version of it has made; then, and
// where there is no such file or a damaged one, it compiles as usual. Nothing is written here.

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script, constants } = require('node:vm');
const { crc32 } = require('node:zlib');

/** Hexadecimal digits of the check sum with which NAME.compiled begins. */
const SUM = 8;

/** @type {Map<string, { script: Script, sum: number, exports: unknown }>} */
const parts = new Map();
let compiled = new Map();

exports.parts = parts;

/** @param {string} name of the command */
exports.start = name => {
  compiled = readCompiled(join(__dirname, `${name}.compiled`));
  load(`./${name}.cjs`);
};

/** A part, or a package. Like Node's own `require` it runs what it loads once. */
function load(name) {
  if (!name.startsWith('./')) return require(name);
  const known = parts.get(name);
  if (known !== undefined) return known.exports;
  const text = readFileSync(join(__dirname, name));
  const sum = crc32(text);
  const script = new Script(text.toString(), {
    // The same wherever the folder is: V8 keeps it with the code.
    filename: `dist/${name.slice(2)}`,
    cachedData: compiled.get(String(sum)),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const part = { script, sum, exports: {} };
  parts.set(name, part);
  script.runInThisContext()(load, later, part, part.exports, join(__dirname, name), __dirname);
  return part.exports;
}

/** What `import()` becomes. */
async function later(name) {
  return name.startsWith('./') ? load(name) : import(name);
}

/**
 * A check sum; then a line that says where each piece lies, by the sum of its text; then the pieces. V8 itself would not notice a
 * flipped bit.
 */
function readCompiled(file) {
  try {
    const bytes = readFileSync(file);
    if (crc32(bytes.subarray(SUM)) !== Number.parseInt(bytes.toString('latin1', 0, SUM), 16)) return new Map();
    const begin = bytes.indexOf('\n') + 1;
    const places = JSON.parse(bytes.toString('latin1', SUM, begin));
    return new Map(Object.entries(places).map(([sum, [from, to]]) => [sum, bytes.subarray(begin + from, begin + to)]));
  } catch {
    return new Map();
  }
}
