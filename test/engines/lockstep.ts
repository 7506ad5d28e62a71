/**
 * Two software CPUs with the same guest, one of which translates: they are in the same state at every stop.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ExitKind, newControl } from '../../src/engine/contract/index.js';
import { softEngine, type TranslateMode } from '../../src/engine/soft/index.js';
import type { Random } from '../../src/isa/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import { registerNames } from '../../src/x86/index.js';
import { root } from '../support.js';
import {
  abortAddress,
  type MadeProgram,
  makeProgram,
  memoryOf,
  type ProgramKind,
  prepare,
  systemOf,
  TIMER,
} from './random-programs.js';

const file = path.join(root, 'dist/soft.wasm');

/** The software CPU's program. */
export const programBytes = (): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(file));

/** A software CPU's engine; `from` is the program for translations, if it is another one. */
export function engineOf(
  mode: TranslateMode,
  program: Uint8Array = programBytes(),
  from: Uint8Array = program,
) {
  return softEngine(new WebAssembly.Module(program as BufferSource), undefined, { mode, bytes: () => from });
}

export class Side implements Disposable {
  readonly memory: GuestMemory;
  readonly vm;
  readonly cpu;
  readonly #kind: ProgramKind;

  constructor(engine: ReturnType<typeof engineOf>, kind: ProgramKind) {
    this.#kind = kind;
    this.memory = GuestMemory.create([{ address: 0, size: memoryOf(kind) }]);
    this.vm = engine.createVm(this.memory);
    this.cpu = this.vm.createCpu(newControl());
  }

  start({ bytes, address, rip, abort }: MadeProgram): void {
    const { cpu, memory } = this;
    memory.view(0, memory.size).fill(0);
    prepare(this.#kind, memory);
    memory.writeBytes(address, bytes);
    memory.writeBytes(abortAddress, abort);
    const system = cpu.getSystemRegisters();
    systemOf(this.#kind, system);
    cpu.setSystemRegisters(system);
    const zero = Object.fromEntries(registerNames.map((name) => [name, 0n]));
    cpu.setRegisters({ ...cpu.getRegisters(), ...zero, rip, rflags: 0x202n });
  }

  /** Runs `instructions` more; false where the guest has ended. */
  run(instructions: number): boolean {
    const { clock } = this.cpu;
    clock.setAlarm(clock.cycles + instructions);
    return this.cpu.run() === ExitKind.interrupted;
  }

  state(): unknown {
    return [this.cpu.getState(), this.cpu.instructions];
  }

  [Symbol.dispose](): void {
    this.vm[Symbol.dispose]();
    this.memory.release(false);
  }
}

const SLICES = [1, 2, 3, 7, 33, 50, 100, 1000];
const ROUNDS = 40;
const END = 60_000;

/** A random program on both sides, in slices, with timer interrupts between them; `what` names it where they differ. */
export function compare(random: Random, kind: ProgramKind, sides: readonly [Side, Side], what: string): void {
  const made = makeProgram(random, kind, ROUNDS);
  for (const side of sides) side.start(made);
  const [one, other] = sides;
  const slice = SLICES[random(SLICES.length)]!;
  const ticks = random(2) === 0;
  // Short slices cover little: they begin in the middle of the run, when there are translations.
  const sizes = [400, ...Array.from({ length: 10 + random(20) }, () => slice)];
  // Between two runs the translator checks for hot code.
  sizes.push(...Array.from({ length: 20 }, () => 100 + random(200)), END);
  for (const [step, size] of sizes.entries()) {
    const goesOn = one.run(size);
    const where = () => `${what}, step ${step} of ${size}`;
    if (other.run(size) !== goesOn) assert.fail(`${where()}: only one of them has ended`);
    if (!goesOn || step % 16 === 0) assert.deepEqual(other.state(), one.state(), where());
    const [a, b] = [one.cpu, other.cpu];
    assert.deepEqual([b.getRegisters(), b.instructions], [a.getRegisters(), a.instructions], where());
    if (!goesOn) break;
    if (ticks && a.readyForInterrupt && b.readyForInterrupt)
      for (const { cpu } of sides) cpu.injectInterrupt(TIMER);
  }
  const same = Buffer.compare(one.memory.view(0, one.memory.size), other.memory.view(0, other.memory.size));
  assert.equal(same, 0, `memory of ${what}`);
}
