/**
 * SMBIOS 2.8 (DMTF DSP0134): the machine's name and parts, as `dmidecode` shows them.
 *
 * @module
 */
import { characters, checksum, little, type Placed } from './acpi.js';

const MAKER = 'Terrarium';
const PRODUCT = 'PC (i440FX, PIIX)';
const KiB = 1024;
const MiB = 1024 * KiB;

export interface SmbiosOptions {
  cpus: number;
  /** Bytes of RAM. */
  memory: number;
}

/** One structure: type, handle, its fields, and its strings, which fields name by their numbers from 1 on. */
function structure(type: number, handle: number, fields: readonly number[], ...strings: string[]): number[] {
  const texts = strings.length === 0 ? [0, 0] : [...strings.flatMap((one) => [...characters(one), 0]), 0];
  return [type, 4 + fields.length, ...little(handle, 2), ...fields, ...texts];
}

function structures({ cpus, memory }: SmbiosOptions): number[][] {
  const megabytes = Math.min(Math.floor(memory / MiB), 0x7fff);
  const bios = [1, 2, ...little(0xe800, 2), 3, 0, ...little(8, 8), 0, 4, 1, 0, 0xff, 0xff];
  const system = [1, 2, 0, 0, ...new Array(16).fill(0), 6, 0, 0];
  const chassis = [1, 1, 0, 0, 0, 3, 3, 3, 2, ...little(0, 4), 0, 0, 0, 0];
  const processors = Array.from({ length: cpus }, (_, i) =>
    structure(
      4,
      0x400 + i,
      [
        1,
        3,
        1,
        2,
        ...little(0, 8),
        0,
        0,
        ...little(0, 2),
        ...little(100, 2),
        ...little(100, 2),
        0x41,
        1,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0xff,
        0,
        0,
        0,
        1,
        1,
        1,
        ...little(4, 2),
        ...little(1, 2),
      ],
      `CPU ${i}`,
      MAKER,
    ),
  );
  const array = [1, 3, 6, ...little(Math.ceil(memory / KiB), 4), 0xfe, 0xff, ...little(1, 2)];
  const module = [
    ...little(0x1000, 2),
    0xfe,
    0xff,
    ...little(64, 2),
    ...little(64, 2),
    ...little(megabytes, 2),
    9,
    0,
    1,
    0,
    7,
    ...little(2, 2),
    ...little(0, 2),
    0,
    0,
    0,
    0,
  ];
  const mapped = [
    ...little(0, 4),
    ...little(Math.max(0, Math.ceil(memory / KiB) - 1), 4),
    ...little(0x1000, 2),
    1,
  ];
  return [
    structure(0, 0, bios, MAKER, '1.0', '01/01/2026'),
    structure(1, 0x100, system, MAKER, PRODUCT),
    structure(3, 0x300, chassis, MAKER),
    ...processors,
    structure(16, 0x1000, array),
    structure(17, 0x1100, module, 'DIMM 0'),
    structure(19, 0x1300, mapped),
    structure(32, 0x2000, [0, 0, 0, 0, 0, 0, 0]),
    structure(127, 0x7f00, []),
  ];
}

/** The entry point at `at`, a multiple of 16 in F0000 to FFFFF, and the structures at `address`. */
export function smbiosTables(at: number, address: number, options: SmbiosOptions): Placed[] {
  const all = structures(options);
  const bytes = Uint8Array.from(all.flat());
  const largest = Math.max(...all.map(({ length }) => length));
  const entry = Uint8Array.from([
    ...characters('_SM_'),
    0,
    31,
    ...[2, 8],
    ...little(largest, 2),
    0,
    ...[0, 0, 0, 0, 0],
    ...characters('_DMI_'),
    0,
    ...little(bytes.length, 2),
    ...little(address, 4),
    ...little(all.length, 2),
    0x28,
  ]);
  checksum(entry, 0x15, 0x10);
  checksum(entry, 4);
  return [
    { name: '_SM_', address: at, bytes: entry },
    { name: 'SMBIOS', address, bytes },
  ];
}
