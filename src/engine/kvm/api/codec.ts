/**
 * Structures of the kernel as plain objects: a table gives the offset of each key; the same table reads and writes.
 *
 * @module
 */

/** The JavaScript type of a field. */
export interface FieldTypes {
  u8: number;
  u16: number;
  u32: number;
  u64: bigint;
  s64: bigint;
  /** A byte that is 0 or 1. */
  flag: boolean;
}

/** Key → type and offset in bytes. */
export type Fields = Readonly<Record<string, readonly [kind: keyof FieldTypes, offset: number]>>;

/** The plain object described by a table. */
export type Decoded<F extends Fields> = { -readonly [K in keyof F]: FieldTypes[F[K][0]] };

/** Reads a structure that starts at byte `base`. */
export function decode<F extends Fields>(fields: F, view: DataView, base = 0): Decoded<F> {
  const value: Record<string, number | bigint | boolean> = {};
  for (const { key, kind, offset } of planOf(fields)) value[key] = read(view, kind, base + offset);
  return value as Decoded<F>;
}

/** Writes a structure that starts at byte `base`; bytes between its fields do not change. */
export function encode<F extends Fields>(fields: F, view: DataView, value: Decoded<F>, base = 0): void {
  for (const { key, kind, offset } of planOf(fields)) write(view, kind, base + offset, value[key]);
}

/** A table as a list, made once: the segments, which are read and written most often, have a hundred fields. */
type Plan = readonly { key: string; kind: keyof FieldTypes; offset: number }[];
const plans = new WeakMap<Fields, Plan>();

function planOf(fields: Fields): Plan {
  let plan = plans.get(fields);
  if (plan === undefined) {
    plan = Object.entries(fields).map(([key, [kind, offset]]) => ({ key, kind, offset }));
    plans.set(fields, plan);
  }
  return plan;
}

function read(view: DataView, kind: keyof FieldTypes, offset: number): number | bigint | boolean {
  switch (kind) {
    case 'u8':
      return view.getUint8(offset);
    case 'u16':
      return view.getUint16(offset, true);
    case 'u32':
      return view.getUint32(offset, true);
    case 'u64':
      return view.getBigUint64(offset, true);
    case 's64':
      return view.getBigInt64(offset, true);
    case 'flag':
      return view.getUint8(offset) !== 0;
  }
}

function write(view: DataView, kind: keyof FieldTypes, offset: number, value: unknown): void {
  switch (kind) {
    case 'u8':
      view.setUint8(offset, value as number);
      break;
    case 'u16':
      view.setUint16(offset, value as number, true);
      break;
    case 'u32':
      view.setUint32(offset, value as number, true);
      break;
    case 'u64':
      view.setBigUint64(offset, value as bigint, true);
      break;
    case 's64':
      view.setBigInt64(offset, value as bigint, true);
      break;
    case 'flag':
      view.setUint8(offset, value ? 1 : 0);
      break;
  }
}

/** A buffer of `bytes` for a structure that is sent or received repeatedly. */
export function scratch(bytes: number): DataView {
  return new DataView(new ArrayBuffer(bytes));
}
