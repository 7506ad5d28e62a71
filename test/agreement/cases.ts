/**
 * Random instructions of 64-bit code in ring 3, with registers, flags and memory for each: what two engines are compared on.
 */
import type { Registers } from '../../src/engine/contract.js';
import {
  type Encoding,
  hasModrm,
  type Opcode,
  opcodes,
  type Random,
  randomInstruction,
} from '../../src/isa/index.js';
import { CODE, DATA, DATA_SIZE, general, HOLE, READ_ONLY, SUPERVISOR } from './long-mode.js';

/** One instruction and the state that it meets. */
export interface Case {
  row: Opcode;
  encoding: Encoding;
  bytes: Uint8Array;
  registers: Registers;
}

const edges = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];
edges.push(0x7fffffff_ffffffffn, 0x80000000_00000000n, 0xffffffff_ffffffffn);

const oneOf = <T>(random: Random, values: readonly T[]): T => values[random(values.length)]!;

function random64(random: Random): bigint {
  return (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
}

function randomValue(random: Random): bigint {
  const kind = random(8);
  if (kind < 3) return oneOf(random, edges);
  if (kind === 3) return BigInt(random(256));
  if (kind === 4) return BigInt.asUintN(64, -BigInt(random(256)));
  return random64(random);
}

/** Where a memory operand is to be: most of the time where it may be. */
function randomTarget(random: Random): bigint {
  const offset = random(0x40) * 8 + random(2) * random(8);
  switch (random(24)) {
    case 0:
      return BigInt(READ_ONLY + offset);
    case 1:
      return BigInt(SUPERVISOR + offset);
    case 2:
      return BigInt(HOLE + offset);
    case 3:
      // Over the end of the pages that may be written.
      return BigInt(DATA + DATA_SIZE - random(16));
    case 4:
      // Not canonical.
      return 0x8000_0000_0000n - BigInt(random(16));
    case 5:
      // From one page to the next.
      return BigInt(DATA + 0x1000 - random(16));
    default:
      return BigInt(DATA + 0x800 + offset);
  }
}

/**
 * What rings, descriptor tables, ports and the host's own processor give is not for ring 3 to compare; FS and GS may be the
 * monitor's below, and so are some flags that PUSHF shows.
 */
const left =
  /^(in.*|out.*|callfar.*|jmpfar.*|retfar|int.*|into|iret|sys.*|swapgs|popsegment|pushsegment|movfromsegment|movtosegment|lss|lfs|lgs|sldt|str|lar|lsl|verr|verw|sgdt|sidt|smsw|cpuid|rdtscp?|rdpid|(rd|wr)[fg]sbase|rdpmc|pushf|popf|arpl|wait)$/;

/** The x87 FPU and vectors have comparisons of their own: test/x87.test.ts, test/vectors.test.ts. */
const elsewhere = /^(emms|fxsave|fxrstor|xsave|xrstor|xgetbv|xsetbv|ldmxcsr|stmxcsr)$/;

/** The rows that can be compared in ring 3 of long mode. */
export const comparable: readonly Opcode[] = opcodes().filter(
  ({ no64, name, map, opcode, operands }) =>
    !no64 &&
    !left.test(name) &&
    !elsewhere.test(name) &&
    !(map === 0 && opcode >> 3 === 0x1b) &&
    !operands.some((operand) => /^[VWUPQN]/.test(operand)),
);

const prefixChoices = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x2e];

function randomPrefixes(row: Opcode, random: Random): number[] {
  const prefixes: number[] = [];
  if (random(3) === 0) prefixes.push(0x66);
  if (random(8) === 0) prefixes.push(0x67);
  // F3 makes other instructions of BSF and BSR, which not every processor has: TZCNT, LZCNT.
  if (random(16) === 0 && !/^bs[fr]$/.test(row.name)) prefixes.push(oneOf(random, prefixChoices));
  if (row.prefix !== 'any' && !row.vex) return prefixes.filter((byte) => byte !== 0xf2 && byte !== 0xf3);
  if (row.meaning.kind === 'repeat' && random(2) === 0) prefixes.push(oneOf(random, [0xf2, 0xf3]));
  return prefixes;
}

/** The place of the displacement of a rip-relative operand: behind ModRM. */
function displacementAt(bytes: Uint8Array, encoding: Encoding): number {
  let at = 0;
  while (bytes[at] !== encoding.opcode || (encoding.row.map === 1 && bytes[at - 1] !== 0x0f)) at++;
  return at + 2;
}

/** Sets registers, or the displacement, so that the memory operand lies at `target`. */
function aim(bytes: Uint8Array, encoding: Encoding, registers: Registers, target: bigint): void {
  const { memory } = encoding;
  if (memory === undefined) return;
  if (memory.ripRelative) {
    const distance = target - registers.rip - BigInt(encoding.length);
    new DataView(bytes.buffer).setInt32(
      displacementAt(bytes, encoding),
      Number(BigInt.asIntN(32, distance)),
      true,
    );
    return;
  }
  const { base, index, scale, displacement } = memory;
  if (base >= 0) {
    const indexed = index >= 0 && index !== base ? registers[general[index]!] * BigInt(scale) : 0n;
    const rest = target - displacement - indexed;
    const parts = index === base ? BigInt(scale) + 1n : 1n;
    registers[general[base]!] = BigInt.asUintN(64, rest / parts);
  } else if (index >= 0) {
    registers[general[index]!] = BigInt.asUintN(64, (target - displacement) / BigInt(scale));
  }
}

function randomRegisters(random: Random): Registers {
  const registers = { rip: 0n, rflags: 0n } as Registers;
  for (const name of general) registers[name] = randomValue(random);
  registers.rsp = random(32) === 0 ? randomTarget(random) : BigInt(DATA + 0x2000 + 8 * random(0x100));
  // IF is on: the flags that a program may change besides are DF, AC without CR0.AM, and ID.
  const df = random(4) === 0 ? 0x400 : 0;
  registers.rflags = BigInt(0x202 | (random(0x1000) & 0x8d5) | df);
  // Some instructions lie over the end of their page.
  registers.rip = BigInt(random(8) === 0 ? CODE + 0x1000 - random(8) - 1 : CODE + random(0x100));
  return registers;
}

/** Registers that an instruction names by itself: strings, XLAT, ENTER, shifts by CL. */
function aimImplied(row: Opcode, registers: Registers, random: Random): void {
  const { name, meaning } = row;
  if (meaning.kind === 'repeat') {
    registers.rsi = randomTarget(random);
    registers.rdi = randomTarget(random);
    registers.rcx = BigInt(random(4));
  } else if (name === 'xlat') registers.rbx = randomTarget(random);
  else if (name === 'leave' || name === 'enter') registers.rbp = randomTarget(random);
  else if (name === 'cmpxchg' && random(2) === 0) registers.rax = randomValue(random);
  else if (/^i?div$/.test(name) && random(2) === 0) registers.rdx = BigInt(random(3));
}

/** A case of a random row; undefined where the row has no such form. */
export function randomCase(random: Random, rows: readonly Opcode[] = comparable): Case | undefined {
  const row = oneOf(random, rows);
  const rex = random(2) === 0 ? 0 : 0x40 | random(16);
  const memory = random(2) === 0;
  const wanted = { row, code: 64 as const, memory, prefixes: randomPrefixes(row, random), rex };
  const sample = randomInstruction(wanted, random);
  if (sample === undefined) return undefined;
  const { bytes, encoding } = sample;
  const registers = randomRegisters(random);
  aimImplied(row, registers, random);
  if (hasModrm(row)) aim(bytes, encoding, registers, randomTarget(random));
  // KVM without VMX or SVM says #UD of this and that where the stack pointer is not canonical.
  if (registers.rsp >> 47n !== 0n) return undefined;
  return { row, encoding, bytes, registers };
}
