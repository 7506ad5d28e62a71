/**
 * Runs commands one after another in one process, which takes a tenth of what a process each takes. Each line of stdin is a command's
 * words as JSON; after each, stdout and stderr get a line with `END`, and stderr the exit status. A command that ends the process
 * ends this one: who started it starts another for those that are left.
 */
import { readFileSync, writeSync } from 'node:fs';
import { main } from '../../src/apps/cli/every-command.js';

/** Between what two commands say. */
const END = '\u0000end';

const end = (status: number) => {
  writeSync(1, `${END}\n`);
  writeSync(2, `${END} ${status}\n`);
};

const lines = readFileSync(0, 'utf8').trim().split('\n');
process.on('exit', end);
for (const line of lines) {
  process.exitCode = undefined;
  process.argv = [process.execPath, 'terrarium', ...(JSON.parse(line) as string[])];
  await main(process.argv);
  end(Number(process.exitCode ?? 0));
}
process.removeListener('exit', end);
process.exit(0);
