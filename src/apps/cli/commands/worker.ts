import { Command } from 'commander';
import { asTyped } from '../../../command.js';

const examples = `
Examples:
  $ terrarium worker --queue redis://class.example:6379           grade what comes, one at a time
  $ terrarium worker --queue redis://class.example:6379 --jobs 4  four at a time
`;

/** The processes that grade: for a pool, and for a queue. */
export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'Grades submissions that `terrarium grade --queue` puts into a queue, on any number of machines.',
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .option('--ipc', 'for `terrarium grade`: jobs come from the parent process')
    .action(async ({ ipc }: { ipc?: boolean }, command: Command) => {
      if (ipc !== true || process.send === undefined)
        command.error('worker needs --queue REDIS-URL', { exitCode: 2 });
      const { serveChild } = await import('../../../grading/index.js');
      serveChild();
    });
}
