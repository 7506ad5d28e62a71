/**
 * Firmware of our own: a PC's BIOS.
 *
 * @module
 */
export { BIOS_PORT, Bios, type BiosOptions, type BiosState } from './bios.js';
export { type Bootable, loadSystem, USUAL_ORDER } from './boot.js';
export { type ElTorito, readElTorito } from './el-torito.js';
export type { MemoryMapEntry } from './pc.js';
export { ROM_SEGMENT, ROM_SIZE, romImage } from './rom/rom.js';
export { VGA_ROM_SEGMENT, vgaRom } from './rom/vga-rom.js';
export { VgaBios, type VgaBiosOptions } from './vga-bios.js';
