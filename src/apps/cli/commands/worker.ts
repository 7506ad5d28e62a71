import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { checkQueueUrl, serveChild, serveDashboard, work } from '../../../grading/index.js';
import { cacheFolder } from '../../frontend/grading-cache.js';
import { parseCount, parseDuration, parsePort } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium worker --queue redis://class.example:6379           grade submissions, one at a time
  $ terrarium worker --queue redis://class.example:6379 --jobs 4  four at a time
  $ terrarium worker --queue redis://class.example:6379 --dashboard 8080   show the queue
`;

interface Options {
  queue?: string;
  jobs: number;
  patience: number;
  dashboard?: number;
  ipc?: boolean;
}

/** The processes that grade: for a pool, and for a queue. */
export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'Does the work that `grade`, `verify` and `replay` put into a queue with --queue, on any number of machines.',
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .option('--queue <url>', 'the Redis or Valkey with the queue: redis://HOST:6379')
    .option('-j, --jobs <n>', 'how many at a time', parseCount, 1)
    .option(
      '--patience <time>',
      'wall-clock time after which a submission is set aside',
      parseDuration,
      60_000,
    )
    .option('--dashboard <port>', 'show the queue on this port of 127.0.0.1, instead of working', parsePort)
    .option('--ipc', 'for `terrarium grade`: jobs come from the parent process')
    .action(run);
}

async function run({ ipc, queue, jobs, patience, dashboard }: Options, command: Command): Promise<void> {
  if (ipc === true && process.send !== undefined) return serveChild();
  if (queue === undefined) return command.error('worker needs --queue REDIS-URL', { exitCode: 2 });
  const url = checkQueueUrl(queue);
  const say = (text: string) => void process.stderr.write(`terrarium: ${text}\n`);
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort()).once('SIGTERM', () => ended.abort());
  if (dashboard === undefined) {
    await work(
      { url, jobs, cache: cacheFolder(), patienceMs: patience, say: (text) => say(`worker: ${text}`) },
      ended.signal,
    );
    return;
  }
  const board = await serveDashboard(url, dashboard, say);
  say(`the queue is shown at ${board.url}`);
  ended.signal.addEventListener('abort', () => {
    board[Symbol.dispose]();
    process.exit();
  });
}
