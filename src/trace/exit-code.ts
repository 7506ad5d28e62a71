/**
 * The instruction that caused an exit, found in the guest's memory.
 *
 * @module
 */
import { type EngineCpu, type Exit, ExitKind, isAccess } from '../engine/contract/index.js';
import { codeSizeOf, physicalAddress } from '../inspect/index.js';
import { disassemble, type Instruction, MAX_LENGTH, type Syntax } from '../isa/index.js';
import type { GuestMemory } from '../memory/index.js';
import type { SystemRegisters } from '../x86/index.js';

interface Known {
  physical: number;
  bytes: Uint8Array;
  text: string;
}

/** The most instructions that are kept: a guest that runs new code without end does not fill the host's memory. */
const REMEMBERED = 4096;

/**
 * Finds the instruction that caused an exit. Call it before the guest continues. An engine may report the instruction
 * itself or the next one (KVM completes a write first): the instruction at rip is taken where it can have caused this
 * exit, else the one that ends there. Where memory cannot be read or the answer is not certain, the text is empty.
 */
export class ExitCode {
  readonly #memory: GuestMemory;
  readonly #cpu: Pick<EngineCpu, 'getSystemRegisters'>;
  readonly #exact: boolean;
  readonly #syntax: Syntax;
  readonly #known = new Map<string, Known>();

  /** @param exact the engine reports the instruction itself, as the software CPU does */
  constructor(
    memory: GuestMemory,
    cpu: Pick<EngineCpu, 'getSystemRegisters'>,
    exact: boolean,
    syntax: Syntax = 'intel',
  ) {
    this.#memory = memory;
    this.#cpu = cpu;
    this.#exact = exact;
    this.#syntax = syntax;
  }

  /** The instruction's text, or an empty one. */
  textOf(exit: Exit): string {
    const { kind, ripLow, ripHigh, size, write } = exit;
    if (!isAccess(kind) && kind !== ExitKind.halt) return '';
    const key = `${ripHigh}:${ripLow}:${kind}:${size}:${write}:${kind === ExitKind.io ? exit.address : ''}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#isSame(known)) return known.text;
    const rip = (BigInt(ripHigh) << 32n) | BigInt(ripLow);
    const system = this.#cpu.getSystemRegisters();
    const found = this.#find(exit, rip, system);
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    const place = this.#place(found?.address ?? rip, system);
    if (found === undefined || place === undefined) return '';
    const bytes = this.#read(place, found.length).slice();
    this.#known.set(key, { physical: place, bytes, text: found.text });
    return found.text;
  }

  #isSame({ physical, bytes }: Known): boolean {
    const now = this.#read(physical, bytes.length);
    return now.length === bytes.length && bytes.every((byte, n) => byte === now[n]);
  }

  /** Fewer bytes than `length` where the guest's memory ends. */
  #read(physical: number, length: number): Uint8Array {
    for (let bytes = length; bytes > 0; bytes--) {
      if (this.#memory.find(physical, bytes) !== undefined) return this.#memory.peek(physical, bytes);
    }
    return new Uint8Array(0);
  }

  #place(rip: bigint, system: SystemRegisters): number | undefined {
    const bits = codeSizeOf(system) === 64 ? 64 : 32;
    const base = bits === 64 ? 0n : system.cs.base;
    return physicalAddress(this.#memory, system, BigInt.asUintN(bits, base + rip));
  }

  #decode(rip: bigint, system: SystemRegisters): Instruction | undefined {
    const place = this.#place(rip, system);
    if (place === undefined) return undefined;
    // Code over the end of a page is read where the next page lies after it; else it is not shown.
    const bytes = this.#read(place, MAX_LENGTH);
    return disassemble(bytes, { code: codeSizeOf(system), address: rip, syntax: this.#syntax });
  }

  /** Where both readings are possible and say different things, neither is certain. */
  #find(exit: Exit, rip: bigint, system: SystemRegisters): Instruction | undefined {
    const at = this.#at(exit, rip, system);
    if (this.#exact) return at;
    const before = this.#before(exit, rip, system);
    if (at === undefined || before === undefined) return at ?? before;
    return at.text === before.text ? at : undefined;
  }

  #at(exit: Exit, rip: bigint, system: SystemRegisters): Instruction | undefined {
    const one = this.#decode(rip, system);
    return one !== undefined && causes(one, exit) ? one : undefined;
  }

  /** The instruction that ends at rip; for memory, only where exactly one decoding is possible. */
  #before(exit: Exit, rip: bigint, system: SystemRegisters): Instruction | undefined {
    const found: Instruction[] = [];
    for (let length = 1n; length <= MAX_LENGTH && length <= rip; length++) {
      const one = this.#decode(rip - length, system);
      if (one === undefined || BigInt(one.length) !== length || !causes(one, exit)) continue;
      if (exit.kind !== ExitKind.mmio) return one;
      found.push(one);
    }
    return found.length === 1 ? found[0] : undefined;
  }
}

/** True if the instruction can have caused the exit. */
function causes({ encoding, operands }: Instruction, exit: Exit): boolean {
  if (encoding === undefined) return false;
  const { name } = encoding.row;
  if (exit.kind === ExitKind.halt) return name === 'hlt';
  if (exit.kind === ExitKind.io) {
    const [, direction] = /^(in|out)(?:s|imm|dx)$/.exec(name) ?? [];
    const sized = operands.find((one) => 'size' in one && one.size === exit.size);
    const port = operands.find((one) => one.kind === 'immediate');
    if (port?.kind === 'immediate' && Number(port.value) !== exit.address) return false;
    return direction === (exit.write ? 'out' : 'in') && sized !== undefined;
  }
  return operands.some((one) => one.kind === 'memory' && one.size === exit.size);
}
