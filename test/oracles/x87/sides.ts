/**
 * The two compared sides: the host's own x87 FPU, by a small C program, and the software CPU. Both take cases of the
 * form that oracle.c describes.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newControl } from '../../../src/engine/contract/index.js';
import { softProgram } from '../../../src/engine/soft/host/testing.js';
import { cpuFeatures, cpuidModel, softEngine } from '../../../src/engine/soft/index.js';
import * as L from '../../../src/engine/soft/layout.js';
import { GuestMemory } from '../../../src/memory/index.js';
import { hostCpuVendor } from '../../../src/runtime/index.js';
import { noGcc } from '../../support.js';

export const CASE = 256;
export const STATE = 0;
export const CODE = 108;
export const FLAGS = 124;
export const OPERAND = 128;
/** The offset of the registers in a state: after seven words of 32 bits. */
export const REGISTERS = 28;

/** Why the host cannot be the reference: the value of a test's `skip`. */
export function noOracle(): string | false {
  if (process.arch !== 'x64') return 'SKIPPED: this host has no x87 FPU to compare with';
  return noGcc;
}

/** Compiles a program of this folder and runs it with its input. */
function runProgram(source: string, libraries: readonly string[], input: Uint8Array): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-x87-'));
  try {
    const program = path.join(folder, 'program');
    const file = path.resolve('test/oracles/x87', source);
    execFileSync('gcc', ['-O1', '-mno-red-zone', '-o', program, file, ...libraries], { stdio: 'pipe' });
    return execFileSync(program, { input, maxBuffer: input.length + 1 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The host's results for the cases. */
export function runOnHost(cases: Uint8Array): Uint8Array {
  return runProgram('oracle.c', [], cases);
}

/** The error of each result, in units of its last bit; `functionOf` returns truth.c's number for a case's function. */
export function distances(
  before: Uint8Array,
  after: Uint8Array,
  functionOf: (n: number) => number,
): Float64Array {
  const count = before.length / CASE;
  const records = new Uint8Array(count * 32);
  const [x, y] = [REGISTERS, REGISTERS + 10];
  for (let n = 0; n < count; n++) {
    const at = n * CASE;
    records[n * 32] = functionOf(n);
    records.set(before.subarray(at + x, at + x + 20), n * 32 + 2);
    // FPTAN has pushed a 1 onto its result.
    const result = functionOf(n) === 2 ? y : x;
    records.set(after.subarray(at + result, at + result + 10), n * 32 + 22);
  }
  const output = Uint8Array.from(runProgram('truth.c', ['-lquadmath'], records));
  return new Float64Array(output.buffer);
}

const CODE_AT = 0x1000;
const OPERAND_AT = 0x2000;

/**
 * The results of the software CPU, with the host's vendor, in place. It runs in real mode, where the byte of ModRM that
 * is [rdi] on the host is [bx]. Each instruction gets `prefix` in front.
 */
export function runOnSoft(cases: Uint8Array, prefix: readonly number[] = []): void {
  const memory = GuestMemory.create([{ address: 0, size: 0x10000 }]);
  const vm = softEngine(softProgram(), cpuidModel(cpuFeatures, hostCpuVendor())).createVm(memory);
  const cpu = vm.createCpu(newControl());
  const system = cpu.getSystemRegisters();
  Object.assign(system.cs, { base: 0n, selector: 0 });
  cpu.setSystemRegisters(system);
  const engine = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const ram = memory.view(0, 0x10000);
  const view = new DataView(cases.buffer, cases.byteOffset, cases.length);
  const registers = cpu.getRegisters();
  registers.rip = BigInt(CODE_AT);
  registers.rbx = BigInt(OPERAND_AT);
  for (let at = 0; at < cases.length; at += CASE) {
    registers.rflags = BigInt(view.getUint32(at + FLAGS, true) & 0xcd5) | 2n;
    cpu.setRegisters(registers);
    putState(view, at, engine, bytes);
    ram.set(prefix, CODE_AT);
    ram.set(cases.subarray(at + CODE + 1, at + CODE + 16), CODE_AT + prefix.length);
    ram.set(cases.subarray(at + OPERAND, at + CASE), OPERAND_AT);
    cpu.step();
    const after = cpu.getRegisters();
    const length = prefix.length + view.getUint8(at + CODE);
    // After an exception RIP is in its handler, after an unsupported instruction at it.
    assert.equal(after.rip, BigInt(CODE_AT + length), 'the software CPU does not do an instruction');
    view.setUint32(at + FLAGS, Number(after.rflags), true);
    takeState(view, at, engine, bytes);
    cases.set(ram.subarray(OPERAND_AT, OPERAND_AT + CASE - OPERAND), at + OPERAND);
  }
  vm[Symbol.dispose]();
  memory.release(false);
}

function putState(view: DataView, at: number, engine: DataView, bytes: Uint8Array): void {
  const status = view.getUint16(at + 4, true);
  const tags = view.getUint16(at + 8, true);
  engine.setUint16(L.FPU_CONTROL, view.getUint16(at, true), true);
  engine.setUint16(L.FPU_STATUS, status, true);
  let used = 0;
  for (let n = 0; n < 8; n++) if (((tags >> (2 * n)) & 3) !== 3) used |= 1 << n;
  engine.setUint8(L.FPU_TAGS, used);
  const top = (status >> 11) & 7;
  for (let n = 0; n < 8; n++) {
    const from = view.byteOffset + at + REGISTERS + 10 * n;
    bytes.set(new Uint8Array(view.buffer, from, 10), L.FPU_REGISTERS + 16 * ((top + n) & 7));
  }
}

/** Control and status word, which registers are empty, and the numbers, as FNSAVE puts them. */
function takeState(view: DataView, at: number, engine: DataView, bytes: Uint8Array): void {
  const status = engine.getUint16(L.FPU_STATUS, true);
  const used = engine.getUint8(L.FPU_TAGS);
  view.setUint16(at, engine.getUint16(L.FPU_CONTROL, true), true);
  view.setUint16(at + 4, status, true);
  let tags = 0;
  for (let n = 0; n < 8; n++) if (((used >> n) & 1) === 0) tags |= 3 << (2 * n);
  view.setUint16(at + 8, tags, true);
  const top = (status >> 11) & 7;
  const out = new Uint8Array(view.buffer, view.byteOffset);
  for (let n = 0; n < 8; n++) {
    const from = L.FPU_REGISTERS + 16 * ((top + n) & 7);
    out.set(bytes.subarray(from, from + 10), at + REGISTERS + 10 * n);
  }
}

/** Reduces the host's tags to those of `takeState`: empty or not. */
export function cutTags(tags: number): number {
  let empty = 0;
  for (let n = 0; n < 8; n++) if (((tags >> (2 * n)) & 3) === 3) empty |= 3 << (2 * n);
  return empty;
}
