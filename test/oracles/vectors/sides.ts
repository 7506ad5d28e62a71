/**
 * The two compared sides: the host's own processor, by a small C program, and the software CPU in ring 3 of long mode.
 * Both take cases of the form that oracle.c describes.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { softProgram } from '../../../src/engine/soft/host/testing.js';
import { softEngine } from '../../../src/engine/soft/index.js';
import * as L from '../../../src/engine/soft/layout.js';
import { CODE as CODE_AT, DATA, LongModeSide } from '../../support/long-mode.js';
import { noGcc } from '../../support.js';

export const CASE = 1088;
export const CODE = 512;
export const VECTOR = 528;
export const FLAGS = 532;
export const GENERAL = 536;
export const OPERAND = 576;
/** Offsets in the state, as in FXSAVE. */
export const TAGS = 4;
export const STATUS = 2;
export const MXCSR = 24;
export const ST = 32;
export const XMM = 160;

const general = ['rax', 'rcx', 'rdx', 'rbx'] as const;

/** Why the host cannot be the reference: the value of a test's `skip`. */
export function noOracle(): string | false {
  if (process.arch !== 'x64') return 'SKIPPED: this host has no SSE to compare with';
  return noGcc;
}

/** Compiles a source of this folder and returns the result of `use` for the file. */
function compiled<T>(source: string, options: readonly string[], use: (file: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-vectors-'));
  try {
    const file = path.join(folder, 'program');
    execFileSync('gcc', [...options, '-o', file, path.resolve('test/oracles/vectors', source)], {
      stdio: 'pipe',
    });
    return use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The host's results for the cases. */
export function runOnHost(cases: Uint8Array): Uint8Array {
  const options = ['-O1', '-mno-red-zone'];
  return compiled('oracle.c', options, (file) =>
    Uint8Array.from(execFileSync(file, { input: cases, maxBuffer: cases.length + 1 })),
  );
}

const everything =
  '-O3 -march=x86-64-v2 -mbmi -mbmi2 -mlzcnt -mmovbe -ffp-contract=off -fno-math-errno'.split(' ');
const alone = `-ffreestanding -fno-pic -mno-red-zone -nostdlib -static -fno-stack-protector
  -fno-asynchronous-unwind-tables -Wl,-N,--build-id=none,-Ttext=0x${CODE_AT.toString(16)},--oformat=binary,-estart`;

/** The result of program.c on the host. */
export function programOnHost(): Uint8Array {
  return compiled('program.c', [...everything, '-DHOST'], (file) => Uint8Array.from(execFileSync(file)));
}

/** Its result on the software CPU, `length` bytes, in ring 3 of long mode. */
export function programOnSoft(length: number): Uint8Array {
  using side = new LongModeSide(softEngine(softProgram()));
  const image = compiled('program.c', [...everything, ...alone.split(/\s+/)], (file) => readFileSync(file));
  side.memory.writeBytes(CODE_AT, image);
  side.enter(3, (system) => Object.assign(system, { cr4: 0x620n }));
  const registers = side.cpu.getRegisters();
  // As after a call: the stack is 8 bytes off a multiple of 16.
  Object.assign(registers, {
    rip: BigInt(CODE_AT),
    rdi: BigInt(DATA),
    rsp: BigInt(DATA + 0x3ff8),
    rflags: 2n,
  });
  side.cpu.setRegisters(registers);
  side.cpu.setTimer(20_000, 0);
  side.cpu.run();
  return side.memory.view(DATA, length).slice();
}

/** The software CPU's results, in place. */
export function runOnSoft(cases: Uint8Array): void {
  using side = new LongModeSide(softEngine(softProgram()));
  const engine = new DataView(side.memory.buffer);
  const bytes = new Uint8Array(side.memory.buffer);
  const code = side.memory.view(CODE_AT, 16);
  const operand = side.memory.view(DATA, CASE - OPERAND);
  const view = new DataView(cases.buffer, cases.byteOffset, cases.length);
  const start = side.cpu.getRegisters();
  for (let at = 0; at < cases.length; at += CASE) {
    const registers = { ...start, rip: BigInt(CODE_AT), rsp: BigInt(DATA + 0x3000), rdi: BigInt(DATA) };
    for (const [n, name] of general.entries())
      registers[name] = view.getBigUint64(at + GENERAL + 8 * n, true);
    registers.rflags = BigInt(view.getUint32(at + FLAGS, true) & 0xcd5) | 2n;
    putState(view, at, engine, bytes);
    code.set(cases.subarray(at + CODE + 1, at + CODE + 16));
    operand.set(cases.subarray(at + OPERAND, at + CASE));
    // PAE, OSFXSR, OSXMMEXCPT
    const result = side.run(registers, 3, (system) => Object.assign(system, { cr4: 0x620n }));
    view.setUint32(at + VECTOR, result?.vector ?? 0, true);
    for (const [n, name] of general.entries()) {
      view.setBigUint64(at + GENERAL + 8 * n, result?.registers[name] ?? 0n, true);
    }
    view.setUint32(at + FLAGS, Number((result?.registers.rflags ?? 0n) & 0xffffn), true);
    takeState(view, at, engine, bytes);
    cases.set(operand, at + OPERAND);
  }
}

/** The offset of ST(n). */
const place = (status: number, n: number) => L.FPU_REGISTERS + 16 * (((status >> 11) + n) & 7);

function putState(view: DataView, at: number, engine: DataView, bytes: Uint8Array): void {
  const from = new Uint8Array(view.buffer, view.byteOffset + at, 512);
  const status = view.getUint16(at + STATUS, true);
  engine.setUint16(L.FPU_CONTROL, view.getUint16(at, true), true);
  engine.setUint16(L.FPU_STATUS, status, true);
  engine.setUint8(L.FPU_TAGS, view.getUint8(at + TAGS));
  for (let n = 0; n < 8; n++) bytes.set(from.subarray(ST + 16 * n, ST + 16 * n + 10), place(status, n));
  engine.setUint32(L.MXCSR, view.getUint32(at + MXCSR, true), true);
  bytes.set(from.subarray(XMM, XMM + 256), L.XMM_REGISTERS);
}

function takeState(view: DataView, at: number, engine: DataView, bytes: Uint8Array): void {
  const to = new Uint8Array(view.buffer, view.byteOffset + at, 512);
  const status = engine.getUint16(L.FPU_STATUS, true);
  view.setUint16(at, engine.getUint16(L.FPU_CONTROL, true), true);
  view.setUint16(at + STATUS, status, true);
  view.setUint8(at + TAGS, engine.getUint8(L.FPU_TAGS));
  for (let n = 0; n < 8; n++) {
    const from = place(status, n);
    to.set(bytes.subarray(from, from + 10), ST + 16 * n);
  }
  view.setUint32(at + MXCSR, engine.getUint32(L.MXCSR, true), true);
  to.set(bytes.subarray(L.XMM_REGISTERS, L.XMM_REGISTERS + 256), XMM);
}
