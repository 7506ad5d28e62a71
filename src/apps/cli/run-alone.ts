/** The command line with `run` alone, which most often has to be quick: a bundle of its own, without what only others need. */
import { runCommand } from './commands/run/run.js';
import { runProgram } from './program.js';

export const main = (argv: readonly string[]): Promise<void> =>
  runProgram(argv, { run: async () => runCommand() });
