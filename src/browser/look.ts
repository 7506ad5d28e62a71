/**
 * Reads all parts of a machine's state that a page shows for a moment.
 *
 * @module
 */
import { type Debugger, type DebugTarget, errorText, registerOf, stackPointer } from '../debug/index.js';
import type { SourceLine } from '../symbols/index.js';
import { registerNames, segmentNames } from '../x86/index.js';
import type { CodeRow, GuestEnd, Look, LookFor, SourcePlace } from './messages.js';

/** The most content of one answer. */
const MOST_BYTES = 1 << 16;
const MOST_ROWS = 1024;
const MOST_WORDS = 512;
const MOST_FRAMES = 64;

const shown = [
  ...registerNames,
  ...segmentNames,
  ...['cr0', 'cr2', 'cr3', 'cr4', 'efer', 'fs_base', 'gs_base'],
] as const;

/** The machine to read. */
export interface Looked {
  readonly debug: Debugger;
  readonly target: DebugTarget;
  readonly exits: number;
  readonly time: number;
  readonly end: GuestEnd | undefined;
}

export async function lookAt({ debug, target, exits, time, end }: Looked, what: LookFor): Promise<Look> {
  const { view, pc, bits, symbol, source } = await debug.state();
  const registers: Record<string, bigint> = {};
  for (const name of shown) {
    const value = registerOf(view, name);
    if (value !== undefined) registers[name] = value;
  }
  const history = await target.history();
  return {
    ...{ registers, bits, pc, exits, time },
    mode: modeText(registers, bits),
    ...(symbol !== undefined && { symbol }),
    ...(source && { source: placeOf(source) }),
    ...(what.memory && { memory: await memoryOf(debug, target, what.memory) }),
    ...(what.code && { code: await codeOf(debug, pc, what.code) }),
    ...(what.stack && { stack: await stackOf(target, stackPointer(view), bits, what.stack) }),
    ...(what.frames && { frames: await framesOf(debug, what.frames) }),
    ...(history && { history }),
    ...(end && { end }),
  };
}

export function placeOf({ file, line }: SourceLine): SourcePlace {
  return { file: file.name, line };
}

function modeText(registers: Readonly<Record<string, bigint>>, bits: number): string {
  const { cr0 = 0n, efer = 0n, cs = 0n } = registers;
  if ((cr0 & 1n) === 0n) return 'real mode';
  const paging = (cr0 & (1n << 31n)) !== 0n ? ', paging' : '';
  const long = (efer & (1n << 10n)) !== 0n;
  const name = long ? (bits === 64 ? 'long mode' : 'compatibility mode') : 'protected mode';
  return `${name}${long ? '' : paging}, ring ${cs & 3n}`;
}

async function addressOf(debug: Debugger, where: bigint | string): Promise<bigint> {
  if (typeof where === 'bigint') return BigInt.asUintN(64, where);
  const { place, value } = await debug.evaluate(where, { pure: true });
  return BigInt.asUintN(64, place?.kind === 'memory' ? place.address : value);
}

async function memoryOf(debug: Debugger, target: DebugTarget, wanted: NonNullable<LookFor['memory']>) {
  let address = 0n;
  try {
    address = await addressOf(debug, wanted.address);
    const length = Math.max(1, Math.min(wanted.length, MOST_BYTES));
    return { address, bytes: await target.read(address, length, wanted.space) };
  } catch (error) {
    return { address, bytes: new Uint8Array(0), problem: errorText(error) };
  }
}

async function codeOf(debug: Debugger, pc: bigint, wanted: NonNullable<LookFor['code']>): Promise<CodeRow[]> {
  try {
    const at = wanted.address === undefined ? pc : await addressOf(debug, wanted.address);
    const [before, after] = [wanted.before, wanted.after].map((n) => Math.min(n, MOST_ROWS));
    const lines = await debug.disassemble(at, { before: before!, after: after! });
    return lines.map(({ source, ...line }) => ({ ...line, ...(source && { source: placeOf(source) }) }));
  } catch {
    return [];
  }
}

async function stackOf(target: DebugTarget, pointer: bigint, bits: 16 | 32 | 64, words: number) {
  const size = (bits / 8) as 2 | 4 | 8;
  let bytes = new Uint8Array(0);
  try {
    bytes = new Uint8Array(await target.read(pointer, Math.min(words, MOST_WORDS) * size));
  } catch {
    // nothing is mapped there
  }
  const list: bigint[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
    list.push(value);
  }
  return { pointer, size, words: list };
}

async function framesOf(debug: Debugger, most: number) {
  const frames = await debug.frames(Math.min(most, MOST_FRAMES));
  return frames.map(({ pc, symbol, source, by }) => ({
    ...{ pc, by },
    ...(symbol !== undefined && { symbol }),
    ...(source && { source: placeOf(source) }),
  }));
}
