/**
 * The names of an image's addresses: symbols of its ELF file, source lines and call frames of its DWARF.
 *
 * @module
 */

export type { FrameRule } from './call-frames.js';
export type { SourceFile } from './dwarf-lines.js';
export { DwarfReader } from './dwarf-reader.js';
export type { ElfSymbol } from './elf.js';
export type { DebugInfo, Scope, Variable } from './info/debug-info.js';
export { bareType, type CType, type Member, sizeOfType, VOID } from './info/types.js';
export { printable, printableText } from './printable.js';
export { dwarfRegisters, dwarfVector } from './registers.js';
export type { AddressRange, SourceLine } from './source-lines.js';
export { SymbolTable } from './symbol-table.js';
export { stringAt } from './text.js';
