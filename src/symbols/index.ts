/**
 * What the addresses of an image are called: symbols of its ELF file, source lines and call frames of its DWARF.
 *
 * @module
 */

export type { FrameRule } from './call-frames.js';
export type { SourceFile } from './dwarf-lines.js';
export { printable, printableText } from './printable.js';
export type { AddressRange, SourceLine } from './source-lines.js';
export { SymbolTable } from './symbol-table.js';
