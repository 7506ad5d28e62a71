/**
 * What a BIOS leaves in the RAM of a PC's clock: how much memory there is (RBIL, CMOS.LST).
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

/** No drives, a VGA adapter, a keyboard; an FPU is there. */
const EQUIPMENT_OF_A_PC = 0x06;

/** Writes the bytes that tell `memory` bytes of RAM from address 0, and the checksum of the RAM. */
export function writeMemorySize(registers: Uint8Array, memory: number): void {
  const word = (at: number, value: number) => {
    const bounded = Math.min(0xffff, Math.max(0, Math.floor(value)));
    registers[at] = bounded & 0xff;
    registers[at + 1] = bounded >> 8;
  };
  registers[EQUIPMENT] = EQUIPMENT_OF_A_PC;
  word(BASE_MEMORY, Math.min(640, memory / KiB));
  word(EXTENDED_MEMORY, (memory - MiB) / KiB);
  word(EXTENDED_MEMORY_FOUND, (memory - MiB) / KiB);
  word(MEMORY_ABOVE_16M, (memory - 16 * MiB) / (64 * KiB));
  const sum = registers.subarray(0x10, CHECKSUM).reduce((total, byte) => total + byte, 0);
  // High byte first, unlike all others.
  registers[CHECKSUM] = sum >> 8;
  registers[CHECKSUM + 1] = sum & 0xff;
}
