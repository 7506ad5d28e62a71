/**
 * The layout of the engine area, the first 32 MiB of a VM's memory. Both the WebAssembly program and the TypeScript side import
 * this file and the three that it exports, so they hold only numbers.
 *
 * @module
 */
export * from './layout-code.js';
export * from './layout-cpu.js';
export * from './layout-run.js';

/** The area of the compiler's constants. */
export const STATIC_DATA = 0x1000;
/** Where guest RAM starts: memory's ENGINE_AREA. */
export const RAM = 0x2000000;
