import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import {
  autoMode,
  BOOT_SECTOR_ADDRESS,
  type Image,
  ImageError,
  type ImageKind,
  isBootSector,
  type Mode,
  parseImage,
} from '../../boot/index.js';
import { type GuestFile, type MachineSpec, parseGuestFile } from '../../config/index.js';
import { TerrariumError } from '../../errors.js';
import { isForFirmware } from '../../pc/index.js';
import { knownGuest } from './known-guests.js';
import { languageOf, SOURCE_ENDINGS } from './languages.js';
import { readImage } from './read-image.js';
import { type BuildOptions, type Compiled, compileSources } from './toolchain.js';

/** Sources above this are refused before a compiler reads them. */
const LARGEST_SOURCE = 64 * 1024 * 1024;

/** The end of an image that starts at the reset vector, 16 bytes below (SDM 3A 10.1.4). */
const RESET_END = 0x100000;

/** An image and how to run it. */
export interface LoadedImage {
  image: Image;
  /** The file that was read, or the first that was compiled. */
  file: string;
  /** The sources that were compiled; none where an image was read. */
  sources: readonly string[];
  /** The machine to run it on: the caller's fields take precedence over those of a guest folder. */
  spec: MachineSpec;
  /** The timeout from a guest folder, in milliseconds. */
  timeoutMs?: number;
  /** The compiler's messages, if any. */
  warnings: string;
  /**
   * Compiles a source again for its symbols, which a flat image cannot hold and a kept image does not have: undefined where
   * that is not possible, or where it gives different code.
   */
  symbols?: () => Image | undefined;
  /** The folders of the sources, as far as known. */
  sourceFolder: string;
}

/** Several sources, or one file or folder. */
export type ImageFiles = string | readonly string[];

/**
 * Reads an image, compiles sources, or opens a guest folder (one with a `guest.json`, or with only sources).
 * @param asked takes precedence over the folder's fields
 * @throws ImageError, ToolchainError
 */
export function loadImage(files: ImageFiles, asked: MachineSpec = {}, how: BuildOptions = {}): LoadedImage {
  const named = typeof files === 'string' ? [files] : files;
  if (named.length === 0) return fromDrives(asked);
  if (named.length === 0 || named.some((one) => one === ''))
    throw new ImageError('the name of the image is empty', HINT);
  if (named.length > 1) return loadSeveral(named, asked, how);
  const file = knownGuest(named[0]!);
  const found = stat(file);
  if (found.isDirectory()) return loadFolder(file, asked, how);
  if (languageOf(file) !== undefined) return loadSources([file], asked, how);
  if (!found.isFile()) throw new ImageError(`${file}: not a regular file`, HINT);
  const image = reading(file, () => readImage(file, asked));
  const inDrive = imageInDrive(image, file, asked);
  return { file, sources: [], warnings: '', sourceFolder: path.dirname(file), ...inDrive };
}

/** There is no image file: firmware starts from the drives, or a ROM runs by itself. */
function fromDrives(asked: MachineSpec): LoadedImage {
  const { disks = [], floppies = [], cdroms = [] } = asked;
  const [first] = [...floppies, ...disks, ...cdroms];
  if (first === undefined && asked.firmware === undefined)
    throw new ImageError(
      'missing image: there is nothing to run',
      `${HINT}, or a disk: --disk FILE, --floppy FILE, --cdrom FILE`,
    );
  const file = asked.firmware ?? first!.file;
  const kind =
    asked.firmware !== undefined
      ? 'rom'
      : floppies.length > 0
        ? 'floppy'
        : disks.length > 0
          ? 'disk'
          : 'cdrom';
  const bytes = new Uint8Array(512);
  const image: Image = {
    format: 'flat',
    kind,
    drive: true,
    name: path.basename(file),
    segments: [{ address: 0, bytes, memorySize: bytes.length }],
    entry: undefined,
  };
  return { image, file, sources: [], spec: asked, warnings: '', sourceFolder: path.dirname(file) };
}

/** The drives for each kind of image. */
const drivesFor: Partial<Record<ImageKind, 'floppies' | 'disks' | 'cdroms'>> = {
  floppy: 'floppies',
  disk: 'disks',
  cdrom: 'cdroms',
};

/** A disk image goes into a drive of the machine, before those of the options. */
function imageInDrive(image: Image, file: string, asked: MachineSpec): Pick<LoadedImage, 'image' | 'spec'> {
  const field = drivesFor[image.kind ?? 'flat'];
  if (field === undefined || !isForFirmware(asked, image)) return { image, spec: asked };
  const drives = [{ file: path.resolve(file) }, ...(asked[field] ?? [])];
  return { image: { ...image, drive: true }, spec: { ...asked, [field]: drives } };
}

const HINT = `give an image, sources (${SOURCE_ENDINGS}) or a guest folder`;

function loadSeveral(files: readonly string[], asked: MachineSpec, how: BuildOptions): LoadedImage {
  for (const file of files) {
    if (stat(file).isDirectory()) throw new ImageError(`${file}: a folder, among several files`, HINT);
    if (languageOf(file) === undefined)
      throw new ImageError(`${file}: no source, among several files`, `sources end in ${SOURCE_ENDINGS}`);
  }
  return loadSources(files, asked, how);
}

/**
 * Compiles sources, or a folder's, into the bytes of an image, as `loadImage` does. With `symbols` the same code comes as an ELF
 * file, for every kind of image.
 * @throws ImageError where there is nothing to compile, ToolchainError
 */
export function buildImage(
  files: readonly string[],
  asked: MachineSpec,
  { symbols = false, ...how }: BuildOptions & { symbols?: boolean },
): Compiled {
  const { sources, spec, how: build } = sourcesOf(files, asked, how);
  const { mode = 'auto' } = spec;
  const options = (load?: number) => ({ ...build, mode, ...(load !== undefined && { load }) });
  const compiled = compileSources(sources, options(spec.load));
  if (!symbols || compiled.kind === 'elf') return compiled;
  const load = linkedAt(parseImage(compiled.bytes, path.basename(sources[0]!)), spec.load);
  return compileSources(sources, { ...options(load), symbols });
}

/** The sources, their machine, and the options. */
function sourcesOf(files: readonly string[], asked: MachineSpec, how: BuildOptions) {
  const file = files.length === 1 ? knownGuest(files[0]!) : '';
  if (files.length !== 1 || !stat(file).isDirectory()) return { sources: files, spec: asked, how };
  if (!existsSync(path.join(file, 'guest.json'))) {
    const sources = sourcesIn(file);
    if (sources.length > 0) return { sources, spec: asked, how };
  }
  const guest = readGuestFolder(file);
  const names = [guest.source ?? guest.image, ...(guest.sources ?? [])];
  return {
    sources: names.map((name) => path.join(file, name)),
    spec: { ...guest.spec, ...asked },
    how: withFlags(how, guest),
  };
}

/** The folder's compiler flags come before the caller's. */
function withFlags(how: BuildOptions, { cflags }: GuestFile): BuildOptions {
  return { ...how, cflags: [...(cflags?.match(/\S+/g) ?? []), ...(how.cflags ?? [])] };
}

/** A folder with sources and without a guest.json: all of them, first the one with the entry point. */
function sourcesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => languageOf(name) !== undefined);
  const rank = (name: string) =>
    ['boot', 'start', 'entry', 'kernel', 'main'].indexOf(path.parse(name).name) + 1 || 9;
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).map((name) => path.join(folder, name));
}

function loadFolder(folder: string, asked: MachineSpec, how: BuildOptions): LoadedImage {
  if (!existsSync(path.join(folder, 'guest.json'))) {
    const sources = sourcesIn(folder);
    if (sources.length > 0) return loadSources(sources, asked, how);
  }
  const guest = readGuestFolder(folder);
  const build = withFlags(how, guest);
  const file = path.join(folder, guest.image);
  if (!existsSync(file))
    throw new ImageError(
      `${folder}/guest.json: "image" names ${guest.image}, which is not there`,
      'correct the name, or build the image first',
    );
  if (stat(file).isDirectory())
    throw new ImageError(`${folder}/guest.json: "image" names a directory, ${file}`);
  const spec = { ...besideIn(folder, guest.spec), ...asked };
  const others = (guest.sources ?? []).map((name) => path.join(folder, name));
  const loaded = {
    ...(others.length > 0 ? loadSeveral([file, ...others], spec, build) : loadImage(file, spec, build)),
    ...(guest.timeoutMs !== undefined && { timeoutMs: guest.timeoutMs }),
  };
  if (guest.source === undefined || loaded.symbols || loaded.image.sections) return loaded;
  const source = path.join(folder, guest.source);
  const { mode, load } = spec;
  return {
    ...loaded,
    sourceFolder: path.dirname(source),
    symbols: () => placed(symbolsOf([source], mode, load, build, loaded.image), loaded.image, mode),
  };
}

/** The files that a guest.json loads with its kernel must be in the folder: an untrusted folder reads no file of the host. */
function besideIn(folder: string, spec: MachineSpec): MachineSpec {
  const inside = (key: string) => (name: string) => {
    const file = path.join(path.resolve(folder), path.sep) + name;
    // The name is split as in openBeside.
    const named = existsSync(file) ? name : name.replace(/:.*/s, '');
    const place = path.relative(realPath(folder), realPath(path.join(folder, named)));
    if (path.isAbsolute(name) || place.startsWith('..'))
      throw new ImageError(`${folder}/guest.json: "${key}" names ${name}, which is not in the folder`);
    return file;
  };
  const { initrds, modules } = spec;
  return {
    ...spec,
    ...(initrds && { initrds: initrds.map(inside('initrds')) }),
    ...(modules && { modules: modules.map(inside('modules')) }),
  };
}

/** The target of links; a missing file is reported when it is opened. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return path.resolve(file);
  }
}

function loadSources(files: readonly string[], asked: MachineSpec, how: BuildOptions): LoadedImage {
  for (const one of files) requireSource(one);
  const file = files[0]!;
  const { load, ...rest } = asked;
  const { mode = 'auto' } = asked;
  const linkAt = load === undefined ? {} : { load };
  const { bytes, warnings } = compileSources(files, { ...how, mode, ...linkAt });
  const image = parseImage(bytes, path.basename(file), asked.as);
  const flat = image.format === 'flat';
  return {
    image,
    file,
    sources: files,
    // An ELF file has its load address; flat code must be placed there.
    spec: flat ? asked : rest,
    warnings,
    sourceFolder: path.dirname(file),
    ...(flat && { symbols: () => placed(symbolsOf(files, mode, linkedAt(image, load), how), image, mode) }),
  };
}

/** A boot sector is linked for the address at which a BIOS loads it, unless the caller gives another one. */
function linkedAt(image: Image, load: number | undefined): number | undefined {
  return load ?? (isBootSector(image) ? BOOT_SECTOR_ADDRESS : undefined);
}

/**
 * The image as an ELF file; undefined where that is not possible.
 * @param same the image that the source must give
 */
function symbolsOf(
  files: readonly string[],
  mode: Mode = 'auto',
  load: number | undefined,
  how: BuildOptions,
  same?: Image,
): Image | undefined {
  const options = { ...how, mode, ...(load !== undefined && { load }) };
  const name = path.basename(files[0]!);
  try {
    if (same !== undefined && !sameCode(parseImage(compileSources(files, options).bytes, name), same))
      return undefined;
    return parseImage(compileSources(files, { ...options, symbols: true }).bytes, name);
  } catch (error) {
    if (error instanceof TerrariumError) return undefined;
    throw error;
  }
}

/** An image that ends at the reset vector is linked for offset 0 of its segment, at any base. */
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

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof TerrariumError ? cause : fileError(file, cause);
  }
}

function requireSource(file: string): void {
  const { size } = stat(file);
  if (size > LARGEST_SOURCE)
    throw new ImageError(`${file}: a source of ${size} bytes is too large: at most ${LARGEST_SOURCE}`);
}

function fileError(file: string, cause: unknown): ImageError {
  const { code = 'unreadable', syscall = 'open' } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return new ImageError(
      `${file}: no such file`,
      'check the path; guests to try are guests/hello, guests/snake and others',
    );
  if (code === 'ENOTDIR')
    return new ImageError(`${file}: a part of its path is a file, not a folder`, 'check the path');
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
      `give an image, sources (${SOURCE_ENDINGS}), or a folder with some`,
    );
  }
  return parseGuestFile(text, file);
}
