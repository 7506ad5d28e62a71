import { stringAt } from './text.js';

/** A name that an ELF file has for an address. */
export interface ElfSymbol {
  address: bigint;
  /** In bytes; 0 where the file does not have it, as for most labels in assembler. */
  size: bigint;
  name: string;
  /** The kind that the source gives; `label` if it gives none. */
  kind: 'function' | 'variable' | 'label';
}

/** The most symbols; a file with more is broken. */
const MAX_SYMBOLS = 1 << 20;

const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
/** STT_NOTYPE, STT_OBJECT and STT_FUNC ("System V ABI", chapter 4); the others are not useful names. */
const kinds: readonly ElfSymbol['kind'][] = ['label', 'variable', 'function'];

/** The symbols of a `.symtab` section, sorted by address. */
export function readSymbols(table: Uint8Array, strings: Uint8Array, wide: boolean): ElfSymbol[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const entry = wide ? 24 : 16;
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + entry <= table.length && symbols.length < MAX_SYMBOLS; at += entry) {
    const kind = kinds[view.getUint8(at + (wide ? 4 : 12)) & 0xf];
    const section = view.getUint16(at + (wide ? 6 : 14), true);
    if (kind === undefined || section === SHN_UNDEF || section === SHN_ABS) continue;
    const name = stringAt(strings, view.getUint32(at, true));
    // Terrarium's own linker script names the first byte; the source has a better name for it.
    if (name === '' || name === '_guest_entry') continue;
    symbols.push({
      address: wide ? view.getBigUint64(at + 8, true) : BigInt(view.getUint32(at + 4, true)),
      size: wide ? view.getBigUint64(at + 16, true) : BigInt(view.getUint32(at + 8, true)),
      name,
      kind,
    });
  }
  return symbols.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}
