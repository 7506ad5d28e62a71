/** The VGA, as other devices see it. */
export type { VgaSaved } from './state.js';
export { Vga } from './vga.js';
