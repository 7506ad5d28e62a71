/**
 * `--lockstep`: the guest on two CPUs at once, to the first difference.
 *
 * @module
 */
import type { MachineSpec } from '../../../../config/index.js';
import { ConfigError } from '../../../../errors.js';
import { formatRegisters } from '../../../../inspect/index.js';
import { type LockstepReport, loadImage, runInLockstep } from '../../../../runtime/index.js';
import { buildOf } from '../../../frontend/build-options.js';
import { ExitStatus } from '../../../frontend/exit-status.js';
import { say, standardOutput } from '../../../frontend/standard-output.js';
import type { RunFlags } from './flags.js';

/** Options that observe a single machine, or need a user at the terminal. */
const others = [
  'gdb',
  'screen',
  'screenshot',
  'trace',
  'stat',
  'profile',
  'record',
  'save',
  'from',
  'dump',
  'report',
  'expect',
  'name',
  'watch',
] as const;

/** Runs it. @throws ConfigError for an option that cannot be combined with it */
export function runLockstep(files: readonly string[], flags: RunFlags, wanted: MachineSpec): void {
  const kind = flags.lockstep!;
  const other = others.find((name) => flags[name] !== undefined);
  if (other !== undefined)
    throw new ConfigError(
      `--lockstep and --${other} cannot be combined`,
      'run the guest once with each of them',
    );
  if (wanted.engine !== undefined)
    throw new ConfigError('--lockstep uses both engines', 'leave out --engine');
  const { image, spec, timeoutMs } = loadImage(files, wanted, buildOf(flags));
  const { engine: _, ...rest } = spec;
  const report = runInLockstep(
    kind,
    { ...rest, image, output: (bytes) => void standardOutput.write(bytes) },
    { timeoutMs: flags.timeout ?? timeoutMs, maxExits: flags.maxExits },
  );
  process.exitCode = report.difference === undefined ? ExitStatus.ok : ExitStatus.expectationFailed;
  if (!flags.quiet || report.difference !== undefined) say(`terrarium: ${reportText(report, kind)}\n`);
}

function reportText({ steps, outcome, difference }: LockstepReport, kind: string): string {
  const sides = kind === 'engines' ? 'KVM and the software CPU' : 'interpreted and translated';
  const times = `${steps.toLocaleString('en')} time${steps === 1 ? '' : 's'}`;
  if (difference === undefined && outcome.kind === 'timeout')
    return `${sides} gave the same results until then, compared ${times}; ${outcome.reason}`;
  if (difference === undefined)
    return `${sides} gave the same results, compared ${times}; ${outcome.kind}: ${outcome.reason}`;
  const [one, other] = difference.sides;
  const lines = [one, other].flatMap(({ name, did, registers, system }) => [
    '',
    `${name}: ${did}`,
    ...formatRegisters(registers, system).split('\n'),
  ]);
  return [
    `${sides} differ after they were compared ${times}: ${difference.what}`,
    ...lines,
    '',
    'Each engine has its own clock: a guest that reads the time, or that a timer interrupts, does not stay in step.',
  ].join('\n');
}
