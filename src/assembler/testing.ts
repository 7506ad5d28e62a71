/** Shared code of the assembler's tests: the peers' bytes for many lines, and random lines from the opcode table. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CodeSize, disassemble, opcodes, randomInstruction, type Syntax } from '../isa/index.js';
import { randomNumbers } from '../random.js';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;

/** Why a peer cannot be used here, or false. */
export const noAs = has('as') ? false : 'SKIPPED: no GNU as here: apt-get install binutils';
export const noNasm = has('nasm') ? false : 'SKIPPED: no nasm here: apt-get install nasm';

/** Bytes between the lines' starts, and what fills them. */
const SLOT = 32;
const FILL = 'cc';

export interface Answer {
  readonly line: string;
  /** The bytes of its slot as hexadecimal digits: those of the line, then filling. */
  readonly slot: string;
}

/** True if a slot contains exactly these bytes. */
export function holds(slot: string, bytes: string): boolean {
  return slot.startsWith(bytes) && slot.slice(bytes.length).replaceAll(FILL, '') === '';
}

/** Runs a function in its own folder. */
function inFolder<T>(what: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-assembler-'));
  try {
    return what(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Asks again without the lines that the peer refuses, and returns the bytes of the others. */
function ask(
  lines: readonly string[],
  assemble: (lines: readonly string[]) => { wrong: ReadonlySet<number> } | { image: Uint8Array },
): Answer[] {
  let left = [...lines];
  for (let tries = 0; tries < 8; tries++) {
    const result = assemble(left);
    if ('image' in result) {
      return left.map((line, n) => {
        const slot = Buffer.from(result.image.subarray(n * SLOT, (n + 1) * SLOT)).toString('hex');
        return { line, slot };
      });
    }
    left = left.filter((_, n) => !result.wrong.has(n));
  }
  throw new Error('the peer refuses more and more lines');
}

/** GNU as's bytes for each line, without those that it refuses. */
export function gasAnswers(lines: readonly string[], code: CodeSize, syntax: Syntax): Answer[] {
  return inFolder((folder) => {
    const [source, object, image] = ['a.s', 'a.o', 'a.bin'].map((name) => path.join(folder, name));
    const head = `${syntax === 'intel' ? '.intel_syntax noprefix; ' : ''}.code${code}\n`;
    return ask(lines, (asked) => {
      writeFileSync(source!, head + asked.map((line) => `.balign ${SLOT},0x${FILL}\n${line}\n`).join(''));
      const { status, stderr } = spawnSync('as', ['-o', object!, source!], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      if (status !== 0) return { wrong: refused(stderr, /a\.s:(\d+): Error/g) };
      execFileSync('objcopy', ['-O', 'binary', '-j', '.text', object!, image!]);
      return { image: readFileSync(image!) };
    });
  });
}

/** NASM's bytes for each line. A label before each prevents that it takes a word as one. */
export function nasmAnswers(lines: readonly string[], code: CodeSize): Answer[] {
  return inFolder((folder) => {
    const [source, image] = ['a.asm', 'a.bin'].map((name) => path.join(folder, name));
    return ask(lines, (asked) => {
      const text = asked.map((line, n) => `align ${SLOT}, db 0x${FILL}\nx${n}: ${line}\n`).join('');
      writeFileSync(source!, `bits ${code}\n${text}`);
      const { status, stderr } = spawnSync('nasm', ['-f', 'bin', '-w-all', '-o', image!, source!], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      return status === 0
        ? { image: readFileSync(image!) }
        : { wrong: refused(stderr, /a\.asm:(\d+): error/g) };
    });
  });
}

/** The numbers of the lines that messages name: two lines of the source each, after one of its head. */
function refused(messages: string, pattern: RegExp): Set<number> {
  const wrong = new Set([...messages.matchAll(pattern)].map(([, line]) => (Number(line) - 3) / 2));
  if (wrong.size === 0) throw new Error(messages.slice(0, 1000));
  return wrong;
}

/** Every row of the table in every mode, form and size, as the disassembler writes it: `rounds` times with other operands. */
export function everyLine(code: CodeSize, syntax: Syntax, rounds: number): string[] {
  const random = randomNumbers(code + 1000 * rounds);
  const lines = new Set<string>();
  const prefixes = [[], [0x66], [0x67], [0x64], [0x66, 0x67, 0x26]];
  const rexes = code === 64 ? [0, 0x40, 0x48, 0x4f] : [0];
  for (let round = 0; round < rounds; round++) {
    for (const row of opcodes()) {
      for (const prefix of prefixes) {
        for (const rex of rexes) {
          for (const memory of [true, false]) {
            const sample = randomInstruction({ row, code, memory, prefixes: prefix, rex }, random);
            if (sample === undefined) continue;
            const text = disassemble(sample.bytes, { code, syntax }).text.replace(/ # .*/, '');
            // A branch's bytes depend on its address: programs with labels test these.
            if (!/^(\(bad\)|salc|(addr\d+ )?(j\w+|loop\w*|call\w*) 0x)/.test(text)) lines.add(text);
          }
        }
      }
    }
  }
  return [...lines];
}

/** The disassembler's Intel syntax, in NASM's form. */
export function nasmLine(line: string): string {
  return line
    .replace(/(BYTE|WORD|DWORD|QWORD|TBYTE|XMMWORD|FWORD) PTR /g, (_, word: string) => {
      if (word === 'FWORD') return 'far ';
      return word === 'XMMWORD' ? '' : `${word.toLowerCase().replace('tbyte', 'tword')} `;
    })
    .replace(/([c-gs]s):\[/g, '[$1:')
    .replace(/([c-gs]s):(0x[0-9a-f]+)/g, '[$1:$2]')
    .replace(/st\((\d)\)/g, 'st$1')
    .replace(/\bst\b/g, 'st0')
    .replace('[ds:', '[');
}
