/**
 * Snapshots and recordings of a run: `--save` and `--record`.
 *
 * @module
 */
import type { Image } from '../../../../boot/index.js';
import type { MachineSpec } from '../../../../config/index.js';
import { ConfigError } from '../../../../errors.js';
import type { MachineState } from '../../../../machine/index.js';
import type { HostedMachine, HostedOutcome } from '../../../../runtime/index.js';
import type { Fingerprint } from '../../../../terra/index.js';
import { fingerprintsOf } from '../../../frontend/fingerprints.js';
import { digestOf, writeTerra } from '../../../frontend/terra-file.js';
import { onCountingEngine } from './counting-engine.js';
import type { RunFlags } from './flags.js';

/** The description of a machine that is saved or recorded. @throws ConfigError where it cannot be recorded */
export function specToKeep({ record }: RunFlags, spec: MachineSpec): MachineSpec {
  if (record === undefined) return spec;
  const needs = '--record: a run can be repeated where its time is its instructions';
  const hint = `take --engine soft, without --clock ${spec.clock ?? 'wall'}`;
  if (spec.clock !== undefined && spec.clock !== 'instructions') throw new ConfigError(needs, hint);
  return { ...onCountingEngine(spec, needs, hint), clock: 'instructions' };
}

/** Writes the files at the end of a run. */
export class Keeper {
  readonly #machine: HostedMachine;
  readonly #flags: RunFlags;
  readonly #made: { spec: MachineSpec; image: Image };
  readonly #start: MachineState | undefined;
  readonly #fingerprints: Fingerprint[];

  private constructor(
    machine: HostedMachine,
    flags: RunFlags,
    made: { spec: MachineSpec; image: Image },
    start: MachineState | undefined,
  ) {
    this.#machine = machine;
    this.#flags = flags;
    this.#made = made;
    this.#start = start;
    // Their fingerprints before the run, which may write to them.
    this.#fingerprints = start === undefined ? [] : fingerprintsOf(made.spec);
  }

  /** Before the run: a recording begins with a state. */
  static async begin(
    machine: HostedMachine,
    flags: RunFlags,
    made: { spec: MachineSpec; image: Image },
  ): Promise<Keeper> {
    const start = flags.record === undefined ? undefined : (await machine.save()).state;
    return new Keeper(machine, flags, made, start);
  }

  async end(outcome: HostedOutcome): Promise<void> {
    const { save, record } = this.#flags;
    const { spec, image } = this.#made;
    const { state, instructions } = await this.#machine.save();
    const described = withoutEngine(spec);
    if (save !== undefined)
      await writeTerra(save, { spec: described, image, state, fingerprints: fingerprintsOf(spec) });
    if (record === undefined || this.#start === undefined || instructions === undefined) return;
    const { kind, reason } = outcome;
    await writeTerra(record, {
      spec: described,
      image,
      state: this.#start,
      fingerprints: this.#fingerprints,
      record: await this.#machine.record(),
      end: { kind, reason, instructions, digest: digestOf(this.#machine, outcome) },
    });
  }
}

/** The user may continue from it on another engine. */
function withoutEngine({ engine: _, ...described }: MachineSpec): MachineSpec {
  return described;
}

/** Writes a snapshot of a machine in the middle of its run, for `terrarium snapshot`. */
export async function keepRunning(
  machine: HostedMachine,
  { spec, image }: { spec: MachineSpec; image: Image },
  file: string,
): Promise<{ bytes: number }> {
  const { state } = await machine.save();
  return {
    bytes: await writeTerra(file, {
      spec: withoutEngine(spec),
      image,
      state,
      fingerprints: fingerprintsOf(spec),
    }),
  };
}
