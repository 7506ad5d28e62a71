/** Frames into the receive ring (8254x 3.2): which ones the card takes, and how they fill its descriptors. */
import type { GuestMemory } from '../../memory/index.js';
import { ADDRESS_VALID, Rctl } from './registers.js';
import { addressIn, DESCRIPTOR, type Ring, readDescriptor, writeBack } from './ring.js';

const Status = { done: 1, endOfPacket: 2, ignoreChecksum: 4 } as const;
/** The shortest frame, to which the wire pads, and the check sequence that the guest may see after it. */
const SHORTEST = 60;
const CRC = 4;
const LONGEST = 1518;
const LONGEST_LONG = 16_384 - CRC;

/** Bytes of a buffer, by RCTL's size and its extension. */
export function bufferSize(rctl: number): number {
  const size = (rctl >>> 16) & 3;
  if (rctl & (1 << 25)) return size === 0 ? 2048 : 32_768 >>> size;
  return 2048 >>> size;
}

/** Does the card take a frame to this address (8254x 3.2.1)? */
export function accepts(
  frame: Uint8Array,
  rctl: number,
  addresses: Uint32Array,
  multicast: Uint32Array,
): boolean {
  if (frame.length < 14 || frame.length > (rctl & Rctl.long ? LONGEST_LONG : LONGEST)) return false;
  const low = (frame[0]! | (frame[1]! << 8) | (frame[2]! << 16) | (frame[3]! << 24)) >>> 0;
  const high = frame[4]! | (frame[5]! << 8);
  if (low === 0xffff_ffff && high === 0xffff) return (rctl & (Rctl.broadcast | Rctl.allMulticast)) !== 0;
  const isGroup = (low & 1) === 1;
  if (rctl & (isGroup ? Rctl.allMulticast : Rctl.allUnicast)) return true;
  for (let at = 0; at < addresses.length; at += 2)
    if (
      addresses[at + 1]! >= ADDRESS_VALID &&
      addresses[at] === low &&
      (addresses[at + 1]! & 0xffff) === high
    )
      return true;
  if (!isGroup) return false;
  // Twelve bits of the address, from a bit that RCTL chooses (13.4.22, 13.5.1).
  const shift = [4, 3, 2, 0][(rctl >>> 12) & 3]!;
  const hash = (((frame[5]! << 8) | frame[4]!) >>> shift) & 0xfff;
  return ((multicast[hash >>> 5]! >>> (hash & 31)) & 1) === 1;
}

/** How many descriptors a frame needs. */
export const needed = (frame: Uint8Array, rctl: number): number =>
  Math.ceil((Math.max(frame.length, SHORTEST) + crcLength(rctl)) / bufferSize(rctl));

const crcLength = (rctl: number) => (rctl & Rctl.stripCrc ? 0 : CRC);

/** Writes a frame to the descriptors from `head` on, of which there are enough; returns the next head. */
export function deliver(
  memory: GuestMemory,
  ring: Ring,
  head: number,
  frame: Uint8Array,
  rctl: number,
): number {
  const whole = new Uint8Array(Math.max(frame.length, SHORTEST) + crcLength(rctl));
  whole.set(frame);
  const size = bufferSize(rctl);
  let index = head;
  for (let at = 0; at < whole.length; at += size) {
    const part = whole.subarray(at, at + size);
    const descriptor = readDescriptor(memory, ring, index);
    if (descriptor !== undefined) {
      writeBack(memory, addressIn(descriptor), part);
      const isLast = at + size >= whole.length;
      const back = new DataView(new ArrayBuffer(8));
      back.setUint16(0, part.length, true);
      back.setUint8(4, Status.done | Status.ignoreChecksum | (isLast ? Status.endOfPacket : 0));
      writeBack(memory, ring.base + index * DESCRIPTOR + 8, new Uint8Array(back.buffer));
    }
    index = (index + 1) % ring.size;
  }
  return index;
}
