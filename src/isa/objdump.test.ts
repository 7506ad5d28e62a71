/** The disassembly says what binutils' objdump says: every row of the table in every mode, form and size. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { randomNumbers } from '../random.js';
import {
  absentOpcodes,
  type CodeSize,
  disassemble,
  type FindRows,
  finderOf,
  type Instruction,
  type Opcode,
  opcodes,
  randomInstruction,
  type Syntax,
} from './index.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-objdump-'));
after(() => rmSync(folder, { recursive: true }));

const SLOT = 32;
const machines: Record<CodeSize, string> = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' };
const prefixWord =
  /^(data16|data32|addr16|addr32|rex(\.[WRXB]+)?|[c-gs]s|repz|repnz|rep|lock|bnd|notrack|xacquire|xrelease)$/;

interface Line {
  length: number;
  text: string;
}

/** Bytes and then a few long NOPs up to the end of a slot: objdump's output has a line for each instruction. */
function padded(bytes: Uint8Array): Uint8Array {
  const slot = new Uint8Array(SLOT).fill(0x66);
  for (const end of [7, 19, 31]) slot[end] = 0x90;
  slot.set(bytes);
  return slot;
}

/** What objdump makes of the first instruction in each slot of `SLOT` bytes. */
function objdump(samples: readonly Uint8Array[], code: CodeSize, syntax: Syntax): (Line | undefined)[] {
  const image = new Uint8Array(samples.length * SLOT);
  for (const [n, bytes] of samples.entries()) image.set(padded(bytes), n * SLOT);
  const file = path.join(folder, 'code.bin');
  writeFileSync(file, image);
  // intel64: where AMD's processors and Intel's differ, the table is Intel's.
  const options = ['-D', '-b', 'binary', '-m', machines[code], '-M', `${syntax},intel64`, '-w', '-z'];
  const out = execFileSync('objdump', [...options, '--insn-width=16', file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const lines = new Map<number, Line>();
  for (const [, at, bytes, text] of out.matchAll(/^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/gm)) {
    lines.set(Number.parseInt(at!, 16), { length: bytes!.trim().split(' ').length, text: text!.trim() });
  }
  return samples.map((_, n) => firstOf(lines, n * SLOT));
}

/** objdump gives prefixes that it cannot use lines of their own: they belong to what follows. */
function firstOf(lines: ReadonlyMap<number, Line>, start: number): Line | undefined {
  let length = 0;
  for (;;) {
    const line = lines.get(start + length);
    if (line === undefined) return undefined;
    length += line.length;
    const words = line.text.split(/\s+/);
    if (!words.every((word) => prefixWord.test(word))) return { length, text: line.text };
  }
}

const hex = (value: bigint) => `0x${value.toString(16)}`;
const wrapped = (sign: string, digits: string, bits: number) =>
  hex(BigInt.asUintN(bits, sign === '-' ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`)));

/** What is written in two ways. Only blanks are changed in ours. */
function normal(text: string, code: CodeSize, addressSize: number): string {
  const words = text.split(/\s+/);
  const shortTarget = code === 32 && words.includes('data16');
  const start = words.findIndex((word) => !prefixWord.test(word));
  // Prefixes that change nothing: objdump names them, we do not. LOCK and repeats of strings are compared.
  const repeats = /^(ins|outs|movs|cmps|stos|lods|scas)/.test(words[start] ?? '');
  const kept = words.filter(
    (word, n) => n >= start || word === 'lock' || (repeats && word.startsWith('rep')),
  );
  return (
    kept
      .join(' ')
      // GDTR's size is no operand's; the debug registers have two names.
      .replace(/^([sl][gi]dt)[wdl]/, '$1')
      .replace('%db', '%dr')
      .replace('OWORD', 'XMMWORD')
      // With 66 these go to 16-bit offsets in 32-bit code; objdump says so for other jumps only.
      .replace(/^((?:j|loop).* 0x)\w+(\w{4})$/, shortTarget ? '$1$2' : '$&')
      // An index that is none is none.
      .replace(
        /(\ws:)?\[[er]iz\*\d([+-])0x(\w+)\]/,
        (_, segment = 'ds:', sign, digits) => segment + wrapped(sign, digits, addressSize),
      )
      .replace(/(-?)0x(\w+)\(,%[er]iz,\d\)/, (_, sign, digits) => wrapped(sign, digits, addressSize))
      .replace(/\+[er]iz\*\d/, '')
      .replace(/,%[er]iz,\d/, '')
      // A displacement of zero, and one that is negative but shown without sign.
      .replace(/([\]\w])\+0x0\]/, '$1]')
      .replace(/(?<=[:, *])0x0\(/, '(')
      .replace(/\+(0xf{8}[0-9a-f]{8})\]/, (_, digits) => `-${hex(2n ** 64n - BigInt(digits))}]`)
      // An address without registers has no sign; one that is 32 bits wide has no more.
      .replace(/(?<=[:, *])-0x(\w+)(?=,|$)/, (_, digits) => wrapped('-', digits, addressSize))
      .replace(/(eip.*# 0x)f{8}(?=\w{8}$)/, '$1')
      .trim()
  );
}

/** Where binutils and the manual differ, the manual is right. */
function isDisputed({ encoding }: Instruction): boolean {
  if (encoding === undefined) return false;
  const { row, operandPrefix, rex } = encoding;
  // 9B is an instruction of its own, and not part of the next one (SDM 2D WAIT).
  if (row.name === 'wait') return true;
  // D6 is SALC (SDM 2D table A-2 leaves it out, all processors have it).
  if (row.name === 'salc') return true;
  // Those of the x87 FPU that do nothing any more, and encodings that the manual leaves out.
  if (/^(fneni|fndisi|fnsetpm|fcom2|fcomp[35]|fxch[47]|fstp[189])$/.test(row.name)) return true;
  // Hints that a processor without the feature passes over: objdump names the feature's instruction, or says (bad).
  if (row.name === 'nop' && [0x0d, 0x18, 0x1a, 0x1b, 0x1c, 0x1e].includes(row.opcode)) return true;
  // ModRM's rm does not count (SDM 2A LFENCE, 2B MFENCE, SFENCE).
  if (/^[lms]fence$/.test(row.name)) return (encoding.modrm & 7) !== 0;
  // Hints are NOPs; binutils name each of them.
  if (row.name === 'nop' && encoding.opcode === 0x18) return true;
  // 66 beside F2 or F3 changes no register file.
  if (/^mov(q2dq|dq2q)$/.test(row.name)) return operandPrefix;
  // 66 does nothing there; binutils 2.40 know no such instruction.
  if (row.name === 'wbinvd') return operandPrefix;
  // The manuals write them without operands; binutils show the registers that they take.
  if (/^(monitorx?|mwaitx?|vmrun|vmload|vmsave|skinit|invlpga|clzero)$/.test(row.name)) return true;
  // As wide as addresses are; a suffix that no operand needs; pseudo-ops that the manual has only for 0, 1, 10h and
  // 11h.
  if (/^(umonitor|xbegin|ptwrite)$/.test(row.name)) return true;
  if (row.name.endsWith('pclmulqdq')) return encoding.immediate === 2n || encoding.immediate === 3n;
  // VEX.L does not count for scalars; the memory of a gather is not written.
  if (/^vmovs[sd]$/.test(row.name) && row.opcode === 0x11) return encoding.wide;
  if (row.name.includes('gather')) return true;
  if ((rex & 8) === 0) return false;
  // REX.W wins over 66 (SDM 2A 2.2.1.2), and a far pointer has 80 bits with it (SDM 2A CALL, JMP, LDS/LES/LFS/LGS/LSS).
  return row.name === 'movsxd'
    ? operandPrefix
    : /^((call|jmp)farind|l[fgs]s|fldenv|fnstenv|fnsave|frstor)$/.test(row.name);
}

/** In pieces of 64 KiB, the most that 16-bit code reaches. */
function compare(samples: readonly Uint8Array[], code: CodeSize, syntax: Syntax): string[] {
  const piece = 0x10000 / SLOT;
  const wrong: string[] = [];
  for (let at = 0; at < samples.length; at += piece) {
    wrong.push(...comparePiece(samples.slice(at, at + piece), code, syntax));
  }
  return wrong;
}

function comparePiece(samples: readonly Uint8Array[], code: CodeSize, syntax: Syntax): string[] {
  const theirs = objdump(samples, code, syntax);
  return samples.flatMap((bytes, n) => {
    const ours = disassemble(padded(bytes), {
      code,
      address: BigInt(n * SLOT),
      syntax,
    });
    if (isDisputed(ours)) return [];
    const bits = ours.encoding?.addressSize ?? code;
    const line = theirs[n];
    const text = normal(line?.text ?? '', code, bits);
    if (line?.length === ours.length && text === normal(ours.text, code, bits)) return [];
    const shown = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return [
      `${code}-bit ${shown}: '${ours.text}' (${ours.length}), objdump '${line?.text}' (${line?.length})`,
    ];
  });
}

/** Bytes without sense. */
function randomBytes(count: number): Uint8Array[] {
  const random = randomNumbers(count);
  return Array.from({ length: count }, () => Uint8Array.from({ length: 16 }, () => random(256)));
}

/** Every row of a table in every form, size and with every prefix that changes it. */
function everyForm(code: CodeSize, rows: readonly Opcode[], find?: FindRows): Uint8Array[] {
  const random = randomNumbers(code);
  const samples: Uint8Array[] = [];
  const prefixes = [[], [0x66], [0x67], [0x64], [0x66, 0x67, 0x26]];
  const rexes = code === 64 ? [0, 0x40, 0x48, 0x4f] : [0];
  for (const row of rows) {
    for (const prefix of prefixes) {
      for (const rex of rexes) {
        for (const memory of [true, false]) {
          const sample = randomInstruction(
            { row, code, memory, prefixes: prefix, rex, ...(find && { find }) },
            random,
          );
          if (sample !== undefined) samples.push(sample.bytes);
        }
      }
    }
  }
  return samples;
}

/** A function that is called at most once. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const noObjdump =
  spawnSync('objdump', ['--version']).status === 0
    ? false
    : 'SKIPPED: no objdump here: apt-get install binutils';

describe('the disassembly', { skip: noObjdump }, () => {
  for (const code of [16, 32, 64] as const) {
    const absent = absentOpcodes();
    // The same for both syntaxes.
    const forms = once(() => everyForm(code, opcodes()));
    const absentForms = once(() => everyForm(code, absent, finderOf(absent)));

    test(`of random bytes in ${code}-bit code is objdump's, where there is an instruction`, () => {
      const samples = randomBytes(4000);
      const known = samples.flatMap((bytes) => {
        const { encoding, length } = disassemble(bytes, { code });
        return encoding?.row.name === undefined ? [] : [bytes.subarray(0, length)];
      });
      assert.ok(known.length > 2000, `${known.length} of 4000`);
      assert.deepEqual(compare(known, code, 'intel').slice(0, 20), []);
    });
    for (const syntax of ['intel', 'att'] as const) {
      test(`of every row in ${code}-bit code is objdump's, in the syntax ${syntax}`, (t) => {
        const samples = forms();
        t.diagnostic(`${samples.length} instructions`);
        const wrong = compare(samples, code, syntax);
        assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differ`);
      });

      test(`of what the software CPU lacks is objdump's in ${code}-bit code, in the syntax ${syntax}`, (t) => {
        const samples = absentForms();
        t.diagnostic(`${samples.length} instructions`);
        const wrong = compare(samples, code, syntax);
        assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differ`);
      });
    }
  }
});
