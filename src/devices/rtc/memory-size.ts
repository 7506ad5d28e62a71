/**
 * The memory sizes that a BIOS leaves in the RAM of a PC's clock (RBIL, CMOS.LST).
 *
 * @module
 */
const KiB = 1024;
const MiB = 1024 * KiB;

const EQUIPMENT = 0x14;
const BASE_MEMORY = 0x15;
const EXTENDED_MEMORY = 0x17;
const CHECKSUM = 0x2e;
const EXTENDED_MEMORY_FOUND = 0x30;
/** Memory above 16 MiB in units of 64 KiB. */
const MEMORY_ABOVE_16M = 0x34;

const FLOPPIES = 0x10;
const HARD_DISKS = 0x12;
/** The type of disks beyond type 14: 47, user-defined. */
const HARD_DISK_TYPES = 0x19;
/** Memory above 4 GiB in units of 64 KiB, three bytes; SeaBIOS reads them. */
const MEMORY_ABOVE_4G = 0x5b;

/** No drives, a VGA adapter, a keyboard; an FPU is there. */
const EQUIPMENT_OF_A_PC = 0x06;

/** The drives that a BIOS finds in its clock's RAM. */
export interface CmosDrives {
  /** Types of floppy drives A and B: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M. */
  readonly floppies: readonly number[];
  readonly hardDisks: number;
  /** Kinds of drives in the order in which a firmware tries them: a floppy, c hard disk, d CD. */
  readonly order?: readonly string[];
}

/**
 * The bytes in which Bochs' and QEMU's firmware finds that order: a kind in each half of the first byte, a third in the
 * upper half of the second.
 */
const BOOT_ORDER = 0x3d;
const BOOT_FLAGS = 0x38;
const bootKinds: Readonly<Record<string, number>> = { a: 1, c: 2, d: 3 };
/** A floppy is booted without a check of its signature. */
const NO_SIGNATURE_CHECK = 1;

/** Writes the bytes that report `memory` bytes of RAM from address 0, and the checksum of the RAM. */
export function writeMemorySize(
  registers: Uint8Array,
  memory: number,
  { floppies, hardDisks, order = [] }: CmosDrives = { floppies: [], hardDisks: 0 },
): void {
  const word = (at: number, value: number) => {
    const bounded = Math.min(0xffff, Math.max(0, Math.floor(value)));
    registers[at] = bounded & 0xff;
    registers[at + 1] = bounded >> 8;
  };
  const [a = 0, b = 0] = floppies;
  registers[FLOPPIES] = (a << 4) | b;
  registers[HARD_DISKS] = (hardDisks > 0 ? 0xf0 : 0) | (hardDisks > 1 ? 0x0f : 0);
  for (let i = 0; i < Math.min(hardDisks, 2); i++) registers[HARD_DISK_TYPES + i] = 47;
  registers[EQUIPMENT] = EQUIPMENT_OF_A_PC | (floppies.length > 0 ? 1 | ((floppies.length - 1) << 6) : 0);
  const [first = 0, second = 0, third = 0] = order.map((kind) => bootKinds[kind] ?? 0);
  registers[BOOT_ORDER] = (second << 4) | first;
  registers[BOOT_FLAGS] = (third << 4) | NO_SIGNATURE_CHECK;
  word(BASE_MEMORY, Math.min(640, memory / KiB));
  word(EXTENDED_MEMORY, (memory - MiB) / KiB);
  word(EXTENDED_MEMORY_FOUND, (memory - MiB) / KiB);
  word(MEMORY_ABOVE_16M, (memory - 16 * MiB) / (64 * KiB));
  const high = Math.max(0, memory - 2 ** 32) / (64 * KiB);
  for (let i = 0; i < 3; i++) registers[MEMORY_ABOVE_4G + i] = Math.floor(high / 256 ** i) & 0xff;
  const sum = registers.subarray(0x10, CHECKSUM).reduce((total, byte) => total + byte, 0);
  // High byte first, unlike all others.
  registers[CHECKSUM] = sum >> 8;
  registers[CHECKSUM + 1] = sum & 0xff;
}
