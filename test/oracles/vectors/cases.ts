/** Instructions on MMX and XMM registers, with registers and memory for each, and the differences afterwards. */

import { type Opcode, opcodes, type Random, randomMxcsr, randomVector } from '../../../src/isa/index.js';
import { randomNumbers } from '../../../src/random.js';
import type { CpuVendor } from '../../../src/x86/index.js';
import { CASE, CODE, FLAGS, GENERAL, MXCSR, OPERAND, ST, STATUS, TAGS, VECTOR, XMM } from './sides.js';

/** One instruction form. */
export interface Form {
  row: Opcode;
  memory: boolean;
}

const state = /^(emms|fxsave|fxrstor|ldmxcsr|stmxcsr)$/;

/** Every row on MMX or XMM registers or their state in its forms; not every host has XSAVE. */
export const forms: readonly Form[] = opcodes()
  .filter(({ operands, name }) => state.test(name) || operands.some((operand) => /^[VWUPQN]/.test(operand)))
  .flatMap((row) => [
    ...(row.form !== 'register' && row.operands.some((operand) => /^[MWQE]/.test(operand))
      ? [{ row, memory: true }]
      : []),
    ...(row.form !== 'memory' ? [{ row, memory: false }] : []),
  ]);

const mandatory = { any: [], none: [], '66': [0x66], f3: [0xf3], f2: [0xf2] } as const;
const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;

/** The instruction's bytes: memory is [rdi], general registers are the first four, XMM registers all sixteen. */
function encode({ row, memory }: Form, random: Random): number[] {
  const { operands, reg } = row;
  const field = (letters: RegExp, general: RegExp) => {
    if (operands.some((operand) => letters.test(operand))) return random(16);
    return operands.some((operand) => general.test(operand)) ? random(4) : random(8);
  };
  const regField = reg >= 0 ? reg : field(/^V/, /^G/);
  const rmField = memory ? 7 : field(/^[WU]/, /^[ER]/);
  const sized = operands.some((operand) => /^.y/.test(operand)) || row.name.startsWith('pcmpestr');
  const wide = sized && random(2) === 0 ? 8 : 0;
  const rex = 0x40 | wide | ((regField & 8) >> 1) | (rmField >> 3);
  const modrm = (memory ? 0 : 0xc0) | ((regField & 7) << 3) | (rmField & 7);
  const imm = operands.includes('Ib') ? [random(4) === 0 ? random(256) : random(16)] : [];
  return [
    ...mandatory[row.prefix],
    ...(rex === 0x40 ? [] : [rex]),
    ...escapes[row.map],
    row.opcode,
    ...(operands.length === 0 ? [] : [modrm]),
    ...imm,
  ];
}

/** Cases for the forms, one after another. */
export function randomCases(list: readonly Form[], count: number, seed: number): Uint8Array {
  const random = randomNumbers(seed);
  const cases = new Uint8Array(count * CASE);
  const view = new DataView(cases.buffer);
  for (let n = 0; n < count; n++) {
    const at = n * CASE;
    const form = list[n % list.length]!;
    const code = encode(form, random);
    view.setUint8(at + CODE, code.length);
    cases.set(code, at + CODE + 1);
    view.setUint16(at, 0x37f, true);
    view.setUint16(at + STATUS, random(8) << 11, true);
    view.setUint8(at + TAGS, random(256));
    view.setUint32(at + MXCSR, randomMxcsr(random), true);
    for (let register = 0; register < 8; register++) {
      randomVector(view, at + ST + 16 * register, random);
      cases.fill(0, at + ST + 16 * register + 10, at + ST + 16 * register + 16);
    }
    for (let register = 0; register < 16; register++) randomVector(view, at + XMM + 16 * register, random);
    for (let register = 0; register < 4; register++) {
      view.setUint32(at + GENERAL + 8 * register, random(2) === 0 ? random(20) : random(2 ** 32), true);
      view.setInt32(at + GENERAL + 8 * register + 4, random(3) === 0 ? random(2 ** 32) : 0, true);
    }
    for (let part = 0; part < 512; part += 16) randomVector(view, at + OPERAND + part, random);
    // Values for LDMXCSR and FXRSTOR are mostly valid.
    const loaded = form.row.name === 'ldmxcsr' ? 0 : MXCSR;
    if (/^(ldmxcsr|fxrstor)$/.test(form.row.name) && random(8) > 0) {
      view.setUint32(at + OPERAND + loaded, randomMxcsr(random), true);
    }
    view.setUint32(at + FLAGS, random(0x1000) & 0x8d5, true);
  }
  return cases;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** 1.5 * 2^-12 is the manual's limit for an estimate. */
function isClose(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= 2 * 1.5 * 2 ** -12 * Math.abs(b);
}

function sameEstimates(soft: DataView, host: DataView, at: number): boolean {
  return [0, 4, 8, 12].every((n) => isClose(soft.getFloat32(at + n, true), host.getFloat32(at + n, true)));
}

/** MXCSR_MASK as FXSAVE gives it: AMD's has bit 17, MM, of its misaligned SSE mode (APM 2 11.3.2). */
const MISALIGNED = 0x20000;
const mxcsrMasks: Record<CpuVendor, number> = { intel: 0xffff, amd: 0xffff | MISALIGNED };
const MXCSR_MASK = MXCSR + 4;

/** True if a value for MXCSR is a #GP for Intel, and AMD's misaligned SSE mode. */
const asksMisaligned = (name: string, soft: DataView, at: number) =>
  /^(ldmxcsr|fxrstor)$/.test(name) &&
  (soft.getUint32(at + OPERAND + (name === 'ldmxcsr' ? 0 : MXCSR), true) & ~0xffff) === MISALIGNED;

/** True if two vectors differ in single-precision elements that are NaNs on both sides, and in nothing else. */
const differInNans = (soft: DataView, host: DataView, at: number) =>
  [0, 4, 8, 12].every(
    (n) =>
      soft.getUint32(at + n, true) === host.getUint32(at + n, true) ||
      (Number.isNaN(soft.getFloat32(at + n, true)) && Number.isNaN(host.getFloat32(at + n, true))),
  );

/**
 * The differences, as text: empty if there are none. The software CPU behaves like Intel's processors; on an AMD host,
 * AMD's differences must have AMD's result.
 */
export function differences(
  { row }: Form,
  soft: DataView,
  host: DataView,
  at: number,
  vendor: CpuVendor = 'intel',
): string[] {
  if (vendor === 'amd' && asksMisaligned(row.name, soft, at)) return [];
  const found: string[] = [];
  const part = (view: DataView, from: number, length: number) =>
    new Uint8Array(view.buffer, view.byteOffset + at + from, length);
  const compare = (what: string, from: number, length: number) => {
    const [ours, theirs] = [hex(part(soft, from, length)), hex(part(host, from, length))];
    if (ours !== theirs) found.push(`${what} ${ours}, on the host ${theirs}`);
  };
  const estimates = /^r(cp|sqrt)/.test(row.name);
  const agrees = (from: number) =>
    (estimates && sameEstimates(soft, host, from)) ||
    // Which of several NaNs DPPS returns depends on the processor.
    (vendor === 'amd' && row.name === 'dpps' && differInNans(soft, host, from));
  compare('vector', VECTOR, 4);
  compare('mxcsr', MXCSR, 2);
  compare('status', STATUS, 2);
  compare('tags', TAGS, 1);
  for (let n = 0; n < 8; n++) compare(`st${n}`, ST + 16 * n, 10);
  for (let n = 0; n < 16; n++) {
    if (!agrees(at + XMM + 16 * n)) compare(`xmm${n}`, XMM + 16 * n, 16);
  }
  for (let n = 0; n < 4; n++) compare(['rax', 'rcx', 'rdx', 'rbx'][n]!, GENERAL + 8 * n, 8);
  const [ours, theirs] = [soft.getUint32(at + FLAGS, true) & 0x8d5, host.getUint32(at + FLAGS, true) & 0x8d5];
  if (ours !== theirs) found.push(`flags ${ours.toString(16)}, on the host ${theirs.toString(16)}`);
  // Instruction and data pointers are the addresses of another place; the last bytes are for programs to use.
  if (row.name !== 'fxsave') compare('memory', OPERAND, 512);
  else {
    for (const [from, to] of [
      [0, 6],
      [MXCSR, MXCSR_MASK],
      [MXCSR_MASK + 4, 416],
    ] as const)
      compare('memory', OPERAND + from, to - from);
    const [own, its] = [soft, host].map((view) => view.getUint32(at + OPERAND + MXCSR_MASK, true));
    if (own !== mxcsrMasks.intel || its !== mxcsrMasks[vendor]) {
      found.push(`MXCSR_MASK ${own!.toString(16)}, on the host ${its!.toString(16)}`);
    }
  }
  return found;
}

/** The case as text. */
export function describeCase({ row }: Form, before: DataView, at: number): string {
  const part = (from: number, length: number) =>
    hex(new Uint8Array(before.buffer, before.byteOffset + at + from, length));
  const modrm = before.getUint8(
    at + CODE + before.getUint8(at + CODE) - (row.operands.includes('Ib') ? 1 : 0),
  );
  const code = part(CODE + 1, before.getUint8(at + CODE));
  const [rex = 0x40] = (code.match(/4[0-9a-f](?=0f)/) ?? []).map((byte) => Number.parseInt(byte, 16));
  const reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  const rm = (modrm & 7) | ((rex & 1) << 3);
  const mxcsr = before.getUint32(at + MXCSR, true).toString(16);
  const operand = modrm < 0xc0 ? `memory ${part(OPERAND, 16)}` : `xmm${rm} ${part(XMM + 16 * rm, 16)}`;
  return `${row.name} ${row.operands.join(',')} (${code}) mxcsr ${mxcsr}, xmm${reg} ${part(XMM + 16 * reg, 16)}, ${operand}`;
}
