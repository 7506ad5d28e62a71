import { type Paging, walkPages } from './page-walk.js';
import { type CpuSubject, type PhysicalMemory, readPhysical } from './words.js';

/** The physical address; undefined where nothing is mapped, or where a table is not in RAM. */
export function physicalAddress(memory: PhysicalMemory, system: Paging, linear: bigint): number | undefined {
  const { physical } = walkPages({ system, memory }, linear);
  return physical === undefined ? undefined : Number(physical);
}

/** Bytes at a linear address, as far as they are mapped to RAM: fewer than `length` where the mapping ends. */
export function readLinear(subject: CpuSubject, linear: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const { system, memory } = subject;
  const mask = system.efer & 0x400n ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  for (let done = 0; done < length; ) {
    const at = (linear + BigInt(done)) & mask;
    const { physical } = walkPages(subject, at);
    if (physical === undefined) return bytes.subarray(0, done);
    const piece = Math.min(length - done, 4096 - Number(at & 0xfffn));
    // Byte by byte where only a part of the page is RAM; else the whole page.
    const whole = physical <= BigInt(Number.MAX_SAFE_INTEGER) && memory.contains(Number(physical), piece);
    if (!whole) return bytes.subarray(0, done);
    bytes.set(memory.readBytes(Number(physical), piece), done);
    done += piece;
  }
  return bytes;
}

/** A little-endian number at a linear address; undefined where not all of it is RAM. */
export function readLinearNumber(
  subject: CpuSubject,
  linear: bigint,
  size: 1 | 2 | 4 | 8,
): bigint | undefined {
  const { physical } = walkPages(subject, linear);
  const inPage = (linear & 0xfffn) + BigInt(size) <= 4096n;
  if (physical !== undefined && inPage) return readPhysical(subject.memory, physical, size);
  const bytes = readLinear(subject, linear, size);
  if (bytes.length < size) return undefined;
  let value = 0n;
  for (const [n, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * n);
  return value;
}
