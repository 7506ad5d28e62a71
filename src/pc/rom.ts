/**
 * Foreign firmware: a ROM that ends at 1 MiB, where an old BIOS runs, and at 4 GiB, where the processor starts.
 *
 * @module
 */
import { type BootPlan, boot, type Image, ImageError } from '../boot/index.js';
import { FirmwareRom, VGA_ROM_SEGMENT, VgaBios, vgaRom } from '../devices/index.js';
import type { GuestMemory } from '../memory/index.js';

/** A ROM's file. */
export interface FirmwareImage {
  name: string;
  bytes: Uint8Array;
}

/** What of it is below 1 MiB, too: a PC's board shows 128 KiB there. */
const SHADOW = 128 * 1024;
const SMALLEST = 16;
export const LARGEST_FIRMWARE = 16 * 1024 * 1024;
const RESET_BASE = 0xffff_0000n;

export interface RomParts {
  /** The ROM, and INT 10h as a graphics card brings it. */
  devices: [FirmwareRom, VgaBios];
  /** What the firmware finds in QEMU's `fw_cfg`. */
  files: Record<string, Uint8Array>;
  start(memory: GuestMemory): BootPlan;
}

/** QEMU's name for ROMs of graphics cards that no PCI device carries: SeaBIOS copies them to C0000 and starts them. */
const VGA_FILE = 'vgaroms/terrarium.rom';

/**
 * @param memory bytes of RAM from address 0
 * @param print also receives the text that is written to the screen
 * @throws ImageError for a size that no ROM has
 */
export function romParts(
  { name, bytes }: FirmwareImage,
  memory: number,
  print: ((text: string) => void) | undefined,
): RomParts {
  if (bytes.length < SMALLEST || bytes.length > LARGEST_FIRMWARE)
    throw new ImageError(
      `${name}: ${bytes.length} bytes are no ROM`,
      'a ROM has from 16 bytes to 16M, and the last 16 start it',
    );
  const low = bytes.subarray(Math.max(0, bytes.length - SHADOW));
  const image: Image = {
    format: 'flat',
    kind: 'rom',
    name,
    segments: [{ address: 0, bytes: low, memorySize: low.length }],
    entry: undefined,
  };
  return {
    devices: [new FirmwareRom(bytes), new VgaBios({ memory, ...(print && { print }) })],
    files: { [VGA_FILE]: vgaRom() },
    start(memory) {
      const vga = VGA_ROM_SEGMENT * 16;
      if (memory.contains(vga, vgaRom().length)) memory.writeBytes(vga, vgaRom());
      const plan = boot(memory, image, { mode: 'reset' });
      plan.state.system.cs.base = RESET_BASE;
      return plan;
    },
  };
}
