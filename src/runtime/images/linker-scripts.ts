/**
 * The default linker scripts. They place a kernel's first instruction first, discard what only an operating system's loader
 * would read (notes, unwind tables), and report what is missing.
 *
 * @module
 */

const hex = (value: number) => `0x${value.toString(16)}`;

/**
 * The start of an image: sections with such a name, then the function `_start`, which has its own section by
 * `-ffunction-sections`.
 */
const FIRST = '*(.start .text.start .init .text._start)';

/** Sections that a compiler adds for debuggers, unwinders and dynamic loaders, none of which a bare guest has. */
const DISCARD =
  '/DISCARD/ : { *(.note .note.* .comment .eh_frame .eh_frame_hdr .gcc_except_table* .interp .dynamic) }';

const NEEDS_START = `ASSERT(DEFINED(_start), "there is no _start: C begins with void _start(void), assembler with a global label _start")`;

export interface LayoutOptions {
  /** Address of the image's first byte. */
  load: number;
  /** A C compiler does not fix the order of functions: a kernel in C must name its entry. */
  needsStart: boolean;
}

/**
 * A flat binary: the file's bytes are the memory's bytes from `load`, and its first byte is its first instruction. An
 * image that reaches the reset vector at FFF0 is filled up to 64 KiB, so that its end is the end of the segment.
 */
export function flatScript({ load, needsStart }: LayoutOptions): string {
  return `OUTPUT_FORMAT(binary)
ENTRY(_guest_entry)
SECTIONS {
  . = ${hex(load)};
  _guest_entry = .;
  .image : {
    ${FIRST}
    *(.text .text.*)
    *(.rodata .rodata.*)
    *(.data .data.*)
    . = (. > 0xfff0 && . < 0x10000) ? 0x10000 : .;
  } =0
  .bss (NOLOAD) : { *(.bss .bss.*) *(COMMON) }
  ${DISCARD}
}
${needsStart ? NEEDS_START : ''}
ASSERT((DEFINED(_start) ? _start : _guest_entry) == _guest_entry || SIZEOF(.image) >= 0x10000,
  "_start is not the first byte of a flat image: put it first")
`;
}

/** An ELF file whose segments are linked and loaded at the same addresses, from `load` on. */
export function elfScript({ load, needsStart }: LayoutOptions): string {
  return `ENTRY(_guest_entry)
SECTIONS {
  . = ${hex(load)};
  .text : { ${FIRST} *(.text .text.*) }
  .rodata : { *(.rodata .rodata.* .lrodata .lrodata.*) }
  .init_array : {
    __init_array_start = .;
    KEEP(*(SORT(.init_array.*) .init_array .ctors))
    __init_array_end = .;
  }
  .data : { *(.data .data.* .got .got.* .ldata .ldata.*) }
  .bss : { *(.bss .bss.* .lbss .lbss.*) *(COMMON) }
  ${DISCARD}
}
_guest_entry = DEFINED(_start) ? _start : ${hex(load)};
${needsStart ? NEEDS_START : ''}
`;
}
