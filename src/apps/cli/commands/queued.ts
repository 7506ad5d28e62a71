/**
 * Commands whose work goes to the workers of a queue: opens it, hands in the parts, shows how far they are.
 *
 * @module
 */
import { TerrariumError } from '../../../errors.js';
import {
  type Answer,
  type CommandResult,
  checkQueueUrl,
  gradingVersion,
  hashOf,
  Jobs,
  type ReplayData,
  type VerifyData,
} from '../../../grading/index.js';
import { say } from '../../frontend/standard-output.js';

/** Parts that are queued at a time: each may hold the bytes of a recording. */
const AT_A_TIME = 64;

/** What a worker's command said, or why there is none. */
export type QueuedResult = CommandResult | { readonly problem: string };

type Part = { readonly verify: VerifyData } | { readonly replay: ReplayData };

/**
 * Lets workers do all parts. Ctrl-C ends it; what is done is known to the queue for a day.
 * @param read gives a part when it is its turn
 * @throws QueueError
 */
export async function byQueue(
  url: string,
  count: number,
  read: (index: number) => Part | Promise<Part>,
): Promise<QueuedResult[]> {
  using jobs = await Jobs.open(checkQueueUrl(url), (text) => say(`terrarium: ${text}\n`));
  const results: QueuedResult[] = [];
  const isTerminal = process.stderr.isTTY === true;
  let next = 0;
  let done = 0;
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () =>
      reject(
        new TerrariumError('ESTOPPED', `stopped after ${done} of ${count} parts`, {
          hint: 'the same command goes on from there',
        }),
      );
  });
  process.once('SIGINT', stop);
  const take = async () => {
    while (next < count) {
      const index = next++;
      results[index] = resultOf(await run(jobs, await read(index)));
      done++;
      if (isTerminal) process.stderr.write(`\r${done} of ${count} parts\u001b[K`);
    }
  };
  try {
    await Promise.race([stopped, Promise.all(Array.from({ length: Math.min(AT_A_TIME, count) }, take))]);
  } finally {
    process.off('SIGINT', stop);
    if (isTerminal) process.stderr.write('\r\u001b[K');
  }
  return results;
}

function run(jobs: Jobs, part: Part): Promise<Answer> {
  const key = hashOf([gradingVersion(), JSON.stringify(part)]);
  return 'verify' in part ? jobs.run('verify', part.verify, key) : jobs.run('replay', part.replay, key);
}

/** What a worker sent is as good as who may write to the queue. */
function resultOf(answer: Answer): QueuedResult {
  if ('problem' in answer) return answer;
  const { status, stdout, stderr } = (answer.result ?? {}) as Partial<CommandResult>;
  return typeof status === 'number' && typeof stdout === 'string' && typeof stderr === 'string'
    ? { status, stdout, stderr }
    : { problem: 'a worker sent no result of this version' };
}
