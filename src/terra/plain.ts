/**
 * Plain data as JSON: numbers, texts, lists, objects, and in addition to JSON's types integers of any size, maps, and bytes, which are
 * stored separately.
 *
 * @module
 */

/** The key for values without a JSON notation; an object that has such a key itself is written in pairs. */
const MARK = '$';

/** Bytes that are stored beside the text, each different content once. */
export class Blobs {
  readonly list: Uint8Array[] = [];
  readonly #known = new Map<Uint8Array, number>();
  readonly #byHash = new Map<number, number[]>();

  /** The number of these bytes. */
  add(bytes: Uint8Array): number {
    const known = this.#known.get(bytes) ?? this.#same(bytes);
    this.#known.set(bytes, known);
    return known;
  }

  #same(bytes: Uint8Array): number {
    const hash = hashOf(bytes);
    const candidates = this.#byHash.get(hash) ?? [];
    const found = candidates.find((number) => equal(this.list[number]!, bytes));
    if (found !== undefined) return found;
    this.#byHash.set(hash, [...candidates, this.list.length]);
    return this.list.push(bytes) - 1;
  }
}

/** FNV-1a over the words. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = bytes.length >> 2;
  for (let i = 0; i < words; i++) hash = Math.imul(hash ^ view.getUint32(4 * i, true), 0x01000193);
  for (let i = 4 * words; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** The JSON form of a value; its bytes go to `blobs`. */
export function marked(value: unknown, blobs: Blobs): unknown {
  if (typeof value === 'bigint') return { [MARK]: 'n', value: `${value}` };
  if (value === Number.POSITIVE_INFINITY) return { [MARK]: 'inf' };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { [MARK]: 'b', value: blobs.add(value) };
  if (Array.isArray(value)) return value.map((one) => marked(one, blobs));
  if (value instanceof Map)
    return { [MARK]: 'm', value: [...value].map((pair) => pair.map((one) => marked(one, blobs))) };
  const pairs = Object.entries(value).map(([key, one]) => [key, marked(one, blobs)]);
  return Object.hasOwn(value, MARK) ? { [MARK]: 'o', value: pairs } : Object.fromEntries(pairs);
}

/** The value of a JSON form. @throws RangeError for forms that `marked` does not make */
export function unmarked(value: unknown, blobs: readonly Uint8Array[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => unmarked(one, blobs));
  const kind = (value as Record<string, unknown>)[MARK];
  if (kind === undefined)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unmarked(one, blobs)]));
  const content = (value as Record<string, unknown>).value;
  if (kind === 'inf') return Number.POSITIVE_INFINITY;
  if (kind === 'n' && typeof content === 'string' && /^-?\d{1,80}$/.test(content)) return BigInt(content);
  const bytes = kind === 'b' ? blobs[content as number] : undefined;
  if (bytes !== undefined) return bytes;
  if ((kind === 'm' || kind === 'o') && Array.isArray(content) && content.every(isPair)) {
    const pairs = content.map((pair) => pair.map((one) => unmarked(one, blobs)) as [string, unknown]);
    return kind === 'm' ? new Map(pairs) : Object.fromEntries(pairs);
  }
  throw new RangeError(`'${String(kind)}' is no value`);
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}
