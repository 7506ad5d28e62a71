import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  autoMode,
  BOOT_SECTOR_ADDRESS,
  type Image,
  ImageError,
  isBootSector,
  type Mode,
  parseImage,
} from '../../boot/index.js';
import { type GuestFile, type MachineSpec, parseGuestFile } from '../../config/index.js';
import { TerrariumError } from '../../errors.js';
import { compileSource } from './toolchain.js';

/** Images above this are refused before they are read: no guest has more memory than 4 GiB. */
const LARGEST_IMAGE = 4 * 1024 * 1024 * 1024;

/** Where an image ends that begins at the reset vector, 16 bytes below (SDM 3A 10.1.4). */
const RESET_END = 0x100000;

/** Endings of files that are compiled before they run. */
const sourceEndings = new Set(['.S', '.s', '.c']);

/** An image and how to run it. */
export interface LoadedImage {
  image: Image;
  /** The file that was read or compiled. */
  file: string;
  /** The machine that it is to run on: what the caller asked for, over what a guest folder wants. */
  spec: MachineSpec;
  /** When a guest folder wants its guest ended, in milliseconds. */
  timeoutMs?: number;
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
 * @param asked goes before what the folder wants
 * @throws ImageError, ToolchainError
 */
export function loadImage(file: string, asked: MachineSpec = {}): LoadedImage {
  const found = stat(file);
  if (found.isDirectory()) return loadFolder(file, asked);
  if (sourceEndings.has(path.extname(file))) return loadSource(file, asked);
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
  return { image, file, spec: asked, warnings: '', sourceFolder: path.dirname(file) };
}

function loadFolder(folder: string, asked: MachineSpec): LoadedImage {
  const guest = readGuestFolder(folder);
  const file = path.join(folder, guest.image);
  if (stat(file).isDirectory())
    throw new ImageError(`${folder}/guest.json: "image" names a directory, ${file}`);
  const spec = { ...guest.spec, ...asked };
  const loaded = {
    ...loadImage(file, spec),
    ...(guest.timeoutMs !== undefined && { timeoutMs: guest.timeoutMs }),
  };
  if (guest.source === undefined || loaded.symbols || loaded.image.sections) return loaded;
  const source = path.join(folder, guest.source);
  const { mode, load } = spec;
  return {
    ...loaded,
    sourceFolder: path.dirname(source),
    symbols: () => placed(symbolsOf(source, mode, load, loaded.image), loaded.image, mode),
  };
}

function loadSource(file: string, asked: MachineSpec): LoadedImage {
  const { load, ...rest } = asked;
  const { mode = 'auto' } = asked;
  const linkAt = load === undefined ? {} : { load };
  const { bytes, warnings } = compileSource(file, { mode, ...linkAt });
  const image = parseImage(bytes, path.basename(file));
  const flat = image.format === 'flat';
  return {
    image,
    file,
    // An ELF file was linked for its address and goes there by itself; flat code has to be put there.
    spec: flat ? asked : rest,
    warnings,
    sourceFolder: path.dirname(file),
    ...(flat && { symbols: () => placed(symbolsOf(file, mode, linkedAt(image, load)), image, mode) }),
  };
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
  return parseGuestFile(text, file);
}
