/**
 * Translated functions as listings: each guest instruction with its record and its WebAssembly code.
 *
 * @module
 */
import type { TranslatedFunction, TranslatedPart, TranslatedSummary } from '../../../contract/index.js';
import * as L from '../../layout.js';
import type { Body } from '../builder.js';
import type { Region } from '../region.js';
import { watOf } from './wat.js';

/** A translated function. */
interface Kept {
  readonly entry: number;
  readonly nodes: readonly { readonly block: number; readonly count: number }[];
  readonly mode: number;
  readonly body: Body;
}

/** The valid translations, by their first block. */
export class Listing {
  readonly #view: DataView;
  readonly #kept = new Map<number, Kept>();

  constructor(view: DataView) {
    this.#view = view;
  }

  add({ entry, nodes, mode }: Region, body: Body): void {
    const parts = nodes.map(({ block, count }) => ({ block, count }));
    this.#kept.set(entry.block, { entry: entry.block, nodes: parts, mode, body });
  }

  clear(): void {
    this.#kept.clear();
  }

  /** All functions, by their first address. */
  list(): TranslatedSummary[] {
    return this.#valid()
      .map((kept) => ({
        address: this.#startOf(kept.entry),
        instructions: kept.nodes.reduce((sum, { count }) => sum + count, 0),
        bytes: kept.body.bytes.length,
      }))
      .sort((a, b) => a.address - b.address);
  }

  /** The function with the instruction at a guest physical address; of several, the one that begins there. */
  at(address: number): TranslatedFunction | undefined {
    const having = this.#valid().filter((kept) => this.#has(kept, address));
    const found = having.find(({ entry }) => this.#startOf(entry) === address) ?? having[0];
    if (found === undefined) return undefined;
    const { entry, mode, body } = found;
    const code = (mode & L.MODE_CODE64) !== 0 ? 64 : (mode & L.MODE_CODE32) !== 0 ? 32 : 16;
    return { address: this.#startOf(entry), code, bytes: body.bytes.length, parts: this.#partsOf(found) };
  }

  /** Functions whose block still begins with its translation: others were lost by a write, or made again. */
  #valid(): Kept[] {
    const view = this.#view;
    return [...this.#kept.values()].filter(
      ({ entry }) =>
        view.getUint32(entry + L.BLOCK_START, true) !== 0 &&
        view.getUint32(entry + L.BLOCK_FIRST, true) !== entry + L.BLOCK_OPS,
    );
  }

  #startOf(block: number): number {
    return this.#physical(this.#view.getUint32(block + L.BLOCK_START, true));
  }

  /** The guest physical address of a place in WebAssembly memory. */
  #physical(place: number): number {
    const view = this.#view;
    for (let n = view.getUint32(L.REGION_COUNT, true) - 1; n >= 0; n--) {
      const region = L.REGIONS + n * L.REGION_SIZE;
      const from = place - view.getUint32(region + 16, true);
      if (from >= 0 && from < Number(view.getBigUint64(region + 8, true)))
        return Number(view.getBigUint64(region, true)) + from;
    }
    return Number.NaN;
  }

  #has({ nodes }: Kept, address: number): boolean {
    return nodes.some(({ block }) => {
      const from = address - this.#startOf(block);
      return from >= 0 && from < this.#view.getUint32(block + L.BLOCK_LENGTH, true);
    });
  }

  /** The lines of the body, divided at its marks. */
  #partsOf({ nodes, body }: Kept): TranslatedPart[] {
    const lines = watOf(body.bytes);
    const parts: TranslatedPart[] = [];
    let next = 0;
    const take = (end: number): string[] => {
      const from = next;
      while (next < lines.length && lines[next]!.at < end) next++;
      return lines.slice(from, next).map(({ text }) => text);
    };
    const [first = { at: Number.POSITIVE_INFINITY }] = body.marks;
    parts.push({ code: take(first.at) });
    for (const [n, { record }] of body.marks.entries()) {
      const code = take(body.marks[n + 1]?.at ?? Number.POSITIVE_INFINITY);
      parts.push({ ...this.#instructionOf(nodes, record), code });
    }
    return parts;
  }

  /** The instruction of a record; none for the record that ends a block. */
  #instructionOf(nodes: Kept['nodes'], record: number): Omit<TranslatedPart, 'code'> {
    const view = this.#view;
    const node = nodes.find(
      ({ block, count }) => record >= block && record < block + L.BLOCK_OPS + (count + 1) * L.OP_SIZE,
    );
    if (node === undefined) return {};
    const { block, count } = node;
    const copy = block + L.BLOCK_OPS + (count + 1) * L.OP_SIZE;
    if (record === block + L.BLOCK_OPS + count * L.OP_SIZE) return { record: 'the end of the block' };
    const offset = view.getUint16(record + L.OP_OFFSET, true);
    const length = view.getUint8(record + L.OP_LENGTH);
    const bytes = new Uint8Array(view.buffer, copy + offset, length).slice();
    return { address: this.#startOf(block) + offset, bytes, record: this.#recordText(record) };
  }

  /** A displacement; or the blocks of a branch's targets. */
  #targetsOf(record: number): [string, bigint][] {
    const view = this.#view;
    const words = [L.OP_TAKEN, L.OP_NOT_TAKEN].map((at) => view.getUint32(record + at, true) & ~1);
    if (words.every((word) => word === 0 || (word >= L.POOL && word < L.POOL_END)))
      return [
        ['taken', BigInt(words[0]!)],
        ['not taken', BigInt(words[1]!)],
      ];
    return [['displacement', view.getBigInt64(record + L.OP_DISPLACEMENT, true)]];
  }

  /** The record's fields that are not 0, by the names of `layout.ts`. */
  #recordText(record: number): string {
    const view = this.#view;
    const byte = (at: number) => BigInt(view.getUint8(record + at));
    const fields: [string, bigint][] = [
      ['rm', byte(L.OP_RM)],
      ['reg', byte(L.OP_REG)],
      ['base', byte(L.OP_BASE)],
      ['index', byte(L.OP_INDEX)],
      ['scale', byte(L.OP_SCALE)],
      ['segment', byte(L.OP_SEGMENT)],
      ['width', byte(L.OP_WIDTH)],
      ['flags', byte(L.OP_FLAGS)],
      ['immediate', view.getBigInt64(record + L.OP_IMMEDIATE, true)],
      ...this.#targetsOf(record),
    ];
    const set = fields.filter(([, value]) => value !== 0n);
    const handler = `handler ${view.getUint16(record + L.OP_HANDLER, true)}`;
    return [handler, ...set.map(([name, value]) => `${name} ${shown(value)}`)].join(', ');
  }
}

function shown(value: bigint): string {
  if (value > -4096n && value < 4096n) return String(value);
  return `0x${BigInt.asUintN(64, value).toString(16)}`;
}
