/**
 * A PC that keeps its configuration, so that it can be made again: as a fork, or from a snapshot.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import type { FieldName, MachineSpec } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { Machine as BareMachine, type MachineConfig, type MachineState } from '../machine/index.js';
import type { MachineOptions } from './parts.js';

/** A machine's description, its image and its whole state: plain data, which `encodeTerra` makes a file of. */
export interface Snapshot {
  spec: MachineSpec;
  image: Image;
  state: MachineState;
  /** Fields of the description that a file has left out, since they name something of the host. */
  named?: FieldName[];
}

/** The objects for a fork: it shares none with its parent. */
export type ForkParts = Pick<
  MachineOptions,
  | 'output'
  | 'input'
  | 'keys'
  | 'onTone'
  | 'devices'
  | 'hypercalls'
  | 'drives'
  | 'networks'
  | 'ports'
  | 'observer'
  | 'inputs'
>;

/** How a machine was made. */
export interface Origin {
  spec: MachineSpec;
  image: Image;
  /** The caller's objects that a fork needs again. */
  handed: readonly (keyof ForkParts)[];
  /** Makes another one, empty of writes: see `MachineConfig.logged`. */
  again(parts: ForkParts): Machine;
}

/** @throws ConfigError for a machine that writes to files: a second one would write to the same */
export function requireOwnDisks({ disks = [], floppies = [] }: MachineSpec): void {
  const written = [...disks, ...floppies].find(({ write }) => write);
  if (written === undefined) return;
  throw new ConfigError(
    `fork: this machine writes to ${written.file}, and two machines cannot`,
    'leave ",write" out: then each keeps its own changes in memory',
  );
}

type Restore = (snapshot: Snapshot, options: Partial<MachineOptions>) => Machine;
let restore: Restore | undefined;

/** Sets how snapshots are restored here: the functions that open engines and files by name. */
export function restoresBy(how: Restore): void {
  restore = how;
}

/** What `createMachine` makes: a machine that can be kept and copied. */
export class Machine extends BareMachine {
  readonly #origin: Origin | undefined;

  /** @internal */
  constructor(config: MachineConfig, origin?: Origin) {
    super(config);
    this.#origin = origin;
  }

  /**
   * A machine from a snapshot. `options` are the caller's objects, another engine, and the files and devices that the
   * snapshot's machine was made with.
   *
   * ```ts
   * using machine = Machine.restore(await decodeTerra(readFileSync('half.terra')), { output });
   * ```
   * @throws ConfigError where it needs something that is not given; TerrariumError `ESTATE`, `EMEMORY` for a state that is not
   * that of such a machine
   */
  static restore(snapshot: Snapshot, options: Partial<MachineOptions> = {}): Machine {
    const missing = snapshot.named?.find((field) => options[field as keyof MachineOptions] === undefined);
    if (missing !== undefined)
      throw new ConfigError(
        `Machine.restore: the snapshot's machine was made with "${missing}"`,
        'a snapshot names no file and no module of a host: give it again',
      );
    if (restore === undefined) throw new ConfigError('Machine.restore: nothing here makes machines');
    return restore(snapshot, options);
  }

  /**
   * The whole machine as a value, while it is stopped. `encodeTerra` makes a file of it.
   * @throws TerrariumError `ESTATE` as `save`
   */
  snapshot(): Snapshot {
    const { spec, image } = this.#known('snapshot');
    return { spec, image, state: this.save() };
  }

  /**
   * An independent machine in the same state. It gets none of this one's objects, but those in `parts`: its own output, input,
   * devices. Both log their writes from here on (see `logWrites`), so that the next fork and a reset cost what was written.
   *
   * ```ts
   * const booted = createMachine({ image });
   * booted.run({ maxExits: 100 });
   * for (const input of inputs) {
   *   using fork = booted.fork({ input });
   *   fork.run();
   * }
   * ```
   * @throws ConfigError where it needs an object of its own, or would write to the same file
   */
  fork(parts: ForkParts = {}): Machine {
    const { spec, handed, again } = this.#known('fork');
    const missing = handed.find((part) => parts[part] === undefined);
    if (missing !== undefined)
      throw new ConfigError(
        `fork: the "${missing}" of this machine are objects that belong to it alone`,
        `give the fork its own: machine.fork({ ${missing}: … })`,
      );
    requireOwnDisks(spec);
    const state = this.writtenPages.copy === undefined ? this.logWrites() : this.save();
    const fork = again(parts);
    try {
      fork.load(state);
      return fork;
    } catch (error) {
      fork[Symbol.dispose]();
      throw error;
    }
  }

  #known(what: string): Origin {
    if (this.#origin === undefined)
      throw new ConfigError(
        `${what}: this machine does not know how it was made`,
        'make it with createMachine',
      );
    return this.#origin;
  }
}
