/**
 * The programs of bench/programs, built for all runners, and the clock that times their output.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** The parts of the mix; there are also `loop` and `rep-movs`. */
export const mixParts = ['memcpy', 'sieve', 'crc32', 'quicksort', 'sha256'] as const;

/** One part of the programs: its time and its result. */
export interface Part {
  ms: number;
  checksum: string;
  instructions?: number;
}

export type Parts = ReadonlyMap<string, Part>;

/** The parts that compute with floating-point numbers; in 64 bits there are also parts with vectors. */
export const floatParts = ['nbody', 'mandelbrot', 'matmul'] as const;
export const vectorParts = ['vector-copy', 'vector-strlen', 'vector-hash'] as const;

/** Loops must not become calls of memcpy and memset. */
const common = ['-O2', '-Wall', '-fno-tree-loop-distribute-patterns'];
/** By program: no wide registers, which not every engine supports; explicit SSE2; or the x87. */
const flags = {
  mix: { 64: ['-mgeneral-regs-only'], 32: ['-mgeneral-regs-only'] },
  floats: {
    64: ['-DFLOATS', '-fno-tree-vectorize'],
    32: ['-DFLOATS', '-mfpmath=387', '-mno-sse'],
  },
} as const;
const bare =
  `-ffreestanding -nostdlib -static -no-pie -fno-pie -mno-red-zone -fno-stack-protector -fcf-protection=none
  -fno-asynchronous-unwind-tables -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments`.split(
    /\s+/,
  );

/** The second entry of start.S: after the Multiboot header. */
const MULTIBOOT_ENTRY = '0x10000c';

export interface Program {
  /** An ELF file that starts in the width for which it was compiled. */
  direct: string;
  /** The same code, started in 32 bits by a Multiboot loader. */
  multiboot: string;
}

/** Compiles the programs into `folder`; all their problem sizes are multiplied by `scale`. */
export function buildProgram(
  sources: string,
  folder: string,
  bits: 32 | 64,
  scale: number,
  name: keyof typeof flags = 'mix',
): Program {
  const direct = path.join(folder, `${name}${bits}-${scale}`);
  const multiboot = `${direct}.multiboot`;
  const files = ['start.S', `${name}.c`].map((file) => path.join(sources, file));
  const more = [`-m${bits}`, `-DSCALE=${scale}`, `-Wl,-T,${path.join(sources, 'image.lds')}`];
  execFileSync('gcc', [...common, ...flags[name][bits], ...bare, ...more, ...files, '-o', direct]);
  // Multiboot loaders take 32-bit files only.
  execFileSync('objcopy', ['-O', 'elf32-i386', '--set-start', MULTIBOOT_ENTRY, direct, multiboot]);
  return { direct, multiboot };
}

/** The same programs for this machine's own processor. */
export function buildNative(sources: string, folder: string, scale: number): string {
  const file = path.join(folder, `native-${scale}`);
  execFileSync('gcc', [
    ...common,
    ...flags.mix[64],
    `-DSCALE=${scale}`,
    '-DHOSTED',
    path.join(sources, 'mix.c'),
    '-o',
    file,
  ]);
  return file;
}

/** Receives the programs' output byte by byte and records when each part ended. */
export class PartClock {
  readonly parts = new Map<string, Part>();
  /** True once the programs have printed their end mark. */
  done = false;
  readonly #count: (() => number) | undefined;
  #line = '';
  #began = performance.now();
  #counted = 0;

  /** @param count the number of instructions so far, where they are counted */
  constructor(count?: () => number) {
    this.#count = count;
  }

  byte(value: number): void {
    if (value !== 0x0a) {
      this.#line += String.fromCharCode(value);
      return;
    }
    const ms = performance.now() - this.#began;
    const counted = this.#count?.();
    const [name = '', checksum = ''] = this.#line.split(' ');
    // The second round replaces the first.
    this.parts.set(name, {
      ms,
      checksum,
      ...(counted !== undefined && { instructions: counted - this.#counted }),
    });
    this.done = name === 'end';
    this.#line = '';
    this.#counted = counted ?? 0;
    this.#began = performance.now();
  }
}
