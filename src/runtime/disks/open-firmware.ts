import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ImageError, imageBytes, recognise } from '../../boot/index.js';
import type { MachineSpec } from '../../config/index.js';
import { type FirmwareImage, LARGEST_FIRMWARE } from '../../pc/index.js';

const ROM_HINT = 'give a ROM: --firmware FILE; without one Terrarium’s own BIOS runs';

/** Reads the ROM that a machine's description names; undefined where it names none. @throws ImageError that names the file */
export function openFirmware({ firmware: file }: MachineSpec): FirmwareImage | undefined {
  if (file === undefined) return undefined;
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    throw new ImageError(
      code === 'ENOENT' ? `${file}: no such file` : `${file}: open failed with ${code}`,
      ROM_HINT,
    );
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw new ImageError(`${file}: not a regular file`, ROM_HINT);
    if (found.size > LARGEST_FIRMWARE)
      throw new ImageError(
        `${file}: ${found.size} bytes are more than a ROM has, 16M`,
        'is it a disk? --disk FILE',
      );
    const bytes = readFileSync(fd);
    const { kind, evidence } = recognise(imageBytes(bytes));
    if (kind === 'text' || kind === 'foreign')
      throw new ImageError(`${file}: this is ${evidence.split(': ')[0]}, and no ROM`, ROM_HINT);
    return { name: path.basename(file), bytes };
  } finally {
    closeSync(fd);
  }
}
