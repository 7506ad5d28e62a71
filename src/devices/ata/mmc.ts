/**
 * A CD-ROM drive's answers to the commands of SCSI and MMC (SPC-3, MMC-3).
 *
 * @module
 */

/** Bytes of a CD's block, and a disk's sectors in it. */
export const CD_BLOCK = 2048;
export const CD_SECTORS = 4;

/** Sense key and additional sense code. */
export const Sense = {
  noDisc: [2, 0x3a],
  unreadable: [3, 0x11],
  noSuchCommand: [5, 0x20],
  outOfRange: [5, 0x21],
  noSuchField: [5, 0x24],
} as const;

export function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function put(bytes: Uint8Array, at: number, length: number, value: number): void {
  for (let i = 0; i < length; i++) bytes[at + i] = Math.floor(value / 256 ** (length - 1 - i)) & 0xff;
}

/** INQUIRY: a removable CD-ROM. */
export function inquiry(): Uint8Array {
  const data = new Uint8Array(36);
  data.set([5, 0x80, 0, 0x21, 31]);
  data.set(ascii('TERRARIU', 8), 8);
  data.set(ascii('CD-ROM', 16), 16);
  data.set(ascii('1.0', 4), 32);
  return data;
}

const ascii = (text: string, length: number) =>
  Uint8Array.from(text.padEnd(length), (one) => one.charCodeAt(0));

export function capacity(blocks: number): Uint8Array {
  const data = new Uint8Array(8);
  put(data, 0, 4, blocks - 1);
  put(data, 4, 4, CD_BLOCK);
  return data;
}

/** MODE SENSE with its header of 4 or 8 bytes: the pages of error recovery and of the drive's capabilities. */
export function modePages(page: number, command: 6 | 10): Uint8Array {
  const recovery = [0x01, 6, 0, 5, 0, 0, 0, 0];
  const capabilities = [0x2a, 18, 0, 0, 0x71, 0x60, 0x29, 0, 0x02, 0xc2, 0, 2, 2, 0, 0x02, 0xc2, 0, 0, 0, 0];
  const pages = [
    ...(page === 1 || page === 63 ? recovery : []),
    ...(page === 0x2a || page === 63 ? capabilities : []),
  ];
  const header = command === 6 ? 4 : 8;
  const data = new Uint8Array(header + pages.length);
  if (command === 6) data[0] = data.length - 1;
  else put(data, 0, 2, data.length - 2);
  data.set(pages, header);
  return data;
}

/** Minutes, seconds and frames of a block, with the two seconds before the first. */
function msf(block: number): number[] {
  const frames = block + 150;
  return [0, Math.floor(frames / 4500) & 0xff, Math.floor(frames / 75) % 60, frames % 75];
}

function address(block: number, asMsf: boolean): number[] {
  return asMsf
    ? msf(block)
    : [(block >>> 24) & 0xff, (block >>> 16) & 0xff, (block >>> 8) & 0xff, block & 0xff];
}

/** READ TOC: one data track. Undefined for formats and tracks that do not exist. */
export function toc(format: number, track: number, asMsf: boolean, blocks: number): Uint8Array | undefined {
  const one = (number: number, block: number) => [0, 0x14, number, 0, ...address(block, asMsf)];
  if (format === 0) {
    if (track > 1 && track !== 0xaa) return undefined;
    const tracks = [...(track <= 1 ? one(1, 0) : []), ...one(0xaa, blocks)];
    return Uint8Array.from([0, tracks.length + 2, 1, 1, ...tracks]);
  }
  if (format === 1) return Uint8Array.from([0, 10, 1, 1, ...one(1, 0)]);
  if (format !== 2) return undefined;
  const raw = (point: number, values: number[]) => [1, 0x14, 0, point, 0, 0, 0, 0, ...values.slice(1)];
  const all = [
    raw(0xa0, [0, 1, 0, 0]),
    raw(0xa1, [0, 1, 0, 0]),
    raw(0xa2, msf(blocks)),
    raw(1, msf(0)),
  ].flat();
  return Uint8Array.from([0, all.length + 2, 1, 1, ...all]);
}

/** GET CONFIGURATION: a CD-ROM, with the features that each drive has. */
export function configuration(hasDisc: boolean): Uint8Array {
  const profiles = [0, 0, 0x03, 4, 0, 0x08, hasDisc ? 1 : 0, 0];
  const core = [0, 1, 0x03, 8, 0, 0, 0, 2, 0, 0, 0, 0];
  const removable = [0, 3, 0x03, 4, 0x29, 0, 0, 0];
  const all = [0, 0, 0, hasDisc ? 0x08 : 0, ...profiles, ...core, ...removable];
  const data = Uint8Array.from([0, 0, 0, 0, ...all]);
  put(data, 0, 4, all.length);
  return data;
}

/** READ DISC INFORMATION: complete, one session, one track. */
export function discInformation(): Uint8Array {
  const data = new Uint8Array(34);
  data.set([0, 32, 0x0e, 1, 1, 1, 1, 0x20]);
  return data;
}
