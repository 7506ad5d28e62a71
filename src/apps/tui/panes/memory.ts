import type { Bytes, Model } from '../model.js';
import { type Line, look, type Span } from '../text.js';
import { CHANGED, hex } from './registers.js';

/** Bytes per row: sixteen where they fit with their characters, else eight. */
export function bytesPerRow(width: number, address: bigint): 8 | 16 {
  return width >= digitsOf(address) + 2 + 16 * 3 + 1 + 16 ? 16 : 8;
}

export function memoryPane(model: Model, width: number, height: number): Line[] {
  const { memory, memoryProblem } = model;
  const count = bytesPerRow(width, memory.address);
  const lines: Line[] = [];
  for (let at = 0; at < memory.bytes.length && lines.length < height; at += count) {
    lines.push(row(memory, model.memoryBefore, at, Math.min(count, memory.bytes.length - at), count));
  }
  if (lines.length < height && memoryProblem !== undefined) lines.push([[` ${memoryProblem}`, look.quiet]]);
  return lines;
}

const digitsOf = (address: bigint) => (address > 0xffff_ffffn ? 16 : 8);

function row(memory: Bytes, before: Bytes | undefined, at: number, length: number, full: number): Line {
  const address = memory.address + BigInt(at);
  const spans: Span[] = [[` ${hex(address, digitsOf(memory.address))} `, look.quiet]];
  const text: Span[] = [];
  for (let i = 0; i < full; i++) {
    if (i >= length) {
      spans.push('   ');
      continue;
    }
    const byte = memory.bytes[at + i]!;
    const was = byteAt(before, address + BigInt(i));
    const changed = was !== undefined && was !== byte;
    spans.push([changed ? CHANGED : ' ', look.changed]);
    spans.push([hex(byte, 2), changed ? look.changed : byte === 0 ? look.quiet : look.plain]);
    const character = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·';
    text.push([character, changed ? look.changed : character === '·' ? look.quiet : look.plain]);
  }
  return [...spans, '  ', ...text];
}

/** A byte's value at the previous stop; undefined where it was not read. */
export function byteAt(bytes: Bytes | undefined, address: bigint): number | undefined {
  if (bytes === undefined || address < bytes.address) return undefined;
  return bytes.bytes[Number(address - bytes.address)];
}
