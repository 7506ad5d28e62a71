// `npm run bios-rom`: builds the ROMs from src/devices/bios/rom/bios.S, vga.S and vbe.S with the GNU assembler, into src/devices/bios/rom/image.ts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './paths.mjs';

const folder = path.join(root, 'src/devices/bios/rom');
/** Where the BIOS's code begins in its segment. */
const FIRST = 0xd000;
/** The number of zeros from which on a new piece begins. */
const GAP = 32;
const WIDTH = 108;

const hex = (number) => `0x${number.toString(16)}`;

function tool(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
  return stdout;
}

/** The text of image.ts. */
export function buildRom() {
  const temporary = mkdtempSync(path.join(tmpdir(), 'terrarium-rom-'));
  try {
    const file = (name) => path.join(temporary, name);
    const build = (name, first) => {
      tool('as', '--32', '-I', folder, '-o', file(`${name}.o`), path.join(folder, `${name}.S`));
      tool('ld', '-m', 'elf_i386', '-Ttext', hex(first), '-o', file(`${name}.elf`), file(`${name}.o`));
      tool('objcopy', '-O', 'binary', file(`${name}.elf`), file(`${name}.bin`));
      return readFileSync(file(`${name}.bin`));
    };
    const bios = build('bios', FIRST);
    const vga = build('vga', 0);
    const vbe = build('vbe', 0);
    const labels = tool('nm', file('bios.elf'))
      .split('\n')
      .map((line) => /^([\da-f]{8}) T (?!_)(\w+)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, address, name]) => [name, Number.parseInt(address, 16)])
      .sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
    return sourceText(piecesOf(bios), labels, vga, vbe);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** The sequences of bytes that are not zero, with their offsets in the segment. */
function piecesOf(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0) continue;
    const last = pieces.at(-1);
    if (last !== undefined && at - last.end < GAP) last.end = at + 1;
    else pieces.push({ from: at, end: at + 1 });
  }
  return pieces.map(({ from, end }) => [FIRST + from, bytes.subarray(from, end)]);
}

function sourceText(pieces, labels, vga, vbe) {
  const lines = [
    '/** The BIOS’s code as `npm run bios-rom` builds it from bios.S. Not to be changed by hand. */',
    '',
    '/** Offsets in segment F000, and the bytes from there on in base 64; between them are zeros. */',
    'export const pieces: readonly (readonly [offset: number, length: number, text: string])[] = [',
  ];
  for (const [offset, bytes] of pieces) {
    const text = Buffer.from(bytes).toString('base64');
    if (text.length < 60) {
      lines.push(`  [${hex(offset)}, ${bytes.length}, '${text}'],`);
      continue;
    }
    const parts = text.match(new RegExp(`.{1,${WIDTH - 10}}`, 'g'));
    lines.push('  [', `    ${hex(offset)},`, `    ${bytes.length},`);
    for (const [i, part] of parts.entries())
      lines.push(`    ${i > 0 ? '  ' : ''}'${part}'${i < parts.length - 1 ? ' +' : ','}`);
    lines.push('  ],');
  }
  lines.push(
    '];',
    '',
    '/** Offsets of entries that have no fixed place on an AT. */',
    'export const labels = {',
  );
  for (const [name, address] of labels) lines.push(`  ${name}: ${hex(address)},`);
  lines.push(
    '} as const;',
    ...codeText('vgaCode', 'The code at the start of the VGA’s ROM.', vga),
    ...codeText('vbeCode', 'VBE’s interface for protected mode.', vbe),
    '',
  );
  return lines.join('\n');
}

/** Code in one piece. */
function codeText(name, about, code) {
  const bytes = code.toString('base64').match(new RegExp(`.{1,${WIDTH - 10}}`, 'g'));
  return [
    '',
    `/** ${about} */`,
    `export const ${name} = {`,
    `  length: ${code.length},`,
    '  text:',
    ...bytes.map((part, i) => `    ${i > 0 ? '  ' : ''}'${part}'${i < bytes.length - 1 ? ' +' : ','}`),
    '} as const;',
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = buildRom();
  const file = path.join(folder, 'image.ts');
  const before = (() => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  })();
  if (text !== before) writeFileSync(file, text);
  console.log(`src/devices/bios/rom/image.ts${text === before ? '' : ', changed'}`);
}
