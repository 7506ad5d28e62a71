/**
 * Firmware of somebody else's: a ROM that ends at 1 MiB, where an old BIOS runs, and at 4 GiB, where the processor starts.
 *
 * @module
 */
import { type BootPlan, boot, type Image, ImageError } from '../boot/index.js';
import { FirmwareRom } from '../devices/index.js';
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
  device: FirmwareRom;
  start(memory: GuestMemory): BootPlan;
}

/** @throws ImageError for a size that no ROM has */
export function romParts({ name, bytes }: FirmwareImage): RomParts {
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
    device: new FirmwareRom(bytes),
    start(memory) {
      const plan = boot(memory, image, { mode: 'reset' });
      plan.state.system.cs.base = RESET_BASE;
      return plan;
    },
  };
}
