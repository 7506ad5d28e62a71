/**
 * One engine's machine, and the results of its tests.
 *
 * @module
 */
import { type Engine, ExitKind, exitKindNames, newControl } from '../engine/contract/index.js';
import { GuestMemory } from '../memory/index.js';
import { registerNames, registersWith } from '../x86/index.js';
import { type Left, type Program, readRecord } from './blocks.js';
import { DATA, DATA_SIZE, HANDLER_BYTES, HANDLERS, type Mode } from './modes.js';

/** A run of tests that takes longer has left the tests' code. */
const TIMEOUT_MS = 2000;

/** How a test ended, where it did not complete: an exception, or an unexpected exit. */
export interface Ended extends Left {
  /** `#DE`, `#PF(6) cr2=0xe010`, `mmio`, `internalError`. */
  what: string;
  rip: bigint;
}

const exceptions = 'DE DB NMI BP OF BR UD NM DF - TS NP SS GP PF - MF AC MC XM'.split(' ');

export class Side implements Disposable {
  readonly name: string;
  readonly memory: GuestMemory;
  /** By the test's number. */
  readonly ended = new Map<number, Ended>();
  readonly records: Uint32Array;
  readonly data: Uint32Array;
  readonly #mode: Mode;
  readonly #patienceMs: number;
  readonly #vm;
  readonly #cpu;
  readonly #system;

  /** @param patienceMs a run that takes longer does not end */
  constructor(engine: Engine, mode: Mode, patienceMs = TIMEOUT_MS) {
    this.#patienceMs = patienceMs;
    this.name = engine.name;
    this.#mode = mode;
    this.memory = GuestMemory.create([{ address: 0, size: mode.memory }]);
    this.#vm = engine.createVm(this.memory);
    this.#cpu = this.#vm.createCpu(newControl());
    mode.prepare(this.memory);
    this.#system = this.#cpu.getSystemRegisters();
    mode.system(this.#system);
    const words = (address: number, bytes: number) => {
      const { buffer, byteOffset } = this.memory.view(mode.dataBase + address, bytes);
      return new Uint32Array(buffer, byteOffset, bytes / 4);
    };
    this.records = words(mode.records, mode.capacity * mode.recordBytes);
    this.data = words(DATA, DATA_SIZE);
  }

  /** Runs tests one after the other on these data. */
  run({ bytes, entries }: Program, data: Uint32Array): void {
    const count = entries.length - 1;
    this.memory.writeBytes(this.#mode.codeBase + this.#mode.start, bytes);
    this.data.set(data);
    this.records.fill(0);
    this.ended.clear();
    this.#cpu.setTimer(this.#patienceMs, this.#patienceMs);
    try {
      for (let next = 0; next < count; ) {
        const stopped = this.#runFrom(entries[next]!, entries[count]!);
        if (stopped === undefined) return;
        // An exit that belongs to no test is attributed to the last one that ran.
        const at = Math.floor((Number(stopped.rip) - this.#mode.start) / this.#mode.stride);
        const blamed = at >= next && at < count ? at : next;
        this.ended.set(blamed, stopped);
        next = blamed + 1;
      }
    } finally {
      this.#cpu.setTimer(0, 0);
    }
  }

  /** Undefined where all tests from there have run. */
  #runFrom(entry: number, end: number): Ended | undefined {
    const cpu = this.#cpu;
    cpu.setSystemRegisters(this.#system);
    cpu.setRegisters(registersWith({ rip: BigInt(entry), rflags: this.#mode.flags }));
    const kind = cpu.run();
    const after = cpu.getRegisters();
    const registers = registerNames.slice(0, this.#mode.registers).map((name) => after[name]);
    const ended = { registers, rip: after.rip, flags: Number(after.rflags & 0xffffn) };
    if (kind !== ExitKind.halt) {
      const name = kind === ExitKind.interrupted ? 'does not end' : (exitKindNames[kind] ?? 'unknown');
      return { ...ended, what: name };
    }
    // In ring 0, HLT itself exits here; its handlers are elsewhere.
    if (after.rip === BigInt(end + 1)) return undefined;
    const vector = Number((after.rip - BigInt(HANDLERS)) / BigInt(HANDLER_BYTES));
    const frame = this.#mode.frame(this.memory, Number(after.rsp), vector);
    if (frame.rip === BigInt(end)) return undefined;
    registers[4] = frame.rsp;
    let what = `#${exceptions[vector] ?? vector}`;
    if (frame.code !== 0n) what += `(0x${frame.code.toString(16)})`;
    if (vector === 14) what += ` at 0x${cpu.getSystemRegisters().cr2.toString(16)}`;
    return { registers, flags: Number(frame.rflags & 0xffffn), rip: frame.rip, what };
  }

  left(n: number): Left {
    return this.ended.get(n) ?? readRecord(this.#mode, this.memory, n);
  }

  [Symbol.dispose](): void {
    this.#vm[Symbol.dispose]();
    this.memory.release(false);
  }
}
