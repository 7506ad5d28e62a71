/**
 * Files of frames in libpcap's classic format (pcap-savefile(5)), with times of a nanosecond's precision.
 *
 * @module
 */
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINKTYPE_ETHERNET = 1;
export const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
const SNAP_LENGTH = 262_144;
const SECOND = 1_000_000_000;

/** What the file begins with. */
export function pcapHeader(): Uint8Array {
  const bytes = new Uint8Array(PCAP_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC_NANOSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_LENGTH, true);
  view.setUint32(20, LINKTYPE_ETHERNET, true);
  return bytes;
}

/** A frame, at a time in nanoseconds. */
export function pcapRecord(time: number, frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER + frame.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(time / SECOND), true);
  view.setUint32(4, time % SECOND, true);
  view.setUint32(8, frame.length, true);
  view.setUint32(12, frame.length, true);
  bytes.set(frame, RECORD_HEADER);
  return bytes;
}

export interface PcapFrame {
  /** Nanoseconds. */
  readonly time: number;
  readonly frame: Uint8Array;
  /** How long it was on the wire: longer where the file has only its beginning. */
  readonly length: number;
}

/** True for a file of frames, of either byte order. */
export const isPcap = (bytes: Uint8Array): boolean =>
  bytes.length >= PCAP_HEADER && orderOf(bytes) !== undefined;

function orderOf(bytes: Uint8Array): { little: boolean; unit: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const little of [true, false]) {
    const magic = view.getUint32(0, little);
    if (magic === MAGIC_NANOSECONDS) return { little, unit: 1 };
    if (magic === MAGIC_MICROSECONDS) return { little, unit: 1000 };
  }
  return undefined;
}

/** The frames of a file, up to its end or the first invalid record. */
export function* readPcap(bytes: Uint8Array): Generator<PcapFrame> {
  const order = isPcap(bytes) ? orderOf(bytes) : undefined;
  if (order === undefined) return;
  const { little, unit } = order;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= bytes.length; ) {
    const kept = view.getUint32(at + 8, little);
    const from = at + RECORD_HEADER;
    if (kept > SNAP_LENGTH || from + kept > bytes.length) return;
    const time = view.getUint32(at, little) * SECOND + view.getUint32(at + 4, little) * unit;
    yield { time, frame: bytes.subarray(from, from + kept), length: view.getUint32(at + 12, little) };
    at = from + kept;
  }
}
