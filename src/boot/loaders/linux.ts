/**
 * Starts a Linux kernel by one of its entries: the addresses of setup code, zero page, command line and initial file system, and the CPU's
 * first state. Source: the kernel's Documentation/arch/x86/boot.rst.
 *
 * @module
 */
import { ConfigError } from '../../errors.js';
import { type GuestMemory, PAGE_SIZE } from '../../memory/index.js';
import type { CpuRegisters } from '../../x86/index.js';
import {
  busyTss,
  encodeDescriptor,
  encodeSystemDescriptor64,
  flatCode32,
  flatCode64,
  flatData,
} from '../../x86/index.js';
import type { Image } from '../image.js';
import { memoryMap } from '../memory-map.js';
import { flatState, linuxRealState } from '../state.js';
import { identityTables } from '../tables.js';
import type { LinuxHeader } from './headers.js';
import { CAN_USE_HEAP, Field } from './linux-header.js';
import { UNKNOWN_LOADER, ZERO_PAGE, zeroPage } from './linux-params.js';
import { Block, type BootFile, type LoaderOptions, type Piece, zeroEnded } from './loader.js';
import type { Room } from './room.js';

/** Below 1 MiB, above the memory of firmware, below its extended data area. */
const LOW = { from: 0x1000, to: 0x9_f000 } as const;
/** The selectors that the 32-bit and 64-bit entries demand: __BOOT_CS and __BOOT_DS. */
const SELECTORS = { code: 0x10, data: 0x18 } as const;
const TSS = 0x20;
/** Real mode: this much is for the setup code, its heap and its stack; the command line follows. */
const HEAP_END = 0xe000;
const REAL_ROOM = 0x1_0000;
const REAL_BASES = [0x1_0000, 0x9_0000] as const;

/** The data to write, and the CPU's first state. */
export interface LinuxStart {
  pieces: Piece[];
  state: CpuRegisters;
  entry: number;
  stack: number;
}

/**
 * @param room with the image in it
 * @param entry a vmlinux's entry
 * @throws ImageError where RAM is short; ConfigError where something cannot be given to this kernel
 */
export function prepareLinux(
  memory: GuestMemory,
  image: Image & { loader: LinuxHeader },
  options: LoaderOptions,
  room: Room,
  entry: number,
): LinuxStart {
  const { loader: header, name } = image;
  const { append = '', initrds = [], modules = [] } = options;
  if (modules.length > 0)
    throw new ConfigError(
      `${name}: a Linux kernel has an initial file system, and no modules of its loader (--module)`,
      'give it one: --initrd FILE',
    );
  const commandLine = zeroEnded(append, 'the command line');
  if (commandLine.length - 1 > header.commandLineMax)
    throw new ConfigError(
      `${name}: a command line of ${commandLine.length - 1} bytes, and the kernel takes ${header.commandLineMax} at most`,
      'shorten the words of --append',
    );
  if (header.entry === 16) return prepareReal(header, commandLine, placeInitrd(header, initrds, room), room);
  const initrd = placeInitrd(header, initrds, room);
  const at = {
    zeroPage: room.take('Linux’s zero page', ZERO_PAGE, LOW),
    commandLine: room.take('the command line', commandLine.length, { ...LOW, align: 16 }),
    stack: room.take('the stack', PAGE_SIZE, LOW) + PAGE_SIZE,
  };
  const page = zeroPage({
    header,
    map: memoryMap(memory),
    commandLine: at.commandLine,
    initrd: initrd.place,
    frameBuffer: options.frameBuffer,
    rsdp: options.rsdp,
    load: header.load,
  });
  const tables = header.entry === 64 ? tables64(room) : tables32(room);
  const state = flatState(header.entry === 64 ? 'long' : 'protected', tables, entry, at.stack, SELECTORS);
  state.registers.rsi = BigInt(at.zeroPage);
  return {
    pieces: [
      { address: at.zeroPage, bytes: page },
      { address: at.commandLine, bytes: commandLine },
      ...initrd.pieces,
      ...tables.pieces,
    ],
    state,
    entry,
    stack: at.stack,
  };
}

interface PlacedInitrd {
  place?: { address: number; size: number };
  pieces: Piece[];
}

/** As high as the kernel allows, outside the memory for unpacking; several are joined, each at a multiple of 4. */
function placeInitrd({ initrdMax }: LinuxHeader, files: readonly BootFile[], room: Room): PlacedInitrd {
  const sizes = files.map(({ bytes }) => Math.ceil(bytes.length / 4) * 4);
  const size = sizes.reduce((sum, one) => sum + one, 0);
  if (size === 0) return { pieces: [] };
  const address = room.take('the initial file system', size, {
    from: 0x10_0000,
    to: initrdMax + 1,
    high: true,
  });
  let next = address;
  const pieces = files.map(({ bytes }, n) => {
    const piece = { address: next, bytes };
    next += sizes[n]!;
    return piece;
  });
  return { place: { address, size }, pieces };
}

/** The 16-bit entry: the setup code itself asks firmware for memory and modes. */
function prepareReal(
  header: LinuxHeader,
  commandLine: Uint8Array,
  initrd: PlacedInitrd,
  room: Room,
): LinuxStart {
  const { setup, version } = header;
  const base = REAL_BASES.find((one) => room.isFree(one, HEAP_END + commandLine.length)) ?? REAL_BASES[0];
  room.reserve('Linux’s setup code', base, Math.min(REAL_ROOM, HEAP_END + commandLine.length));
  // Not by slice(): a Buffer's shares its memory.
  const code = new Uint8Array(setup);
  const view = new DataView(code.buffer);
  view.setUint16(Field.videoMode, 0xffff, true);
  view.setUint8(Field.loaderType, UNKNOWN_LOADER);
  if (version >= 0x201) {
    view.setUint8(Field.loadFlags, view.getUint8(Field.loadFlags) | CAN_USE_HEAP);
    view.setUint16(Field.heapEnd, HEAP_END - 0x200, true);
  }
  view.setUint32(Field.entry32, header.load, true);
  view.setUint32(Field.initrd, initrd.place?.address ?? 0, true);
  view.setUint32(Field.initrdSize, initrd.place?.size ?? 0, true);
  if (version >= 0x202) view.setUint32(Field.commandLine, base + HEAP_END, true);
  else {
    view.setUint16(0x20, 0xa33f, true);
    view.setUint16(0x22, HEAP_END, true);
  }
  // The entry is one sector after the boot sector, relative to the segment.
  const entry = base + 0x200;
  return {
    pieces: [
      { address: base, bytes: code },
      { address: base + HEAP_END, bytes: commandLine },
      ...initrd.pieces,
    ],
    state: linuxRealState(base >> 4, HEAP_END),
    entry,
    stack: base + HEAP_END,
  };
}

function tables32(room: Room) {
  const gdt = room.take('the GDT', PAGE_SIZE, LOW);
  return writeGdt(gdt, encodeDescriptor(flatCode32(SELECTORS.code)), 0, []);
}

function tables64(room: Room) {
  const gdt = room.take('the GDT', PAGE_SIZE, LOW);
  const pages = identityTables(0);
  const at = room.take('the page tables', pages.length, LOW);
  const bytes = identityTables(at);
  return writeGdt(gdt, encodeDescriptor(flatCode64(SELECTORS.code)), at, [{ address: at, bytes }]);
}

function writeGdt(at: number, code: bigint, cr3: number, pieces: Piece[]) {
  const tr = busyTss(TSS, BigInt(at + 0x800));
  const block = new Block();
  block.grow(PAGE_SIZE);
  const [low, high] = encodeSystemDescriptor64(tr);
  const entries = [0n, 0n, code, encodeDescriptor(flatData(SELECTORS.data)), low, high];
  for (const [n, entry] of entries.entries())
    block.words(8 * n, Number(entry & 0xffff_ffffn), Number(entry >> 32n));
  return {
    gdt: { base: BigInt(at), limit: 8 * entries.length - 1 },
    tr,
    cr3: BigInt(cr3),
    pieces: [...pieces, { address: at, bytes: block.bytes }],
  };
}
