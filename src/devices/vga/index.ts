/** The VGA, its face to the other devices. */
export type { VgaSaved } from './state.js';
export { Vga } from './vga.js';
