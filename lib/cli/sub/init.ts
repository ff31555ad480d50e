// `healthmon init`: its face. The work is in ../init.ts.

import type { Subcommand } from './subcommand.ts';

export const init: Subcommand = {
  name: 'init',
  about: 'Writes a working set of config files for your site into a folder, and makes its signing key.',
  shape: command =>
    command
      .argument('<dir>', 'folder to write to; files that are there are never overwritten')
      .option('--domain <domain>', 'mail domain of the site')
      .option('--name <text>', 'name of the site, for messages and reports')
      .option('--mtas <hosts>', 'MTAs that take in mail, with commas between them')
      .option('--mta-login <yes|no>', 'log in at the MTAs (port 587)')
      .option('--stores <hosts>', 'message stores')
      .option('--addresses <addresses>', 'a test account on each store, in the same order')
      .option('--mmps <hosts>', 'POP and IMAP proxies; none: the stores are read directly')
      .option('--protocols <names>', 'pop3, imap or both')
      .option('--security <how>', 'starttls, tls or plain')
      .addHelpText(
        'after',
        `
At a terminal, what is not given is asked for. Passwords are asked for at a terminal only; otherwise their files
are made empty (mode 0600), to be filled in.

Example:
  healthmon init /etc/healthmon --domain example.com --mtas mx1.example.com,mx2.example.com \\
     --mmps imap1.example.com --stores store1.example.com --addresses probe1@example.com

Exit status:
  0  the files were written
  3  an answer is missing or wrong, or a file is there already: nothing was written`,
      ),
  run: async (options, args, terminal) => (await import('../init.ts')).runInit(options, args, terminal),
};
