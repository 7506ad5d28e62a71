/**
 * Kinds of values: how each is checked as plain data, parsed from text and written as text again.
 *
 * @module
 */
import { ConfigError } from '../errors.js';
import type { RegionConfig } from '../memory/index.js';

/** The part of a value's JSON Schema that editors need. */
export interface ValueSchema {
  type?: string | readonly string[];
  enum?: readonly string[];
  items?: { type: string };
}

/** The kind of a field's values. `parse` and `write` are inverse. */
export interface Kind<T> {
  /** Completes "… is 5, not": `a whole number from 0`. */
  readonly what: string;
  /** True for a value of this kind; checks everything. */
  is(value: unknown): value is T;
  /** Parses one from the command line. @throws ConfigError that quotes the text */
  parse(text: string): T;
  write(value: T): string;
  readonly schema: ValueSchema;
  /** The allowed names, where the value is one of a few. */
  readonly names?: readonly string[];
}

/** A list, whose items are read and written one by one: the option is repeated. */
export interface ListKind<T> extends Kind<readonly T[]> {
  readonly item: Kind<T>;
}

const wholeFrom0 = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const text = { type: ['string', 'number'] } as const;

/** One of a few names. */
export function choice<const Name extends string>(names: readonly Name[]): Kind<Name> {
  const is = (value: unknown): value is Name => (names as readonly unknown[]).includes(value);
  return {
    what: `one of ${names.join(', ')}`,
    is,
    parse(text) {
      if (is(text)) return text;
      throw new ConfigError(`'${text}' is not one of ${names.join(', ')}`);
    },
    write: (name) => name,
    schema: { enum: names },
    names,
  };
}

/** On or off: `true` and `false` as data. */
export const flag: Kind<boolean> = {
  what: 'true or false',
  is: (value) => typeof value === 'boolean',
  parse(text) {
    if (text === 'on' || text === 'off') return text === 'on';
    throw new ConfigError(`'${text}' is neither on nor off`);
  },
  write: (value) => (value ? 'on' : 'off'),
  schema: { type: 'boolean' },
  names: ['on', 'off'],
};

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`;
  const what = least === most ? `${least}, the only value so far` : range;
  const is = (value: unknown): value is number => wholeFrom0(value) && value >= least && value <= most;
  return {
    what,
    is,
    parse(text) {
      const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
      if (is(value)) return value;
      throw new ConfigError(`'${text}' is not ${what}`);
    },
    write: String,
    schema: text,
  };
}

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes: `64K`, `16M`, `4096`, `0x1000`. */
export const size: Kind<number> = {
  what: 'a whole number of bytes',
  is: wholeFrom0,
  parse(text) {
    const [, digits, unit] = /^(0x[\da-f]+|\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
    const bytes = digits === undefined ? Number.NaN : Number(digits) * units[unit!.toUpperCase()]!;
    if (Number.isSafeInteger(bytes)) return bytes;
    throw new ConfigError(`'${text}' is not a size`, 'write bytes, or a number with K, M or G: 64K, 16M');
  },
  write(bytes) {
    const unit = (['G', 'M', 'K'] as const).find((one) => bytes > 0 && bytes % units[one]! === 0);
    return unit === undefined ? String(bytes) : `${bytes / units[unit]!}${unit}`;
  },
  schema: text,
};

/** A guest physical address: `0x7c00`, `31744`. */
export const address: Kind<number> = {
  what: 'an address, a whole number from 0',
  is: wholeFrom0,
  parse(text) {
    const value = /^(0x[\da-f]+|\d+)$/i.test(text.trim()) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw new ConfigError(`'${text}' is not an address`, 'write it as 0x7c00 or 31744');
  },
  write: (value) => `0x${value.toString(16)}`,
  schema: text,
};

/** A region of guest memory: `0x2000000:4K`, `32M:4K:ro`. */
export const region: Kind<RegionConfig> = {
  what: 'a region: { "address": 33554432, "size": 4096, "readOnly": true }',
  is(value): value is RegionConfig {
    if (typeof value !== 'object' || value === null) return false;
    const { address, size, readOnly, logDirty, ...rest } = value as Record<string, unknown>;
    const flags = [readOnly, logDirty].every((one) => one === undefined || typeof one === 'boolean');
    return wholeFrom0(address) && wholeFrom0(size) && flags && Object.keys(rest).length === 0;
  },
  parse(text) {
    const [address, bytes, ...rights] = text.split(':');
    const known = rights.every((right) => right === 'ro' || right === 'log');
    if (bytes === undefined || !known || new Set(rights).size < rights.length) {
      throw new ConfigError(`'${text}' is not a region`, 'write it as ADDRESS:SIZE or ADDRESS:SIZE:ro');
    }
    return {
      address: size.parse(address!),
      size: size.parse(bytes),
      ...(rights.includes('ro') && { readOnly: true }),
      ...(rights.includes('log') && { logDirty: true }),
    };
  },
  write: ({ address, size, readOnly, logDirty }) =>
    `0x${address.toString(16)}:${size}${readOnly ? ':ro' : ''}${logDirty ? ':log' : ''}`,
  schema: { type: 'string' },
};

/** The file of a disk, and whether the guest's writes change it. */
export interface DiskFile {
  file: string;
  /** Default false: writes are kept in memory. */
  write?: boolean;
  /** Writes go to this copy of the file, which is made where it is missing. */
  keep?: string;
  /** Its bus; default `ata`. */
  bus?: DiskBus;
  /** Its serial number on a `virtio` bus, up to 20 characters. */
  serial?: string;
}

export const diskBuses = ['ata', 'virtio'] as const;
export type DiskBus = (typeof diskBuses)[number];

/** The names of a disk's options after its file; `if=` is QEMU's name for `bus=`. */
const DISK_OPTION = /^(.+),(?:(write)|(?:bus|if)=([^,]*)|serial=([^,]*))$/s;
const SERIAL = /^[!-~]{1,20}$/;

/** A disk's file: `disk.img`, `disk.img,write`, `disk.img,keep=copy.img`, `disk.img,bus=virtio`. */
export const diskFile: Kind<DiskFile> = {
  what: 'a disk: { "file": path, "write": true or false, "keep": path of a copy }',
  is(value): value is DiskFile {
    if (typeof value !== 'object' || value === null) return false;
    const { file, write, keep, bus, serial, ...rest } = value as Record<string, unknown>;
    const isPath = (path: unknown) => typeof path === 'string' && path !== '';
    return (
      isPath(file) &&
      (write === undefined || typeof write === 'boolean') &&
      (keep === undefined || (isPath(keep) && write !== true)) &&
      (bus === undefined || (diskBuses as readonly unknown[]).includes(bus)) &&
      (serial === undefined || (typeof serial === 'string' && SERIAL.test(serial))) &&
      Object.keys(rest).length === 0
    );
  },
  parse(text) {
    const found: Omit<DiskFile, 'file'> = {};
    let rest = text;
    for (let option = DISK_OPTION.exec(rest); option !== null; option = DISK_OPTION.exec(rest)) {
      const [, before, write, bus, serial] = option as unknown as [string, string, ...(string | undefined)[]];
      if (write !== undefined) found.write = true;
      if (bus !== undefined) found.bus = busNamed(bus);
      if (serial !== undefined) found.serial = serial;
      rest = before;
    }
    const [, file, keep] = /^(.+?)(?:,keep=(.+))?$/s.exec(rest) ?? [];
    const disk = { file, ...found, ...(keep !== undefined && { keep }) };
    if (diskFile.is(disk)) return disk;
    throw new ConfigError(
      `'${text}' is not a disk's file`,
      'write it as FILE, FILE,write, FILE,keep=COPY or FILE,bus=virtio,serial=NAME',
    );
  },
  write: ({ file, write, keep, bus, serial }) =>
    [
      file,
      ...(keep ? [`keep=${keep}`] : []),
      ...(write ? ['write'] : []),
      ...(bus ? [`bus=${bus}`] : []),
      ...(serial ? [`serial=${serial}`] : []),
    ].join(','),
  schema: { type: 'string' },
};

function busNamed(text: string): DiskBus {
  const found = text === 'ide' ? 'ata' : diskBuses.find((one) => one === text);
  if (found !== undefined) return found;
  throw new ConfigError(
    `'${text}' is no bus of disks`,
    `take one of ${diskBuses.join(', ')}: --disk FILE,bus=virtio`,
  );
}

/** A file of QEMU's fw_cfg, with information for firmware or a kernel: its content is a host's file, or a text. */
export interface FwCfgFile {
  name: string;
  file?: string;
  text?: string;
}

/** fw_cfg's directory has 56 bytes for a name, the last of them 0. */
const FW_CFG_NAME = /^[!-<>-~]{1,55}$/;

/** `opt/org.example/seed=seed.bin`, `opt/greeting=string:hello`. */
export const fwCfgFile: Kind<FwCfgFile> = {
  what: 'a file of fw_cfg: { "name": "opt/…", "file": path } or { "name": "opt/…", "text": text }',
  is(value): value is FwCfgFile {
    if (typeof value !== 'object' || value === null) return false;
    const { name, file, text, ...rest } = value as Record<string, unknown>;
    if (Object.keys(rest).length > 0 || typeof name !== 'string' || !FW_CFG_NAME.test(name)) return false;
    const said = [file, text].filter((one) => one !== undefined);
    return said.length === 1 && typeof said[0] === 'string' && file !== '';
  },
  parse(text) {
    const [, name, words, file] = /^([^=]*)=(?:string:(.*)|(.+))$/s.exec(text) ?? [];
    const value = { name, ...(words === undefined ? { file } : { text: words }) };
    if (fwCfgFile.is(value)) return value;
    throw new ConfigError(
      `'${text}' is no file of fw_cfg`,
      'write it as NAME=FILE or NAME=string:TEXT, with a name of at most 55 characters such as opt/org.example/seed',
    );
  },
  write: ({ name, file, text }) => `${name}=${file ?? `string:${text}`}`,
  schema: { type: 'string' },
};

/** The order in which drives are tried: `c`, `a,c,d`. */
export const bootOrder: Kind<string> = {
  what: 'letters of drives, a, c and d, with commas between',
  is: (value): value is string => typeof value === 'string' && isBootOrder(value),
  parse(text) {
    const order = text.toLowerCase().replace(/[\s,]/g, '').split('').join(',');
    if (isBootOrder(order)) return order;
    throw new ConfigError(
      `'${text}' is not an order of drives`,
      'letters are a (floppy), c (hard disk) and d (CD): --boot a,c,d',
    );
  },
  write: (order) => order,
  schema: { type: 'string' },
};

function isBootOrder(order: string): boolean {
  const letters = order.split(',');
  return letters.every((letter) => /^[acd]$/.test(letter)) && new Set(letters).size === letters.length;
}

/** The user's own module: its default export is called with `options` and returns the field's value. */
export interface DeviceModule {
  /** A URL that the machine's thread can import: `new URL('./my-device.js', import.meta.url).href`. */
  module: string;
  /** Plain data for the default export. */
  options?: unknown;
}

/** A module; as text its path or URL, which has no room for options. */
export const module: Kind<DeviceModule> = {
  what: 'a module: { "module": URL, "options": plain data }',
  is(value): value is DeviceModule {
    if (typeof value !== 'object' || value === null) return false;
    const { module, options: _, ...rest } = value as Record<string, unknown>;
    return typeof module === 'string' && Object.keys(rest).length === 0;
  },
  parse: (text) => ({ module: text }),
  write: ({ module }) => module,
  schema: { type: 'string' },
};

/** Any text. */
export const name: Kind<string> = {
  what: 'a text',
  is: (value) => typeof value === 'string',
  parse: (text) => text,
  write: (value) => value,
  schema: { type: 'string' },
};

/** Several of a kind. @param what as `Kind.what` */
export function listOf<T>(item: Kind<T>, what: string): ListKind<T> {
  return {
    what,
    is: (value): value is readonly T[] => Array.isArray(value) && value.every((one) => item.is(one)),
    parse: (text) => [item.parse(text)],
    write: (values) => values.map((one) => item.write(one)).join(' '),
    schema: { type: ['string', 'array'], items: { type: 'string' } },
    item,
  };
}

export function isList(kind: Kind<unknown>): kind is ListKind<unknown> {
  return 'item' in kind;
}
