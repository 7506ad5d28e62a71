/**
 * A stopped guest as text: the state of its CPU and devices, how it ended and why.
 *
 * @module
 */
import type { Device } from '../devices/contract/index.js';
import { virtioViews } from '../devices/index.js';
import type { DryRun, EngineCpu, FaultRecord } from '../engine/contract/index.js';
import {
  type Explanation,
  endsBadly,
  explain,
  formatExplanation,
  type ImagePlace,
} from '../explain/index.js';
import { dump, hex, parseDump, translationsOf } from '../inspect/index.js';
import type { Syntax } from '../isa/index.js';
import type { Outcome } from '../machine/index.js';
import type { GuestMemory } from '../memory/index.js';
import type { SymbolTable } from '../symbols/index.js';
import { describeDevices } from './devices.js';
import type { CpuView } from './registers.js';

/** The current state to describe. */
interface Described {
  machine(): {
    readonly memory: GuestMemory;
    readonly devices: readonly Device[];
    readonly boot: ImagePlace;
  };
  cpu(): EngineCpu;
  view(): CpuView;
  /** How the guest ended; undefined where it can continue. */
  ended(): Outcome | undefined;
  /** The exceptions of the last run. */
  faults(): readonly FaultRecord[] | undefined;
  /** The instruction that accessed a watchpoint right now. */
  accessed(): bigint | undefined;
  /** Where the fatal value comes from. */
  origin(): string | undefined;
  names(): SymbolTable | undefined;
  exits(): string | undefined;
  syntax(): Syntax | undefined;
  dryRun(): DryRun | undefined;
}

/** See the module's comment. */
export class Descriptions {
  readonly #of: Described;

  constructor(described: Described) {
    this.#of = described;
  }

  /** See `DebugSession.describe`. */
  describe(what: string): string {
    if (what === 'why') return formatExplanation(this.why());
    if (what === 'cause') return this.#causeText();
    if (what === 'accessor') return this.#accessorText();
    if (what === 'devices') return describeDevices(this.#of.machine().devices);
    if (what === 'exits') return this.#of.exits() ?? 'this machine keeps no log of its exits';
    const { memory, devices } = this.#of.machine();
    const symbols = this.#of.names();
    const syntax = this.#of.syntax();
    const translations = translationsOf(this.#of.cpu(), memory);
    const subject = {
      ...this.#of.view(),
      memory,
      ...(symbols && { symbols }),
      ...(syntax && { syntax }),
      ...(translations && { translations }),
      virtio: virtioViews(devices),
    };
    return dump(subject, parseDump(what))
      .map(({ text }) => text)
      .join('\n');
  }

  /** See `DebugSession.why`. */
  why(): Explanation {
    const { memory, boot } = this.#of.machine();
    const cpu = this.#of.cpu();
    const symbols = this.#of.names();
    const syntax = this.#of.syntax();
    const faults = this.#of.faults();
    const ended = this.#of.ended();
    const ahead = ended === undefined ? this.#of.dryRun() : undefined;
    const standing = { kind: 'debug', reason: 'a debugger has stopped the guest', ...(faults && { faults }) };
    return explain({
      ...(ended ?? standing),
      ...(ahead && { ahead }),
      registers: cpu.getRegisters(),
      system: cpu.getSystemRegisters(),
      memory,
      image: boot,
      ...(syntax && { syntax }),
      ...(symbols && { locate: (address: bigint) => symbols.locate(address) }),
    });
  }

  #causeText(): string {
    const ended = this.#of.ended();
    if (ended === undefined || !endsBadly(ended)) return 'the guest has not died';
    return this.#of.origin() ?? 'no single value is to blame';
  }

  #accessorText(): string {
    const by = this.#of.accessed();
    if (by === undefined)
      return 'the guest did not stop at a watchpoint, or its last instruction is not known';
    return `${hex(by)}  ${this.#of.names()?.locate(by) ?? ''}`.trimEnd();
  }
}
