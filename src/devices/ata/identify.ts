import { ataGeometry, type Geometry } from '../disk/index.js';

const SECTOR = 512;
const MODEL = 'Terrarium disk';
const CD_MODEL = 'Terrarium CD-ROM';
/** The largest number of sectors that 28 bits can count. */
export const MOST_28 = 0x0fff_ffff;

/** The 512 bytes of IDENTIFY DEVICE (ATA/ATAPI-6 table 22). */
export function identifyDisk(
  sectors: number,
  number: number,
  multiple: number,
  geometry: Geometry,
  mode: number,
): Uint8Array {
  const { words, bytes, text } = page();
  const { cylinders, heads, sectors: track } = ataGeometry(sectors);
  words[0] = 0x0040;
  words[1] = cylinders;
  words[3] = heads;
  // Retired since ATA-3: bytes of a track and of a sector. Old BIOSes, such as Bochs', transfer as many as word 5 says.
  words[4] = SECTOR * track;
  words[5] = SECTOR;
  words[6] = track;
  text(10, 20, `TERRARIUM${number}`);
  text(23, 8, '1.0');
  text(27, 40, MODEL);
  words[47] = 0x8010;
  // DMA and LBA; standby timers as the standard says.
  words[49] = 0x2f00;
  words[50] = 0x4000;
  words[51] = 0x0200;
  words[53] = 7;
  words[54] = geometry.cylinders;
  words[55] = geometry.heads;
  words[56] = geometry.sectors;
  const current = Math.min(geometry.cylinders * geometry.heads * geometry.sectors, MOST_28);
  long(words, 57, current);
  if (multiple > 0) words[59] = 0x100 | multiple;
  const short = Math.min(sectors, MOST_28);
  long(words, 60, short);
  transferModes(words, mode);
  words[80] = 0x7e;
  words[82] = 0x4020;
  // 48-bit addresses, flush and flush extended.
  words[83] = 0x7400;
  words[84] = 0x4000;
  words[85] = 0x4020;
  words[86] = 0x3400;
  words[87] = 0x4000;
  words[93] = 0x6001;
  words[100] = sectors & 0xffff;
  words[101] = Math.floor(sectors / 2 ** 16) & 0xffff;
  words[102] = Math.floor(sectors / 2 ** 32) & 0xffff;
  return bytes;
}

/** IDENTIFY PACKET DEVICE (ATA/ATAPI-6 table 27): a removable CD-ROM with packets of 12 bytes. */
export function identifyCd(number: number, mode: number): Uint8Array {
  const { words, bytes, text } = page();
  words[0] = 0x8580;
  text(10, 20, `TERRARIUM${number}`);
  text(23, 8, '1.0');
  text(27, 40, CD_MODEL);
  words[49] = 0x0f00;
  words[50] = 0x4000;
  words[53] = 6;
  transferModes(words, mode);
  words[80] = 0x7e;
  words[82] = 0x4010;
  words[83] = 0x4000;
  words[85] = 0x4010;
  words[93] = 0x6001;
  return bytes;
}

/** PIO 3 and 4, multiword DMA 0 to 2, Ultra DMA 0 to 5; and which was chosen (words 63 and 88). */
function transferModes(words: Uint16Array, mode: number): void {
  const chosen = 1 << (mode & 7);
  words[63] = 7 | (mode >> 3 === 4 ? (chosen & 7) << 8 : 0);
  words[64] = 3;
  for (const word of [65, 66, 67, 68]) words[word] = 120;
  words[88] = 0x3f | (mode >> 3 === 8 ? (chosen & 0x3f) << 8 : 0);
}

function long(words: Uint16Array, at: number, value: number): void {
  words[at] = value & 0xffff;
  words[at + 1] = value >>> 16;
}

function page() {
  const bytes = new Uint8Array(512);
  const words = new Uint16Array(bytes.buffer);
  /** Text is in words whose bytes are swapped, with spaces after (ATA/ATAPI-6 3.2.9). */
  const text = (word: number, length: number, says: string) => {
    const padded = says.padEnd(length);
    for (let i = 0; i < length; i++) bytes[(word * 2 + i) ^ 1] = padded.charCodeAt(i);
  };
  return { bytes, words, text };
}
