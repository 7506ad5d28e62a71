/**
 * `verify --queue`: many parts with seeds of their own, by workers on other machines.
 *
 * @module
 */
import { TerrariumError } from '../../../errors.js';
import type { VerifyData } from '../../../grading/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { byQueue, type QueuedResult } from './queued.js';

/** Tests of a part: some seconds. */
const PART = 20_000;
/** Parts with differences that are shown whole. */
const SHOWN = 3;

/** What `verify --json` prints. */
export interface VerifySummary {
  readonly mode: string;
  readonly seed: number;
  readonly tests: number;
  readonly compared: number;
  /** Differences with a known reason, by it. */
  readonly explained: Readonly<Record<string, number>>;
  /** Tests that the oracle does not support, by mnemonic. */
  readonly refused: Readonly<Record<string, number>>;
  readonly differences: readonly {
    readonly mnemonic: string;
    readonly fields: string;
    readonly count: number;
  }[];
  /** The report in words. */
  readonly text: string;
}

/** Says what the workers found; ends with status 1 where there are differences. @throws where a part has no result */
export async function verifyByQueue(url: string, whole: VerifyData): Promise<void> {
  const parts = Math.ceil(whole.count / PART);
  const partOf = (index: number): VerifyData => ({
    ...whole,
    seed: (whole.seed + index) % 2 ** 32,
    count: Math.min(PART, whole.count - index * PART),
  });
  const results = await byQueue(url, parts, (index) => ({ verify: partOf(index) }));
  const summaries = results.map((result, index) => summaryOf(result, partOf(index)));
  const sum = (of: (one: VerifySummary) => number) =>
    summaries.reduce((total, one) => total + of(one), 0).toLocaleString('en-US');
  const differing = summaries.filter(({ differences }) => differences.length > 0);
  const lines = [
    `${whole.mode}, seeds ${whole.seed} to ${partOf(parts - 1).seed}, ${parts} part${parts === 1 ? '' : 's'}`,
    `  tests        ${sum(({ tests }) => tests)}`,
    `  compared     ${sum(({ compared }) => compared)}`,
    `  explained    ${sum(({ explained }) => total(explained))}`,
    `  differences  ${sum(({ differences }) => differences.reduce((all, { count }) => all + count, 0))}`,
    ...differing.slice(0, SHOWN).flatMap(({ text }) => ['', text]),
    ...(differing.length > SHOWN
      ? ['', `… and ${differing.length - SHOWN} more parts with differences`]
      : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = differing.length > 0 ? ExitStatus.expectationFailed : ExitStatus.ok;
}

const total = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

function summaryOf(result: QueuedResult, { seed }: VerifyData): VerifySummary {
  if ('problem' in result) throw failed(seed, result.problem);
  const { status, stdout, stderr } = result;
  if (status !== ExitStatus.ok && status !== ExitStatus.expectationFailed)
    throw failed(seed, stderr.trim() || `status ${status}`);
  return JSON.parse(stdout) as VerifySummary;
}

const failed = (seed: number, why: string) =>
  new TerrariumError('EQUEUE', `the part with seed ${seed} was not verified: ${why}`, {
    hint: 'a worker needs KVM to compare: --engine soft only runs the tests',
  });
