/**
 * Random programs with loops, calls, indirect jumps and code that changes itself: interpreted and translated, they are in the
 * same state wherever they are stopped.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ExitKind, newControl } from '../../src/engine/contract/index.js';
import { softEngine, type TranslateMode } from '../../src/engine/soft/index.js';
import { opcodes, type Random, randomInstruction, randomNumbers } from '../../src/isa/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import { DATA, type ModeName, modes } from '../../src/verify/modes.js';
import { registersWith } from '../../src/x86/index.js';
import { root } from '../support.js';

const file = path.join(root, 'dist/soft.wasm');
const program = new WebAssembly.Module(readFileSync(file));
const engineOf = (mode: TranslateMode) =>
  softEngine(program, undefined, { mode, bytes: () => readFileSync(file) });

const PROGRAMS = Number(process.env.TERRARIUM_SOAK ?? 12);
const SLICES = [1, 2, 3, 7, 100, 1000, 100_000];
const ROUNDS = 300;
const CODE = 0x100000;
const COUNTER = DATA + 0x100;
const TABLE = DATA + 0x200;
const STACK = DATA + 0x3000;

const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

/** Instructions on registers that neither branch nor leave the guest. */
const rows = opcodes().filter(
  ({ meaning, protectedOnly, operands }) =>
    /^(read|modify|write|swap|give|take|vector|compare)$/.test(meaning.kind) &&
    !protectedOnly &&
    !operands.some((operand) => /^[SCDOMX]/.test(operand)),
);

function someInstructions(random: Random, code: 32 | 64): number[] {
  const bytes: number[] = [];
  for (let left = 1 + random(6); left > 0; ) {
    const row = rows[random(rows.length)]!;
    const rex = code === 64 && random(2) === 0 ? 0x40 | random(16) : 0;
    const made = randomInstruction(
      { row, code, memory: false, prefixes: random(4) === 0 ? [0x66] : [], rex },
      random,
    );
    if (made === undefined) continue;
    bytes.push(...made.bytes);
    left--;
  }
  return bytes;
}

/** A memory operand in the data window, by EBX: add, or, sub, mov either way; bytes, words and doublewords. */
function memoryInstruction(random: Random): number[] {
  const opcode = [0x00, 0x01, 0x02, 0x03, 0x08, 0x29, 0x33, 0x39, 0x88, 0x89, 0x8a, 0x8b, 0x86, 0x87][
    random(14)
  ]!;
  const register = [0, 2, 6, 7][random(4)]!;
  return [...(random(4) === 0 ? [0x66] : []), opcode, 0x83 | (register << 3), ...word(random(0x800))];
}

/** A program that runs its loop ROUNDS times and halts or faults, which is a halt too. */
function makeProgram(random: Random, code: 32 | 64, base: number): number[] {
  const bytes: number[] = [];
  const here = () => base + bytes.length;
  const emit = (...more: number[]) => bytes.push(...more);
  const patchable: number[] = [];
  const body = () => {
    for (let n = random(4); n >= 0; n--) {
      emit(...someInstructions(random, code));
      emit(0xbb, ...word(DATA)); // mov ebx, DATA
      for (let m = random(3); m > 0; m--) emit(...memoryInstruction(random));
      if (random(2) === 0) {
        // A branch over an instruction that others change.
        emit(0x0f, 0x80 | random(16), ...word(3));
        patchable.push(here() + 2);
        emit(0x83, 0xc0, random(256)); // add eax, imm8
      }
      if (random(6) === 0 && patchable.length > 0)
        emit(0xc6, 0x04, 0x25, ...word(patchable[random(patchable.length)]!), random(256));
    }
  };
  const functions: number[] = [];
  emit(0xe9, 0, 0, 0, 0);
  for (let n = 0; n < 3; n++) {
    functions.push(here());
    body();
    emit(0xc3);
  }
  const start = here();
  bytes.splice(1, 4, ...word(start - base - 5));
  emit(0xc7, 0x04, 0x25, ...word(COUNTER), ...word(ROUNDS)); // mov dword [COUNTER], ROUNDS
  for (const [n, address] of functions.entries()) {
    emit(0xc7, 0x04, 0x25, ...word(TABLE + 8 * n), ...word(address));
    emit(0xc7, 0x04, 0x25, ...word(TABLE + 8 * n + 4), ...word(0));
  }
  const again = here();
  emit(0xbc, ...word(STACK)); // mov esp, STACK
  body();
  emit(0xbc, ...word(STACK));
  emit(0xe8, ...word(functions[random(3)]! - here() - 5));
  emit(0xbc, ...word(STACK));
  emit(0xff, 0x14, 0x25, ...word(TABLE + 8 * random(3))); // call [TABLE]
  if (random(2) === 0) emit(0x50 | [0, 1, 2][random(3)]!, 0x58 | [0, 1, 2][random(3)]!); // push, pop
  if (random(3) === 0) emit(0xbf, ...word(DATA + 0x400), 0xb9, ...word(random(40)), 0xf3, 0xaa); // rep stosb
  emit(0xff, 0x0c, 0x25, ...word(COUNTER)); // dec dword [COUNTER]
  emit(0x0f, 0x85, ...word(again - here() - 6));
  emit(0xf4);
  return bytes;
}

class Side implements Disposable {
  readonly memory: GuestMemory;
  readonly #vm;
  readonly cpu;

  constructor(translate: TranslateMode, mode: ModeName) {
    this.memory = GuestMemory.create([{ address: 0, size: modes[mode].memory }]);
    this.#vm = engineOf(translate).createVm(this.memory);
    this.cpu = this.#vm.createCpu(newControl());
  }

  start(mode: ModeName, code: readonly number[], base: number): void {
    const { cpu, memory } = this;
    memory.view(0, memory.size).fill(0);
    modes[mode].prepare(memory);
    memory.writeBytes(base, Uint8Array.from(code));
    const system = cpu.getSystemRegisters();
    modes[mode].system(system);
    cpu.setSystemRegisters(system);
    cpu.setRegisters(registersWith({ rip: BigInt(base), rflags: modes[mode].flags }));
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
    this.#vm[Symbol.dispose]();
    this.memory.release(false);
  }
}

for (const mode of ['long', 'protected'] as const) {
  test(`random programs in ${mode} mode are the same interpreted and translated`, () => {
    const random = randomNumbers(mode === 'long' ? 21 : 22);
    using interpreted = new Side('off', mode);
    using translated = new Side('eager', mode);
    for (let n = 0; n < PROGRAMS; n++) {
      const base = CODE + random(4096);
      const code = makeProgram(random, modes[mode].code as 32 | 64, base);
      for (const side of [interpreted, translated]) side.start(mode, code, base);
      const slice = SLICES[random(SLICES.length)]!;
      // Short slices see the beginning alone, and translations are made in longer ones.
      const sizes = [5000, ...Array.from({ length: slice < 1000 ? 200 : 50 }, () => slice), 10_000_000];
      for (const [step, size] of sizes.entries()) {
        const goesOn = interpreted.run(size);
        const what = `program ${n}, step ${step} of ${size}`;
        assert.equal(translated.run(size), goesOn, what);
        assert.deepEqual(translated.state(), interpreted.state(), what);
        if (!goesOn) break;
      }
      const same = Buffer.compare(
        interpreted.memory.view(0, interpreted.memory.size),
        translated.memory.view(0, translated.memory.size),
      );
      assert.equal(same, 0, `memory of program ${n}`);
    }
    assert.ok(translated.cpu.translation!.functions > PROGRAMS);
    assert.equal(translated.cpu.translation!.stopped, undefined);
  });
}
