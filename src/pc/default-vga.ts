/**
 * A VGA for guests that do not mention one: a PC has it, and a guest that writes to B8000 expects it. Commands add it where the guest has
 * nothing else at these addresses; programs (`createMachine`) get only the devices that they name.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import { defaultOf, type MachineSpec } from '../config/index.js';

/** Video memory replaces RAM here (IBM VGA technical reference). */
const FIRST = 0xa0000;
const END = 0xc0000;
const ONE_MIB = 0x100000;

/** The guest's machine, with a VGA where it does not mention one and leaves its addresses free. */
export function withVga({ image, spec }: { image: Image; spec: MachineSpec }): MachineSpec {
  if (spec.vga !== undefined || spec.standardDevices === false) return spec;
  const { memory = defaultOf('memory') ?? 0, load, regions = [] } = spec;
  // The end of a flat image is at 1 MiB after a reset; which start it has is decided later, so both have to be free of it.
  const starts = image.format !== 'flat' || load !== undefined ? [load ?? 0] : [0, ONE_MIB];
  const taken = [
    ...image.segments.flatMap(({ address, memorySize }) =>
      starts.map((start) => ({
        first: start === ONE_MIB ? ONE_MIB - memorySize : address + start,
        size: memorySize,
      })),
    ),
    // One that overlaps RAM is refused: as if nothing divided RAM.
    ...regions.map(({ address, size }) => ({ first: address < memory ? FIRST : address, size })),
    ...[spec.entry, spec.stack].flatMap((at) => (at === undefined ? [] : [{ first: at, size: 1 }])),
    // The boot tables lie at the end of RAM.
    ...(memory > FIRST && memory < ONE_MIB ? [{ first: FIRST, size: 1 }] : []),
  ];
  // What does not fit is refused, and better so without a hole in RAM.
  if (image.format === 'flat' && image.segments.some(({ memorySize }) => (load ?? 0) + memorySize > memory))
    return spec;
  return taken.some(({ first, size }) => first < END && first + size > FIRST) ? spec : { ...spec, vga: true };
}
