import { ConfigError } from '../errors.js';
import type { GuestMemory } from '../memory/index.js';
import { type CpuRegisters, ENTRY_RETURN } from '../x86/index.js';
import { writeBiosData } from './bios-data.js';
import { type Image, ImageError } from './image.js';
import { BOOT_SECTOR_ADDRESS, type BootMode, chooseMode, isBootSector, type Mode } from './modes.js';
import { LOADER_MAGIC, writeMultibootInformation } from './multiboot.js';
import { hex, range } from './numbers.js';
import { parseImage } from './parse.js';
import { checkApart, clear, copyImage, type PlacedImage, placeImage } from './place.js';
import { realState, resetState, tableState } from './state.js';
import { MULTIBOOT_OFFSET, placeTables, STACK_ROOM, type TableMode, writeTables } from './tables.js';

/** How an image starts, and where in memory things lie, where it is not as the image has it. */
export interface BootOptions {
  /** Default `auto`. */
  mode?: Mode;
  /** Guest physical address of a flat image's first byte. */
  load?: number;
  /** Guest physical address of the first instruction. */
  entry?: number;
  /** Where the stack ends: the first push goes right below. */
  stack?: number;
}

/** A piece of an image, where it lies. */
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
  /** Where the image lies in guest physical memory. */
  segments: readonly ImagePlace[];
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
  const { stack, state } =
    mode === 'real' || mode === 'reset'
      ? bootReal(memory, placed, mode, entry, options.stack)
      : bootTables(memory, placed, mode, entry, options.stack);
  if (parsed.multiboot && mode === 'protected') {
    const at = Number(state.system.gdt.base) + MULTIBOOT_OFFSET;
    writeMultibootInformation(memory, at, parsed.name);
    Object.assign(state.registers, { rax: BigInt(LOADER_MAGIC), rbx: BigInt(at) });
  }
  writeBiosData(memory, mode, placed.segments);
  copyImage(memory, placed.segments);
  const segments = placed.segments.map(({ address, memorySize }) => ({ address, size: memorySize }));
  return { mode, format: parsed.format, entry, stack, segments, state };
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

function bootReal(
  memory: GuestMemory,
  placed: PlacedImage,
  mode: 'real' | 'reset',
  entry: number,
  given: number | undefined,
): { stack: number; state: CpuRegisters } {
  // After a reset SP is 0 and the guest sets its own.
  if (mode === 'reset') return { stack: given ?? 0, state: resetState(entry, given ?? 0) };
  const stack = given ?? realStackEnd(memory, placed);
  return { stack, state: realState(entry, stack) };
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
    'say where the stack ends (--stack), or give the guest more memory (--memory 1M)',
  );
}

/**
 * Puts the address that an entry function would return to on top of the stack, which stays aligned to 16 bytes, and returns
 * the stack pointer.
 */
function pushReturnAddress(memory: GuestMemory, mode: TableMode, stack: number): number {
  const top = stack - 16;
  clear(memory, top, 16);
  if (mode === 'long') memory.write64(top, ENTRY_RETURN);
  else memory.write32(top, Number(BigInt.asUintN(32, ENTRY_RETURN)));
  return top;
}

function bootTables(
  memory: GuestMemory,
  placed: PlacedImage,
  mode: TableMode,
  entry: number,
  given: number | undefined,
): { stack: number; state: CpuRegisters } {
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
  const tables = writeTables(memory, mode, block);
  const top = given ?? pushReturnAddress(memory, mode, stack);
  return { stack: top, state: tableState(mode, tables, entry, top) };
}
