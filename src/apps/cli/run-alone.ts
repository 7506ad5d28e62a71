/** The command line with `run` alone, the command that must start quickly: its own bundle, without code that only others need. */
import { runCommand } from './commands/run/run.js';
import { runProgram } from './program.js';

export const main = (argv: readonly string[]): Promise<void> =>
  runProgram(argv, { run: async () => runCommand() });
