import { readSome } from './code.js';
import { codeBase, isRealAddressing, stackPointer } from './mode.js';
import type { State } from './state.js';
import type { DebugTarget } from './target.js';

/** Vectors 0 to 31 are the processor's own (SDM 3A 7.3.1). */
const FIRST_FREE_VECTOR = 32;
/** Where a PC's firmware has the interrupt controllers' lines in real mode. */
const firmwareVectors = (vector: number) => (vector >= 8 && vector < 16) || (vector >= 0x70 && vector < 0x78);

/**
 * Where the guest goes on after the interrupt whose handler's first instruction it stands before; undefined where it stands
 * elsewhere, or before the handler of a fault.
 */
export async function interruptHandler(target: DebugTarget, state: State): Promise<bigint | undefined> {
  const { view, bits, pc } = state;
  const real = isRealAddressing(view);
  const size = real ? 4 : bits === 64 ? 16 : 8;
  const { base, limit } = view.system.idt;
  const bytes = await readSome(target, base, Math.min(limit + 1, 256 * size));
  const entries = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + size <= bytes.length; at += size) {
    const vector = at / size;
    if (vector < FIRST_FREE_VECTOR && !(real && firmwareVectors(vector))) continue;
    const handler = real
      ? BigInt(entries.getUint16(at, true) + entries.getUint16(at + 2, true) * 16)
      : codeBase(view.system) + gateOffset(entries, at, size);
    if (handler !== pc) continue;
    const word = real ? 2 : bits / 8;
    const pushed = await readSome(target, stackPointer(view), 2 * word);
    if (pushed.length < 2 * word) return undefined;
    const ip = littleEndian(pushed.subarray(0, word));
    const cs = littleEndian(pushed.subarray(word, 2 * word)) & 0xffffn;
    // Of another segment than the handler's only real mode says the base.
    return real ? (cs << 4n) + ip : bits === 64 ? ip : codeBase(view.system) + ip;
  }
  return undefined;
}

/** SDM 3A figures 6-2 and 6-8. */
function gateOffset(entries: DataView, at: number, size: number): bigint {
  const low = BigInt(entries.getUint16(at, true));
  const middle = BigInt(entries.getUint16(at + 6, true)) << 16n;
  return low | middle | (size === 16 ? BigInt(entries.getUint32(at + 8, true)) << 32n : 0n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
