/**
 * Finds the last moment at which a location got its value: by an instruction, by the processor itself, or from outside the CPU.
 *
 * @module
 */
import type { DebugRequest, EngineCpu } from '../../engine/contract/index.js';
import { disassemble, type Instruction, MAX_LENGTH } from '../../isa/index.js';
import type { GuestMemory } from '../../memory/index.js';
import { DebugError } from '../errors.js';
import { findLast } from '../history/backwards.js';
import type { History } from '../history/history.js';
import { findLastStore } from '../history/last-store.js';
import { pagesOf, readMemory } from '../memory.js';
import { type CodeBits, codeBase } from '../mode.js';
import { type CpuView, registerOf } from '../registers.js';
import type { StopPlace } from '../stop.js';
import { watchpointsFor } from '../watch-pieces.js';
import { type Effect, effectsOf } from './effects.js';
import { overlap, type Place } from './places.js';

/** The part of the session that a search needs. */
export interface FindParts {
  history: History;
  memory: GuestMemory;
  ask(request: DebugRequest | undefined): string | undefined;
  cpu(): EngineCpu;
  here(): StopPlace;
}

/** How a location got its value. */
export type Write =
  /** An instruction wrote it; `effect` missing: the processor itself did, around it. */
  | { by: 'instruction'; at: number; effect?: Effect }
  /** No instruction wrote it: a device or the monitor, during the instruction at `at`. */
  | { by: 'outside'; at: number }
  /** It has the value since the beginning of the history. */
  | { by: 'start' }
  /** It was not found within this many instructions. */
  | { by: 'unknown'; searched: number };

/** The search was interrupted. */
export class Interrupted extends Error {}

/** The most events that are delivered one after the other before an instruction. */
const MOST_DELIVERIES = 8;

/** Pieces of the past that are stepped through for a register, one after the other, in instructions. */
const PIECES = [32, 512, 4096, 32_768, 262_144] as const;

/** See the module's comment. After each call the guest may be at any moment. */
export class WriteFinder {
  readonly #parts: FindParts;

  constructor(parts: FindParts) {
    this.#parts = parts;
  }

  goTo(at: number): void {
    this.#parts.ask(undefined);
    if (!this.#parts.history.goTo(at)) throw new Interrupted();
  }

  /** The CPU as it is now. @param vectors with what FXSAVE holds */
  view(vectors = false): CpuView {
    const cpu = this.#parts.cpu();
    return {
      registers: cpu.getRegisters(),
      system: cpu.getSystemRegisters(),
      ...(vectors && { fpu: cpu.getState().fpu }),
    };
  }

  /** The current value of a location; undefined where there is none. */
  read(place: Place): bigint | undefined {
    if (place.kind === 'register') {
      const value = registerOf(this.view(!isPlain(place.name)), place.name);
      return value === undefined
        ? undefined
        : BigInt.asUintN(8 * place.size, value >> BigInt(8 * place.from));
    }
    const bytes = this.bytes(place.address, place.size);
    if (bytes.length < place.size) return undefined;
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  bytes(address: bigint, length: number): Uint8Array {
    try {
      return readMemory(this.#parts.memory, this.#parts.cpu().getSystemRegisters(), address, length);
    } catch (error) {
      if (error instanceof DebugError) return new Uint8Array(0);
      throw error;
    }
  }

  /** The next instruction. */
  instruction(syntax?: 'intel' | 'att'): Instruction {
    const { pc, bits } = this.#parts.here();
    const base = bits === 64 ? 0n : codeBase(this.#parts.cpu().getSystemRegisters());
    return disassemble(this.bytes(pc, MAX_LENGTH), {
      code: bits,
      address: bits === 64 ? pc : BigInt.asUintN(32, pc - base),
      ...(syntax && { syntax }),
    });
  }

  /** Finds what gave a location its value, seen from a moment. */
  lastWrite(place: Place, before: number): Write {
    return place.kind === 'memory' ? this.#lastStore(place, before) : this.#lastChange(place, before);
  }

  #lastStore(place: Place & { kind: 'memory' }, before: number): Write {
    const { history, memory, ask, cpu } = this.#parts;
    this.goTo(before);
    const value = this.read(place);
    const watchpoints = watchpointsFor(place.address, place.size, 'write');
    const pages = pagesOf(memory, cpu().getSystemRegisters(), place.address, place.size);
    const search = {
      arm: (step: boolean) => {
        const refused = ask({ step, breakpoints: [], watchpoints });
        if (refused !== undefined) throw new DebugError(refused);
      },
      touched: () => watchpoints[cpu().touchedWatchpoint],
      disarm: () => void ask(undefined),
    };
    const found =
      pages === undefined ? findLast(history, before, search) : findLastStore(history, before, pages, search);
    if (found === 'interrupt') throw new Interrupted();
    const from = found === undefined ? history.range.first : Math.min(found.at + 1, before);
    this.goTo(from);
    if (this.read(place) !== value) return { by: 'outside', at: this.#changeOf(place, value, from, before) };
    if (found === undefined) return { by: 'start' };
    return this.#instructionAt(found.at, place);
  }

  /**
   * The instruction at a moment that writes a location. Interrupts that are delivered first are not instructions, so it may be the
   * handler's first one. The guest is before the instruction afterwards; for an event, at the moment.
   */
  #instructionAt(at: number, place: Place): Write & { by: 'instruction' } {
    const { history, ask } = this.#parts;
    this.goTo(at);
    for (let deliveries = 0; deliveries < MOST_DELIVERIES; deliveries++) {
      const effect = effectsOf(this.instruction(), this.view()).find(({ to }) => overlap(to, place));
      if (effect !== undefined) return { by: 'instruction', at, effect };
      ask({ step: true, breakpoints: [], watchpoints: [] });
      const { kind } = history.repeat(at + 1);
      ask(undefined);
      if (kind === 'stopped') throw new Interrupted();
      if (kind !== 'debug' || history.range.now > at) break;
    }
    this.goTo(at);
    return { by: 'instruction', at };
  }

  /** The last moment between two at which a location does not have the value that it has at the second. */
  #changeOf(place: Place, value: bigint | undefined, from: number, to: number): number {
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      this.goTo(middle);
      // An instruction that counts as several has no moments within it.
      const at = this.#parts.history.range.now;
      if (at >= high) break;
      if (this.read(place) === value) high = at;
      else low = at;
    }
    return low;
  }

  #lastChange(place: Place & { kind: 'register' }, before: number): Write {
    const { first } = this.#parts.history.range;
    let to = before;
    for (const length of PIECES) {
      if (to <= first) break;
      const from = Math.max(first, to - length);
      const found = this.#lastChangeIn(place, from, to);
      if (found !== undefined) return found;
      to = from;
    }
    return to <= first ? { by: 'start' } : { by: 'unknown', searched: before - to };
  }

  /** Steps through a piece of the past, and returns the last step that wrote the register. */
  #lastChangeIn(place: Place & { kind: 'register' }, from: number, to: number): Write | undefined {
    const { history, ask, here } = this.#parts;
    this.goTo(from);
    ask({ step: true, breakpoints: [], watchpoints: [] });
    const names = new Map<string, boolean>();
    let last: { at: number; delivery: boolean } | undefined;
    let value = this.read(place);
    try {
      while (history.range.now < to) {
        const at = history.range.now;
        const { pc, bits } = here();
        const named = this.#names(names, place, pc, bits);
        const { kind } = history.repeat(to);
        if (kind === 'stopped') throw new Interrupted();
        const after = this.read(place);
        const delivery = history.range.now === at;
        if (after !== value || (named && !delivery)) last = { at, delivery };
        value = after;
        if (kind !== 'debug') break;
      }
    } finally {
      ask(undefined);
    }
    if (last === undefined) return undefined;
    if (last.delivery) {
      this.goTo(last.at);
      return { by: 'instruction', at: last.at };
    }
    const write = this.#instructionAt(last.at, place);
    // Each instruction moves RIP on.
    if (write.effect === undefined && place.name === 'rip')
      return { ...write, effect: { to: place, way: 'next', from: [] } };
    return write;
  }

  /** Whether the instruction here writes the register, even with the same value; cached by its address. */
  #names(known: Map<string, boolean>, place: Place, pc: bigint, bits: CodeBits): boolean {
    const key = `${pc}:${bits}`;
    let names = known.get(key);
    if (names === undefined) {
      const instruction = this.instruction();
      // It may leave its operand unchanged: then an earlier one wrote it.
      const maybe = instruction.mnemonic.startsWith('cmov');
      names = !maybe && effectsOf(instruction, this.view()).some(({ to }) => overlap(to, place));
      known.set(key, names);
    }
    return names;
  }
}

const isPlain = (name: string): boolean => !/^(xmm|ymm|mm|st)\d/.test(name);
