// `npm run lab -- COMMAND`: the lab by hand. Results go to stdout, progress to stderr; exit status 0, or 3 with a sentence.

import { spawn } from 'node:child_process';
import { Command, CommanderError, Option } from 'commander';
import { FAULTS, faultKind } from './faults/catalogue.ts';
import { faultText, placeText } from './faults/place.ts';
import { install } from './install.ts';
import { clearAbandoned, Lab } from './lab.ts';
import { noLabText, whyNoLab } from './packages.ts';
import { LabError } from './run.ts';
import { newPasswords, Site } from './site.ts';
import { DEFAULT_NET, defaultDir } from './state.ts';
import type { ComponentStatus } from './status.ts';

interface Where {
  readonly dir?: string;
  readonly net?: number;
}

const say = (text: string) => void process.stderr.write(`${text}\n`);
const print = (text: string) => void process.stdout.write(`${text}\n`);

const program = new Command('lab')
  .description(
    'A small mail site of real daemons on loopback addresses: two Postfix MTAs, two Dovecot stores, two Dovecot MMPs, OpenLDAP, HAProxy, dnsmasq and a milter. Runs as root on Debian and Ubuntu.',
  )
  .addHelpText('after', '\nFirst: npm run lab -- install; npm run lab -- up; npm run lab -- config /tmp/labetc')
  .enablePositionalOptions()
  .exitOverride();

program
  .command('install')
  .description('install the daemons (Debian, Ubuntu; root): starts no service, asks nothing, removes nothing')
  .action(async () => (await install(say)).forEach(print));

program
  .command('ready')
  .description('exit status 0 when a lab can be brought up here; else 3 with the reason')
  .action(() => {
    const why = whyNoLab();
    if (why !== undefined) throw new LabError(why);
    print('A lab can be brought up here.');
  });

command('up', 'bring the site up, and wait until every door answers')
  .addOption(netOption())
  .option('--only <names>', 'kinds or names, with commas between: mta,ims1,ldap1')
  .action(async (options: Where & { only?: string }) => {
    const why = whyNoLab();
    if (why !== undefined) throw new LabError(noLabText(why));
    const lab = labAt(options);
    const began = Date.now();
    if (lab.isUp && lab.components.every(({ daemons }) => daemons.every(({ state }) => state === 'running')))
      say('It is up already.');
    else {
      await clearAbandoned();
      await lab.up({ net: options.net ?? DEFAULT_NET, only: options.only?.split(','), say });
      say(`Up after ${((Date.now() - began) / 1000).toFixed(1)} s, in ${lab.dir}.`);
    }
    print(table(lab.components));
  });

command('down', 'end every process of the lab and take its packet filter rules away')
  .addOption(netOption())
  .option('--purge', 'remove its directory, too, with logs, mail, passwords and certificates')
  .action(async (options: Where & { purge?: boolean }) => {
    const lab = labAt(options);
    await clearAbandoned();
    await lab.stop({ purge: options.purge === true });
    say(`Down: ${lab.dir}.`);
  });

command('status', 'which daemons live, and which faults are on')
  .addOption(netOption())
  .action((options: Where) => {
    const lab = labAt(options);
    print(table(lab.components));
    for (const fault of lab.faults) print(`fault on: ${faultText(fault)}`);
  });

command('config', 'write the etc/ with which healthmon watches the lab', '<folder>')
  .addOption(netOption())
  .option('--names', 'host names in place of addresses (then run healthmon by: lab exec -- COMMAND)')
  .addOption(new Option('--submission <port>', 'how mail is handed in').choices(['25', '465', '587']).default('587'))
  .action((folder: string, options: Where & { names?: boolean; submission: string }) => {
    const submission = options.submission === '25' ? 25 : options.submission === '465' ? 465 : 587;
    labAt(options).etc(folder, { names: options.names === true, submission });
    say(`Wrote ${folder}/site.cfg, sequence.cfg, site.key, ca.pem and secrets/.`);
  });

command('faults', 'list the faults, and where each can be put')
  .addOption(netOption())
  .option('--json', 'with the truth of each, for programs')
  .action((options: { json?: boolean }) => print(options.json === true ? faultsJson() : faultList()));

command(
  'fault',
  'put a fault on, or take it off; returns when it is in force, or the site is healthy again',
  '<name> [place] <on|off>',
)
  .addOption(netOption())
  .option('--seconds <n>', 'how long it delays, for faults that delay', Number)
  .addHelpText(
    'after',
    '\nExamples:\n  lab fault stopped ssmtp01 on\n  lab fault login-refused smux02:imap on\n  lab fault blackholed link/smux01-ims1 on\n  lab fault late ssmtp02 on --seconds 20',
  )
  .action(async (name: string, place: string, rest: string | undefined, options: Where & { seconds?: number }) => {
    const [where, onOff] = rest === undefined ? [undefined, place] : [place, rest];
    if (onOff !== 'on' && onOff !== 'off') throw new LabError('The last word must be on or off');
    const lab = running(options);
    if (onOff === 'on') {
      const fault = await lab.fault(name, where, options.seconds === undefined ? {} : { seconds: options.seconds });
      print(`${fault.name} ${fault.place} is on: ${faultKind(name).imitates}`);
    } else {
      faultKind(name);
      const gone = lab.faults.filter(
        each => each.name === name && (where === undefined || placeText(each) === where || placeText(each).endsWith(`/${where}`)),
      );
      if (gone.length === 0) throw new LabError(`${name} is not on${where === undefined ? '' : ` at ${where}`}`);
      await lab.off(...gone);
      print(`${gone.map(faultText).join(', ')} is off`);
    }
  });

command('off', 'take all faults off')
  .addOption(netOption())
  .action(async (options: Where) => {
    await running(options).off();
    print('All faults are off; the site is healthy.');
  });

command('exec', "run a command with the lab's name server", '<command...>')
  .addOption(netOption())
  .passThroughOptions()
  .action((words: string[], options: Where) => {
    const [first = '', ...rest] = running(options).inside(words);
    const child = spawn(first, rest, { stdio: 'inherit' });
    child.on('exit', code => process.exit(code ?? 3));
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 3;
  else if (error instanceof LabError || process.env.LAB_DEBUG === undefined) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 3;
  } else throw error;
}

function command(name: string, description: string, words = ''): Command {
  return program
    .command(`${name} ${words}`.trim())
    .description(description)
    .option('--dir <dir>', `the lab's directory (usual: ${defaultDir(DEFAULT_NET)})`)
    .exitOverride();
}

function netOption(): Option {
  return new Option('--net <n>', `addresses 127.N.x.y (usual: ${DEFAULT_NET}); another N is another lab`).argParser(text => {
    const net = Number(text);
    if (!Number.isInteger(net) || net < 1 || net > 254) throw new LabError(`--net must be a number between 1 and 254: ${text}`);
    return net;
  });
}

function labAt({ dir, net }: Where): Lab {
  return new Lab(dir ?? defaultDir(net ?? DEFAULT_NET));
}

function running(where: Where): Lab {
  const lab = labAt(where);
  if (!lab.isUp) throw new LabError(`No lab is up in ${lab.dir} (npm run lab -- up)`);
  return lab;
}

function table(components: readonly ComponentStatus[]): string {
  const rows = components.flatMap(({ component, host, address, ports, daemons }) =>
    daemons.map(({ program: name, pid, state }, index) => [
      ...(index === 0 ? [component, host, address, ports.join(' ')] : ['', '', '', '(password check)']),
      name,
      pid === undefined ? '-' : String(pid),
      state,
    ]),
  );
  const all = [['component', 'host', 'address', 'ports', 'daemon', 'pid', 'state'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0))) ?? [];
  return all
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function faultList(): string {
  const site = new Site({ dir: '/nowhere', net: DEFAULT_NET, madeAt: 0, passwords: newPasswords() });
  return FAULTS.map(
    ({ name, imitates, places }) =>
      `${name.padEnd(22)} ${imitates}\n${' '.repeat(22)}   ${places(site).map(placeText).join(' ')}`,
  ).join('\n');
}

function faultsJson(): string {
  const site = new Site({ dir: '/nowhere', net: DEFAULT_NET, madeAt: 0, passwords: newPasswords() });
  return JSON.stringify(
    FAULTS.flatMap(({ name, imitates, places, truth }) =>
      places(site).map(place => ({ name, place: placeText(place), imitates, truth: truth(place) })),
    ),
  );
}
