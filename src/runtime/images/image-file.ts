import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  autoMode,
  BOOT_SECTOR_ADDRESS,
  type BootOptions,
  type Image,
  ImageError,
  isBootSector,
  type Mode,
  modes,
  parseImage,
} from '../../boot/index.js';
import { type Notification, notifications } from '../../devices/index.js';
import { TerrariumError } from '../../errors.js';
import type { RegionConfig } from '../../memory/index.js';
import { type IrqchipName, irqchipNames } from '../../pc/index.js';
import { compileSource } from './toolchain.js';

/** Images above this are refused before they are read: no guest has more memory than 4 GiB. */
const LARGEST_IMAGE = 4 * 1024 * 1024 * 1024;

/** Where an image ends that begins at the reset vector, 16 bytes below (SDM 3A 10.1.4). */
const RESET_END = 0x100000;

/** Endings of files that are compiled before they run. */
const sourceEndings = new Set(['.S', '.s', '.c']);

/** How a guest wants to run: what its folder's `guest.json` says, under what the caller asked for. */
export interface GuestSettings extends Omit<BootOptions, 'entry'> {
  memory?: number;
  /** Pieces of memory beside RAM. */
  regions?: readonly RegionConfig[];
  /** SIMVIRTIO's devices, by exits or by polling. */
  simvirtio?: Notification;
  /** Interrupt controllers and timer. */
  irqchip?: IrqchipName;
  /** A VGA. */
  vga?: boolean;
  timeoutMs?: number;
}

/** An image and how to run it. */
export interface LoadedImage {
  image: Image;
  /** The file that was read or compiled. */
  file: string;
  /** To spread into the machine's configuration; what the caller asked for is in it. */
  settings: GuestSettings;
  /** What the compiler had to say, if anything. */
  warnings: string;
  /**
   * Compiles a source once more for what its addresses are called, which a flat image cannot hold and a kept one has not:
   * undefined where it cannot be had, or comes to other code than the image's.
   */
  symbols?: () => Image | undefined;
  /** Where the sources are, as far as that is known. */
  sourceFolder: string;
}

/**
 * Reads an image, compiles a source, or opens a guest folder (one with a `guest.json`).
 * @throws ImageError, ToolchainError
 */
export function loadImage(file: string, options: GuestSettings = {}): LoadedImage {
  const found = stat(file);
  if (found.isDirectory()) {
    const { image, source, defaults } = readGuestFolder(file);
    if (stat(image).isDirectory())
      throw new ImageError(`${file}/guest.json: "image" names a directory, ${image}`);
    const loaded = loadImage(image, { ...defaults, ...options });
    if (source === undefined || loaded.symbols || loaded.image.sections) return loaded;
    const { mode, load } = { ...defaults, ...options };
    const sourceFolder = path.dirname(source);
    return {
      ...loaded,
      sourceFolder,
      symbols: () => placed(symbolsOf(source, mode, load, loaded.image), loaded.image, mode),
    };
  }
  if (sourceEndings.has(path.extname(file))) {
    const { load, ...settings } = options;
    const linkAt = load === undefined ? {} : { load };
    const { bytes, warnings } = compileSource(file, { mode: options.mode ?? 'auto', ...linkAt });
    const image = parseImage(bytes, path.basename(file));
    // An ELF file was linked for its address and goes there by itself; flat code has to be put there.
    return {
      image,
      file,
      settings: image.format === 'flat' ? { ...settings, ...linkAt } : settings,
      warnings,
      sourceFolder: path.dirname(file),
      ...(image.format === 'flat' && {
        symbols: () => placed(symbolsOf(file, options.mode, linkedAt(image, load)), image, options.mode),
      }),
    };
  }
  if (!found.isFile()) {
    throw new ImageError(
      `${file}: not a regular file`,
      'give an image, a source (.S, .s, .c) or a guest folder',
    );
  }
  if (found.size > LARGEST_IMAGE) {
    throw new ImageError(`${file}: ${found.size} bytes are more than any guest can hold`);
  }
  const image = parseImage(read(file), path.basename(file));
  return { image, file, settings: options, warnings: '', sourceFolder: path.dirname(file) };
}

/** A boot sector is linked for where a PC's firmware puts it, unless the caller knows better. */
function linkedAt(image: Image, load: number | undefined): number | undefined {
  return load ?? (isBootSector(image) ? BOOT_SECTOR_ADDRESS : undefined);
}

/**
 * The image as an ELF file; undefined where it cannot be had.
 * @param same the image that the source must come to
 */
function symbolsOf(
  file: string,
  mode: Mode = 'auto',
  load: number | undefined,
  same?: Image,
): Image | undefined {
  const at = load === undefined ? {} : { load };
  try {
    if (same !== undefined && !sameCode(parseImage(compileSource(file, { mode, ...at }).bytes, file), same))
      return undefined;
    return parseImage(compileSource(file, { mode, ...at, symbols: true }).bytes, path.basename(file));
  } catch (error) {
    if (error instanceof TerrariumError) return undefined;
    throw error;
  }
}

/** What is to end at the reset vector is linked for offset 0 of a segment, wherever that segment lies. */
function placed(symbols: Image | undefined, image: Image, mode: Mode = 'auto'): Image | undefined {
  const resets =
    image.format === 'flat' && (mode === 'reset' || (mode === 'auto' && autoMode(image) === 'reset'));
  if (!resets || symbols === undefined) return symbols;
  return { ...symbols, bias: RESET_END - (image.segments[0]?.memorySize ?? 0) };
}

function sameCode(a: Image, b: Image): boolean {
  if (a.segments.length !== b.segments.length) return false;
  return a.segments.every(({ address, bytes }, i) => {
    const other = b.segments[i]!;
    return address === other.address && Buffer.compare(bytes, other.bytes) === 0;
  });
}

function stat(file: string) {
  try {
    return statSync(file);
  } catch (cause) {
    throw fileError(file, cause);
  }
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw fileError(file, cause);
  }
}

function fileError(file: string, cause: unknown): ImageError {
  const { code = 'unreadable', syscall = 'open' } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return new ImageError(`${file}: no such file`, 'check the path; guests to try are in guests/');
  return new ImageError(`${file}: ${syscall} failed with ${code}`);
}

function readGuestFolder(folder: string): GuestFile {
  const file = path.join(folder, 'guest.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new ImageError(
      `${folder}: a directory without a guest.json`,
      'give an image, a source (.S, .s, .c), or a folder as those in guests/',
    );
  }
  return parseGuestFile(text, file, folder);
}

/** What a folder's guest.json says. */
interface GuestFile {
  image: string;
  /** What the image was made from. */
  source: string | undefined;
  defaults: GuestSettings;
}

function parseGuestFile(text: string, file: string, folder: string): GuestFile {
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new ImageError(`${file}: not JSON: ${(cause as Error).message}`);
  }
  const { image, source, mode, load, stack, memory, regions, simvirtio, irqchip, vga, timeoutMs } = said;
  if (typeof image !== 'string') throw new ImageError(`${file}: "image" does not name a file`);
  const defaults: GuestSettings = {};
  if (mode !== undefined) {
    if (!modes.includes(mode as Mode))
      throw new ImageError(`${file}: "mode" is ${String(mode)}`, `modes: ${modes.join(', ')}`);
    defaults.mode = mode as Mode;
  }
  for (const [name, value] of Object.entries({ load, stack, memory, timeoutMs })) {
    if (value === undefined) continue;
    if (typeof value !== 'number') throw new ImageError(`${file}: "${name}" is not a number`);
    defaults[name as 'load' | 'stack' | 'memory' | 'timeoutMs'] = value;
  }
  if (regions !== undefined) defaults.regions = readRegions(regions, file);
  if (simvirtio !== undefined) {
    if (!notifications.includes(simvirtio as Notification))
      throw new ImageError(`${file}: "simvirtio" is ${String(simvirtio)}`, notifications.join(', '));
    defaults.simvirtio = simvirtio as Notification;
  }
  if (irqchip !== undefined) {
    if (!irqchipNames.includes(irqchip as IrqchipName))
      throw new ImageError(`${file}: "irqchip" is ${String(irqchip)}`, irqchipNames.join(', '));
    defaults.irqchip = irqchip as IrqchipName;
  }
  if (vga !== undefined) {
    if (typeof vga !== 'boolean') throw new ImageError(`${file}: "vga" is ${String(vga)}`, 'true or false');
    defaults.vga = vga;
  }
  return {
    image: path.join(folder, image),
    source: typeof source === 'string' ? path.join(folder, source) : undefined,
    defaults,
  };
}

/** The pieces of memory that a guest.json asks for; whether they can be had is the machine's to say. */
function readRegions(said: unknown, file: string): RegionConfig[] {
  if (!Array.isArray(said)) throw new ImageError(`${file}: "regions" is not a list`);
  return said.map((region: unknown, i) => {
    const { address, size, readOnly = false } = (region ?? {}) as Record<string, unknown>;
    if (typeof address !== 'number' || typeof size !== 'number' || typeof readOnly !== 'boolean') {
      throw new ImageError(
        `${file}: "regions"[${i}] is no region`,
        'write it as { "address": 33554432, "size": 4096, "readOnly": true }',
      );
    }
    return { address, size, readOnly };
  });
}
