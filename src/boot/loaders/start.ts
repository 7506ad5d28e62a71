/**
 * Plans the information and the modules for a multiboot or PVH kernel: nothing is written yet.
 *
 * @module
 */
import { ConfigError } from '../../errors.js';
import { type GuestMemory, PAGE_SIZE } from '../../memory/index.js';
import type { Image } from '../image.js';
import { memoryMap, ONE_MIB } from '../memory-map.js';
import type { LoaderSections, Multiboot2Header, VideoRequest } from './headers.js';
import type { BootFile, LoaderOptions, Piece } from './loader.js';
import {
  type InformationContents,
  MULTIBOOT_MAGIC,
  multibootInformation,
  type PlacedModule,
} from './multiboot-info.js';
import { MULTIBOOT2_MAGIC, multiboot2Information } from './multiboot2-info.js';
import { startInformation } from './pvh-info.js';
import type { Room } from './room.js';
import { placeSections } from './sections.js';

/** The data to write for a kernel, and its registers. */
export interface Start {
  pieces: Piece[];
  rax: bigint;
  rbx: bigint;
  /** Notes for the user: requests that were not met. */
  notes: string[];
}

/** The information is in conventional memory, where every kernel can reach it: above the memory of firmware, below its extended area. */
const LOW = { from: 0x1000, to: 0x9_f000, high: true } as const;
/** A kernel that asks for graphics gets the machine's screen. */
const NO_SCREEN = 'the machine has no screen (--vga)';

/**
 * @param room with the image, its tables and its stack in it
 * @throws ImageError where RAM is short; ConfigError where something cannot be given to this kernel
 */
export function prepareStart(
  memory: GuestMemory,
  image: Image & { loader: NonNullable<Image['loader']> },
  options: LoaderOptions,
  room: Room,
): Start {
  const { loader, name } = image;
  const { append, initrds = [], modules = [], frameBuffer, rsdp } = options;
  const map = memoryMap(memory);
  const words = append === undefined ? [] : [append];
  if (loader.protocol === 'pvh') {
    const { placed, pieces } = placeModules([...joined(initrds), ...modules], room);
    const contents = { commandLine: words.join(' '), map, modules: placed, rsdp };
    const at = takeInformation(room, startInformation(contents, 0).length);
    return started([...pieces, { address: at, bytes: startInformation(contents, at) }], 0, at);
  }
  if (initrds.length > 0)
    throw new ConfigError(
      `${name}: a multiboot kernel has modules, and no initial file system (--initrd)`,
      'give it a module: --module FILE',
    );
  if (loader.protocol === 'linux') throw new Error('a Linux kernel is started elsewhere');
  const { sections, more } = loadSections(loader.sections, room);
  const { placed, pieces } = placeModules(modules, room);
  const notes = videoNotes(loader.video, options);
  const contents: InformationContents = { commandLine: '', map, modules: placed, frameBuffer };
  if (loader.protocol === 'multiboot2') {
    requireConsole(loader, name, options);
    const loadBase = loader.relocatable && Math.min(...image.segments.map(({ address }) => address));
    const bytes = multiboot2Information(
      { ...contents, commandLine: words.join(' '), sections },
      loadBase === undefined ? undefined : loadBase,
    );
    const at = takeInformation(room, bytes.length);
    return started([...more, ...pieces, { address: at, bytes }], MULTIBOOT2_MAGIC, at, notes);
  }
  const table =
    sections && room.tryTake('the table of sections', sections.headers.length, { align: 16, ...LOW });
  const whole: InformationContents = {
    ...contents,
    // The first word is the kernel's own name, as with GRUB Legacy and QEMU.
    commandLine: [name, ...words].join(' '),
    ...(table !== undefined && { sections, headersAt: table }),
  };
  const at = takeInformation(room, multibootInformation(whole, 0).length);
  const headers = table === undefined ? [] : [{ address: table, bytes: sections!.headers }];
  const information = { address: at, bytes: multibootInformation(whole, at) };
  return started([...more, ...pieces, ...headers, information], MULTIBOOT_MAGIC, at, notes);
}

function started(pieces: Piece[], magic: number, at: number, notes: string[] = []): Start {
  return { pieces, rax: BigInt(magic), rbx: BigInt(at), notes };
}

/** Low memory, else above the kernel and its modules. */
function takeInformation(room: Room, size: number): number {
  return (
    room.tryTake('the loader’s information', size, { align: 16, ...LOW }) ??
    room.take('the loader’s information', size, { align: 16 })
  );
}

/** Modules are on their own pages, above 1 MiB where there is memory, in the given order. */
function placeModules(files: readonly BootFile[], room: Room): { placed: PlacedModule[]; pieces: Piece[] } {
  const placed: PlacedModule[] = [];
  const pieces: Piece[] = [];
  for (const { text, bytes } of files) {
    // An empty module has a page too, or it would have the address of the next one.
    const room1 = Math.max(bytes.length, 1);
    const what = `the module '${text}'`;
    const address =
      room.tryTake(what, room1, { from: placed.at(-1)?.address ?? ONE_MIB }) ??
      room.take(what, room1, { from: PAGE_SIZE });
    placed.push({ address, size: bytes.length, text });
    pieces.push({ address, bytes });
  }
  return { placed, pieces };
}

/** Several initial file systems as the one module that Linux looks at, each at a multiple of 4. */
function joined(files: readonly BootFile[]): readonly BootFile[] {
  const [first] = files;
  if (first === undefined || files.length === 1) return files;
  const starts: number[] = [];
  const size = files.reduce((at, { bytes }) => {
    starts.push(at);
    return at + Math.ceil(bytes.length / 4) * 4;
  }, 0);
  const bytes = new Uint8Array(size);
  for (const [n, file] of files.entries()) bytes.set(file.bytes, starts[n]!);
  return [{ text: first.text, bytes }];
}

function loadSections(
  sections: LoaderSections | undefined,
  room: Room,
): { sections?: InformationContents['sections']; more: Piece[] } {
  const loaded = sections && placeSections(sections, room, ONE_MIB);
  if (loaded === undefined) return { more: [] };
  const { count, entrySize, names } = sections!;
  return { sections: { count, entrySize, names, headers: loaded.headers }, more: loaded.pieces };
}

/** The properties of a requested video mode that the machine lacks. */
function videoNotes(video: VideoRequest | undefined, { frameBuffer }: LoaderOptions): string[] {
  if (video === undefined) return [];
  const { text, width, height, bits } = video;
  const met =
    frameBuffer !== undefined &&
    text === (frameBuffer.kind === 'text') &&
    (width === 0 || width === frameBuffer.width) &&
    (height === 0 || height === frameBuffer.height) &&
    (text || bits === 0 || bits === frameBuffer.bits);
  if (met) return [];
  const size = width === 0 && height === 0 ? '' : ` of ${width} × ${height}${text ? '' : ` × ${bits}`}`;
  const has =
    frameBuffer === undefined
      ? NO_SCREEN
      : `it gets ${frameBuffer.kind === 'text' ? 'text' : 'graphics'} of ${frameBuffer.width} × ${frameBuffer.height}`;
  return [`the kernel asks for a screen in ${text ? 'text' : 'graphics'} mode${size}: ${has}`];
}

function requireConsole(
  { needsConsole }: Multiboot2Header,
  name: string,
  { frameBuffer }: LoaderOptions,
): void {
  if (!needsConsole || frameBuffer !== undefined) return;
  throw new ConfigError(
    `${name}: the kernel requires a console of its loader (the console tag of its multiboot 2 header), and ${NO_SCREEN}`,
    'give the machine one: --vga, or --screen',
  );
}
