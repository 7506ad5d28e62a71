/**
 * PVH: the start information that a kernel finds at EBX.
 * Source: Xen's public/arch-x86/hvm/start_info.h and docs/misc/pvh.pandoc.
 *
 * @module
 */
import type { MapEntry } from '../memory-map.js';
import { Block, zeroEnded } from './loader.js';
import type { PlacedModule } from './multiboot-info.js';

const MAGIC = 0x336e_c578;
const VERSION = 1;

export interface PvhInformation {
  commandLine: string;
  map: readonly MapEntry[];
  modules: readonly PlacedModule[];
  rsdp?: number | undefined;
}

/** The information at address `base`, on which no size in it depends. */
export function startInformation(
  { commandLine, map, modules, rsdp = 0 }: PvhInformation,
  base: number,
): Uint8Array {
  const block = new Block();
  block.grow(56);
  block.words(0, MAGIC, VERSION, 0, modules.length);
  if (modules.length > 0) {
    const list = block.grow(32 * modules.length, 8);
    block.wide(16, base + list);
    for (const [n, { address, size, text }] of modules.entries()) {
      const string = base + block.add(zeroEnded(text, 'a module’s arguments'));
      block.wide(list + 32 * n, address);
      block.wide(list + 32 * n + 8, size);
      block.wide(list + 32 * n + 16, string);
    }
  }
  block.wide(24, base + block.add(zeroEnded(commandLine, 'the command line')));
  block.wide(32, rsdp);
  const entries = block.grow(24 * map.length, 8);
  block.wide(40, base + entries);
  block.words(48, map.length);
  for (const [n, { address, size, type }] of map.entries()) {
    block.wide(entries + 24 * n, address);
    block.wide(entries + 24 * n + 8, size);
    block.words(entries + 24 * n + 16, type);
  }
  return block.bytes;
}
