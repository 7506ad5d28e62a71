import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { say, standardOutput } from '../../frontend/standard-output.js';
import { parsePort } from '../../frontend/values.js';
import { DEFAULT_LAB_PORT, serveLab } from '../../lab-server/server.js';

const examples = `
Examples:
  $ terrarium lab                   open the lab in your browser
  $ terrarium lab --no-open         only print its address
  $ terrarium lab --port 0          at any free port
`;

export function labCommand(): Command {
  return new Command('lab')
    .description('Serves the lab, a page to write, run and debug guests in, to this computer’s browsers.')
    .addHelpText('before', asTyped(examples.trimStart()))
    .option('--port <n>', 'port on the loopback interface; 0: any free one', parsePort, DEFAULT_LAB_PORT)
    .option('--no-open', 'print the address and open no browser')
    .action(lab);
}

async function lab({ port, open }: { port: number; open: boolean }): Promise<void> {
  const server = await serveLab({ port });
  void standardOutput.write(`${server.url}\n`);
  say('The lab is at this address, for this computer alone. Ctrl-C ends it.\n');
  if (open && process.stdout.isTTY) openBrowser(server.url);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.close();
}

/** Without a browser, the printed address is enough. */
function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '""', url.replaceAll('&', '^&')]
        : ['xdg-open', url];
  const started = spawn(program!, args, { stdio: 'ignore', detached: true });
  started.once('error', () => {});
  started.unref();
}
