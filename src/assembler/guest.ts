/**
 * A guest's source as its image: the width of its code, its address, and whether it is a flat image or an ELF file, as for `terrarium run
 * kernel.S`.
 *
 * @module
 */
import { type Assembled, assemble, flatImage, type SourceFile } from './assemble.js';

/** The CPU mode of a source; `auto`: by its first directive. */
export type GuestMode = 'auto' | 'reset' | 'real' | 'protected' | 'paged' | 'pae' | 'long';

/** The width of the code, and the form of the image. */
export interface GuestTarget {
  readonly bits: 16 | 32 | 64;
  readonly kind: 'flat' | 'elf';
}

/** Sections that only an operating system's loader would read, as in the linker scripts. */
export const NOT_LOADED: readonly RegExp[] = [
  /^\.(note|comment|eh_frame|eh_frame_hdr|gcc_except_table|interp|dynamic)(\.|$)/,
];
/** The link address of 32-bit and 64-bit guests: above the PC's low memory, as Multiboot and Linux kernels are. */
export const DEFAULT_ELF_LOAD = 0x100000;
/** The address at which a BIOS loads a boot sector. */
export const BOOT_SECTOR_LOAD = 0x7c00;

const modeWidth = { reset: 16, real: 16, protected: 32, paged: 32, pae: 32, long: 64 } as const;

/** True for a NASM source with a load address (`org`): it becomes a flat image. */
export function placesItself(source: string): boolean {
  return /^[ \t]*\[?[ \t]*org[ \t]/im.test(source);
}

/** The width in a NASM source: `bits 16`, `[bits 32]`, `use64`; undefined where it has none. */
export function nasmWidth(source: string): 16 | 32 | 64 | undefined {
  const [, bits] = /^[ \t]*\[?[ \t]*(?:bits[ \t]+|use)(16|32|64)\b/im.exec(source) ?? [];
  return bits === undefined ? undefined : (Number(bits) as 16 | 32 | 64);
}

/** Every `.code16`, `.code16gcc`, `.code32` and `.code64` of a source for GNU as in order, comments left out. */
function widthDirectives(source: string): (16 | 32 | 64)[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, ' ');
  const found = code.matchAll(/^[^\n/#"]*\.code(16|32|64)(?:gcc)?\b/gm);
  return [...found].map((match) => Number(match[1]) as 16 | 32 | 64);
}

/** The form of a source's image. @param language its language: `other` is not an assembler's */
export function guestTarget(
  source: string,
  language: 'gas' | 'nasm' | 'other',
  mode: GuestMode,
): GuestTarget {
  const directives = language === 'gas' ? widthDirectives(source) : [];
  const itself = language === 'nasm' && placesItself(source);
  const said = language === 'nasm' ? (nasmWidth(source) ?? (itself ? 16 : undefined)) : directives[0];
  const width = mode === 'auto' ? (said ?? 64) : modeWidth[mode];
  return {
    kind: width === 16 || itself ? 'flat' : 'elf',
    bits: directives.includes(64) ? 64 : width,
  };
}

/** An image of at least a sector with the boot signature 55 AA at its end, as a BIOS requires it. */
export function isBootSector(bytes: Uint8Array): boolean {
  return bytes.length >= 512 && bytes[510] === 0x55 && bytes[511] === 0xaa;
}

/** A flat image that reaches the reset vector is filled up to the end of its segment. */
export function toSegment(bytes: Uint8Array, mode: GuestMode): Uint8Array {
  const reaches = bytes.length > 0xfff0 && bytes.length < 0x10000 && (mode === 'auto' || mode === 'reset');
  if (!reaches || isElf(bytes)) return new Uint8Array(bytes);
  // The guest's own linker script may end after the jump at FFF0; the segment's end must still be at 1 MiB.
  const segment = new Uint8Array(0x10000);
  segment.set(bytes);
  return segment;
}

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

export interface GuestSource {
  /** Its name: `.asm` and `.nasm` are NASM's, `.s` is GNU as without C's preprocessor. */
  readonly file: string;
  readonly text: string;
}

export interface GuestOptions {
  readonly mode: GuestMode;
  /** Address to link for. Default: 0 for 16-bit code (0x7c00 for a boot sector), 1 MiB otherwise. */
  readonly load?: number;
  readonly read?: (name: string, from: string) => SourceFile | undefined;
  readonly defines?: ReadonlyMap<string, string>;
}

/** A source, assembled at its addresses. */
export interface AssembledGuest extends GuestTarget {
  readonly program: Assembled;
  /** The address of its first byte. */
  readonly base: bigint;
}

/** Assembles a guest at its load address. @throws AssemblerError with all errors */
export function assembleGuest({ file, text }: GuestSource, options: GuestOptions): AssembledGuest {
  const language = /\.(asm|nasm)$/.test(file) ? 'nasm' : 'gas';
  const target = guestTarget(text, language, options.mode);
  const itself = language === 'nasm' && placesItself(text);
  const at = (load: number) => {
    const program = assemble(text, {
      file,
      syntax: language === 'nasm' ? 'nasm' : file.endsWith('.s') ? 'gas' : 'gas-cpp',
      base: BigInt(load),
      ...(!itself && { bits: target.bits }),
      ...(options.read && { read: options.read }),
      ...(options.defines && { defines: options.defines }),
      discard: NOT_LOADED,
    });
    const first = program.sections.find(({ bytes }) => bytes.length > 0);
    return { ...target, program, base: first?.address ?? BigInt(load) };
  };
  const made = at(options.load ?? (target.kind === 'flat' ? 0 : DEFAULT_ELF_LOAD));
  const maybe = options.load === undefined && (options.mode === 'auto' || options.mode === 'real');
  if (!maybe || itself || target.kind !== 'flat' || !isBootSector(flatImage(made.program))) return made;
  return at(BOOT_SECTOR_LOAD);
}
