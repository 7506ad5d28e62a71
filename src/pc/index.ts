/**
 * Builds a PC from its parts. Nothing here uses Node.
 *
 * @module
 */
export { createFrom, requireDevice, restoreFrom } from './create.js';
export { withVga } from './default-vga.js';
export { isForFirmware } from './firmware.js';
export { type ForkParts, Machine, requireOwnDisks, restoresBy, type Snapshot } from './machine.js';
export { makePc } from './make.js';
export { addresses, type ImageSource, object, objects, readOptions, texts } from './options.js';
export type { MachineNetwork, MachineOptions, Opener, PcParts } from './parts.js';
export { type FirmwareImage, LARGEST_FIRMWARE } from './rom.js';
