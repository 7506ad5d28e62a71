/**
 * A card's changes to a frame before it sends it, as requested by the driver: checksums, and TCP segments out of one large one
 * (8254x 3.3.6, 3.5).
 *
 * @module
 */
/** A driver's description of the next frames: where their headers are. */
export interface Offload {
  ipStart: number;
  ipChecksum: number;
  ipEnd: number;
  start: number;
  checksum: number;
  /** The last byte that is summed; 0: the frame's. */
  end: number;
  headerLength: number;
  segmentSize: number;
  /** Bits of TUCMD: TCP, IP version 4, and that frames are divided. */
  command: number;
}

export const noOffload: Offload = {
  ...{ ipStart: 0, ipChecksum: 0, ipEnd: 0, start: 0, checksum: 0, end: 0 },
  ...{ headerLength: 0, segmentSize: 0, command: 0 },
};

export const Command = { tcp: 1, ipv4: 2, divide: 4 } as const;
const FIN_PSH = 9;
/** The largest frame that is assembled. */
const MOST_WHOLE = 65_535 - 128;
const SMALLEST_SEGMENT = 64;

/**
 * Inserts the Internet checksum of the bytes from `start` to `end`; does nothing where a place is outside of the frame.
 */
export function putChecksum(frame: Uint8Array, start: number, end: number, at: number): void {
  const last = end === 0 ? frame.length : Math.min(end + 1, frame.length);
  if (start >= last || at + 2 > frame.length) return;
  let sum = 0;
  for (let byte = start; byte + 1 < last; byte += 2) sum += (frame[byte]! << 8) | frame[byte + 1]!;
  if ((last - start) & 1) sum += frame[last - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame[at] = ~sum >> 8;
  frame[at + 1] = ~sum;
}

/** Divides a frame: each result has the header, with its own lengths, numbers and checksums. */
export function divided(frame: Uint8Array, offload: Offload, takesLarge: boolean): Uint8Array[] {
  const { ipStart, start, headerLength, segmentSize, command } = offload;
  const isTcp = (command & Command.tcp) !== 0;
  const least = start + (isTcp ? 20 : 8);
  if (headerLength < least || headerLength >= frame.length || headerLength < ipStart + 20) return [];
  // A guest that requests segments of one byte gets larger ones: otherwise a frame of 64 KiB would become 65,000.
  const size = takesLarge ? MOST_WHOLE : Math.max(SMALLEST_SEGMENT, segmentSize);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const identification = view.getUint16(ipStart + 4);
  const [sequence, flags] = isTcp ? [view.getUint32(start + 4), frame[start + 13]!] : [0, 0];
  const frames: Uint8Array[] = [];
  for (let at = headerLength; at < frame.length; at += size) {
    const data = frame.subarray(at, at + size);
    const part = new Uint8Array(headerLength + data.length);
    part.set(frame.subarray(0, headerLength));
    part.set(data, headerLength);
    const out = new DataView(part.buffer);
    const length = part.length - ipStart;
    if (command & Command.ipv4) {
      out.setUint16(ipStart + 2, length);
      out.setUint16(ipStart + 4, (identification + frames.length) & 0xffff);
    } else out.setUint16(ipStart + 4, length - 40);
    if (isTcp) {
      out.setUint32(start + 4, (sequence + at - headerLength) >>> 0);
      if (at + size < frame.length) part[start + 13] = flags & ~FIN_PSH;
    } else out.setUint16(start + 4, part.length - start);
    addLength(out, offload.checksum, part.length - start);
    frames.push(part);
  }
  return frames;
}

/** The driver's partial sum is without the length, which differs in each segment. */
function addLength(frame: DataView, at: number, length: number): void {
  if (at + 2 > frame.byteLength) return;
  const sum = frame.getUint16(at) + length;
  frame.setUint16(at, (sum & 0xffff) + (sum >>> 16));
}
