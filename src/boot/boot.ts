import { ConfigError } from '../errors.js';
import type { GuestMemory } from '../memory/index.js';
import { type CpuRegisters, ENTRY_RETURN } from '../x86/index.js';
import { writeBiosData } from './bios-data.js';
import { type Image, ImageError, type ImageSegment } from './image.js';
import { type LoaderOptions, prepareLinux, prepareStart, Room, writePieces } from './loaders/index.js';
import {
  BOOT_SECTOR_ADDRESS,
  type BootMode,
  chooseMode,
  isBootSector,
  loaderMode,
  type Mode,
} from './modes.js';
import { hex, range } from './numbers.js';
import { parseImage } from './parse.js';
import { checkApart, clear, copyImage, moreMemory, type PlacedImage, placeImage } from './place.js';
import { realState, resetState, tableState } from './state.js';
import { placeTables, STACK_ROOM, type TableBlock, type TableMode, writeTables } from './tables.js';

/** How an image starts, and its addresses in memory, where they differ from those of the image. */
export interface BootOptions extends LoaderOptions {
  /** Default `auto`. */
  mode?: Mode;
  /** Guest physical address of a flat image's first byte. */
  load?: number;
  /** Guest physical address of the first instruction. */
  entry?: number;
  /** Where the stack ends: the first push goes right below. */
  stack?: number;
}

/** A piece of an image, and its address. */
export interface ImagePlace {
  address: number;
  size: number;
}

/** How a guest was placed. */
export interface BootPlan {
  mode: BootMode;
  format: Image['format'];
  /** Guest physical address of the first instruction. */
  entry: number;
  /** Guest physical address of the stack's end. */
  stack: number;
  /** The image's guest physical addresses. */
  segments: readonly ImagePlace[];
  /** Notes for the user: the kernel's requests that were not met. */
  notes: readonly string[];
  state: CpuRegisters;
}

/**
 * Puts an image into RAM, with the tables that its mode needs, and returns the CPU's first state. Everything is checked
 * before the first byte is written.
 *
 * @throws ImageError where the image cannot be booted, ConfigError where an option or the memory's size cannot be used.
 */
export function boot(memory: GuestMemory, image: Image | Uint8Array, options: BootOptions = {}): BootPlan {
  const parsed = image instanceof Uint8Array ? parseImage(image, 'image') : image;
  for (const key of ['load', 'entry', 'stack'] as const) checkAddress(key, options[key]);
  const mode = chooseMode(parsed, options.mode);
  const placed = placeImage(memory, parsed, mode, options.load);
  const entry = checkedEntry(memory, options.entry ?? placed.entry, mode);
  const { write, ...plan } = planStart(memory, placed, mode, entry, options);
  const state = write();
  writeBiosData(memory, mode, placed.segments);
  copyImage(memory, placed.segments);
  const segments = placed.segments.map(({ address, memorySize }) => ({ address, size: memorySize }));
  return { mode, format: parsed.format, entry, segments, notes: [], ...plan, state };
}

/** How a guest starts: `write` puts its data into RAM and returns the first state. Everything was checked before. */
interface StartPlan {
  stack: number;
  entry?: number;
  notes?: readonly string[];
  write(): CpuRegisters;
}

function planStart(
  memory: GuestMemory,
  placed: PlacedImage,
  mode: BootMode,
  entry: number,
  options: BootOptions,
): StartPlan {
  const { loader, name } = placed.image;
  if (loader === undefined || loaderMode(loader) !== mode) {
    refuseLoaderOptions(name, options);
    return mode === 'real' || mode === 'reset'
      ? planReal(memory, placed, mode, entry, options.stack)
      : planTables(memory, placed, mode, entry, options.stack);
  }
  const room = new Room(memory, name);
  for (const { address, memorySize } of placed.segments) room.reserve('the image', address, memorySize);
  if (loader.protocol === 'linux') {
    const image = { ...placed.image, loader };
    reserveForUnpacking(room, placed, loader.room);
    const { pieces, state, ...where } = prepareLinux(memory, image, options, room, entry);
    return {
      ...where,
      write() {
        writePieces(memory, pieces);
        return state;
      },
    };
  }
  // Multiboot and PVH start in protected mode.
  const { block, ...plan } = planTables(memory, placed, 'protected', entry, options.stack);
  room.reserve('the boot tables', block.address, block.size);
  const below = Math.min(STACK_ROOM, block.address);
  if (options.stack === undefined) room.reserve('the stack', block.address - below, below);
  const { pieces, rax, rbx, notes } = prepareStart(memory, { ...placed.image, loader }, options, room);
  return {
    ...plan,
    notes,
    write() {
      const state = plan.write();
      writePieces(memory, pieces);
      Object.assign(state.registers, { rax, rbx });
      return state;
    },
  };
}

/** A bzImage unpacks itself after where it was loaded. */
function reserveForUnpacking(room: Room, { image, segments }: PlacedImage, size: number): void {
  const [{ address, memorySize }] = segments as [ImageSegment];
  if (size <= memorySize) return;
  const [start, more] = [address + memorySize, size - memorySize];
  if (!room.isFree(start, more))
    throw new ImageError(
      `${image.name}: the kernel unpacks itself to ${range(address, size)} (init_size), which is not completely in the guest’s memory`,
      moreMemory(address + size),
    );
  room.reserve('the kernel’s room for unpacking', start, more);
}

/** Nothing that the user gives is silently ignored. */
function refuseLoaderOptions(name: string, { append, initrds = [], modules = [] }: BootOptions): void {
  const given =
    append !== undefined
      ? '--append'
      : initrds.length > 0
        ? '--initrd'
        : modules.length > 0
          ? '--module'
          : '';
  if (given === '') return;
  throw new ConfigError(
    `${name} takes no ${given}: no boot loader starts it, so it cannot be told about that`,
    'a multiboot header, a PVH note or a Linux kernel takes a command line (docs/booting.md)',
  );
}

function checkAddress(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new ConfigError(`${option} is ${value}, which is no address`, 'addresses are whole numbers from 0');
}

function checkedEntry(memory: GuestMemory, entry: number, mode: BootMode): number {
  if (!memory.contains(entry, 1)) {
    throw new ConfigError(
      `the entry ${hex(entry)} is not in guest memory`,
      'give an address inside the image',
    );
  }
  if (entry > 0xffff_ffff) {
    throw new ConfigError(
      `the entry ${hex(entry)} is out of reach: ${mode} mode starts with the first 4G of memory`,
      'start below 4G',
    );
  }
  return entry;
}

function planReal(
  memory: GuestMemory,
  placed: PlacedImage,
  mode: 'real' | 'reset',
  entry: number,
  given: number | undefined,
): StartPlan {
  // After a reset SP is 0 and the guest sets its own.
  const stack = given ?? (mode === 'reset' ? 0 : realStackEnd(memory, placed));
  const state = mode === 'reset' ? resetState(entry, stack) : realState(entry, stack);
  return { stack, write: () => state };
}

/** Bytes below a real mode stack's end that must be free of the image. */
const REAL_STACK_ROOM = 256;
/** Where a PC's RAM for real mode ends: video memory and ROMs follow. */
const CONVENTIONAL_END = 0xa_0000;

/** The default stack of real mode: below a boot sector, else the end of the first 64 KiB, else of the first 640. */
function realStackEnd(memory: GuestMemory, placed: PlacedImage): number {
  if (isBootSector(placed.image) && placed.segments[0]!.address === BOOT_SECTOR_ADDRESS)
    return BOOT_SECTOR_ADDRESS;
  const ram = memory.find(0)?.size ?? 0;
  for (const end of [Math.min(ram, 0xfffe), Math.min(ram, CONVENTIONAL_END)]) {
    const start = end - REAL_STACK_ROOM;
    const taken = placed.segments.some((s) => start < s.address + s.memorySize && s.address < end);
    if (!taken && start >= 0) return end;
  }
  const { address, memorySize } = placed.segments[0]!;
  throw new ImageError(
    `${placed.image.name}: the image at ${range(address, memorySize)} leaves no room for a stack, which would end at ${hex(Math.min(ram, 0xfffe))} or ${hex(Math.min(ram, CONVENTIONAL_END))}`,
    'set the stack’s end (--stack), or give the guest more memory (--memory 1M)',
  );
}

/** The stack stays aligned to 16 bytes. */
const RETURN_ROOM = 16;

/** Puts the address that an entry function would return to on top of the stack. */
function pushReturnAddress(memory: GuestMemory, mode: TableMode, top: number): void {
  clear(memory, top, RETURN_ROOM);
  if (mode === 'long') memory.write64(top, ENTRY_RETURN);
  else memory.write32(top, Number(BigInt.asUintN(32, ENTRY_RETURN)));
}

function planTables(
  memory: GuestMemory,
  placed: PlacedImage,
  mode: TableMode,
  entry: number,
  given: number | undefined,
): StartPlan & { block: TableBlock } {
  if (given !== undefined && mode !== 'long' && given > 0xffff_ffff) {
    throw new ConfigError(
      `the stack ${hex(given)} does not fit into the 32 bits of ESP`,
      `in ${mode} mode a stack ends below 4G`,
    );
  }
  const block = placeTables(memory, mode, given);
  const room = block.size + STACK_ROOM;
  const what =
    mode === 'protected' ? 'the boot tables (GDT, TSS)' : 'the boot tables (GDT, TSS, page tables)';
  checkApart(placed, { what, ...block }, room);
  const stack = given ?? block.address;
  if (given === undefined) {
    checkApart(placed, { what: 'the stack', address: stack - STACK_ROOM, size: STACK_ROOM }, room);
  }
  const top = given ?? stack - RETURN_ROOM;
  return {
    block,
    stack: top,
    write() {
      const tables = writeTables(memory, mode, block);
      if (given === undefined) pushReturnAddress(memory, mode, top);
      return tableState(mode, tables, entry, top);
    },
  };
}
