/**
 * What the addresses of an image are called: symbols of its ELF file, and source lines from DWARF.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import { type LineRow, readLines } from './dwarf-lines.js';
import { stringAt } from './symbols-text.js';

/** Symbols that are kept: more than that and the file is broken. */
const MOST_SYMBOLS = 1 << 20;
/** How far behind a symbol an address still belongs to it where the symbol has no size. */
const REACH = 0x10000n;

interface Symbol {
  address: bigint;
  size: bigint;
  name: string;
}

/** Names for addresses. */
export class SymbolTable {
  readonly #symbols: readonly Symbol[];
  readonly #lines: readonly LineRow[];

  constructor(image: Image) {
    const section = (name: string) => image.sections?.find((one) => one.name === name)?.bytes;
    const table = section('.symtab');
    const strings = section('.strtab');
    this.#symbols = table && strings ? readSymbols(table, strings, image.format === 'elf64') : [];
    const lines = section('.debug_line');
    this.#lines = lines
      ? readLines(lines, { lineStrings: section('.debug_line_str'), strings: section('.debug_str') })
      : [];
  }

  /** `start+0x5`: the nearest symbol at or before an address. */
  symbolAt(address: bigint): string | undefined {
    const found = lastAtOrBefore(this.#symbols, address);
    if (found === undefined) return undefined;
    const distance = address - found.address;
    if (distance >= (found.size || REACH)) return undefined;
    return distance === 0n ? found.name : `${found.name}+0x${distance.toString(16)}`;
  }

  /** `kernel.S:12`. */
  lineAt(address: bigint): string | undefined {
    const found = lastAtOrBefore(this.#lines, address);
    if (found === undefined || found.file === undefined) return undefined;
    return `${found.file}:${found.line}`;
  }

  /** Both, as far as they are known: `<start+0x5>  kernel.S:12`. */
  locate(address: bigint): string | undefined {
    const symbol = this.symbolAt(address);
    const line = this.lineAt(address);
    const parts = [...(symbol === undefined ? [] : [`<${symbol}>`]), ...(line === undefined ? [] : [line])];
    return parts.length === 0 ? undefined : parts.join('  ');
  }
}

/** Binary search in what is sorted by address. */
function lastAtOrBefore<T extends { address: bigint }>(sorted: readonly T[], address: bigint): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

const STT_NOTYPE = 0;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;

function readSymbols(table: Uint8Array, strings: Uint8Array, wide: boolean): Symbol[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const entry = wide ? 24 : 16;
  const symbols: Symbol[] = [];
  for (let at = 0; at + entry <= table.length && symbols.length < MOST_SYMBOLS; at += entry) {
    const type = view.getUint8(at + (wide ? 4 : 12)) & 0xf;
    const section = view.getUint16(at + (wide ? 6 : 14), true);
    if ((type !== STT_NOTYPE && type !== STT_FUNC) || section === SHN_UNDEF || section === SHN_ABS) continue;
    const name = stringAt(strings, view.getUint32(at, true));
    // What Terrarium's own linker script calls the first byte has a better name in the source.
    if (name === '' || name === '_guest_entry') continue;
    symbols.push({
      address: wide ? view.getBigUint64(at + 8, true) : BigInt(view.getUint32(at + 4, true)),
      size: wide ? view.getBigUint64(at + 16, true) : BigInt(view.getUint32(at + 8, true)),
      name,
    });
  }
  return symbols.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}
