import { type Image, kindWords } from '../../boot/index.js';

/** A boot sector of this size is recognised without a message. */
const SECTOR = 512;

/**
 * One line that says what a file was recognised as, and why; undefined where that is obvious (a flat image, an ELF file, a boot sector
 * alone) or the user chose it.
 */
export function takenFor({ kind, evidence, name, segments }: Image): string | undefined {
  if (kind === undefined || evidence === undefined || kind === 'flat' || kind === 'elf') return undefined;
  if (kind === 'boot-sector' && segments[0]?.memorySize === SECTOR) return undefined;
  return `terrarium: ${name} is taken for ${kindWords[kind]}: ${evidence} (--as KIND overrules)`;
}
