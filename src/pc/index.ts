/**
 * The one place that puts a PC together. Nothing here knows Node.
 *
 * @module
 */
export { createFrom, type MachineOptions, type Opener } from './create.js';
export { isForFirmware } from './firmware.js';
export { makePc, type PcParts } from './make.js';
export { type ImageSource, object, objects, readOptions } from './options.js';
export { type FirmwareImage, LARGEST_FIRMWARE } from './rom.js';
