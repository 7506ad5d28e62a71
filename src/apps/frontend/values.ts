/**
 * Values as people type them: sizes, durations, addresses.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander';
import type { DebugAddress } from '../../debug/index.js';
import type { TerrariumError } from '../../errors.js';
import { type DumpItem, parseDump } from '../../inspect/index.js';
import type { RegionConfig } from '../../memory/index.js';

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** `64K`, `16M`, `4096`, `0x1000` → bytes. */
export function parseSize(text: string): number {
  const [, digits, unit] = /^(0x[\da-f]+|\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const size = digits === undefined ? Number.NaN : Number(digits) * units[unit!.toUpperCase()]!;
  if (!Number.isSafeInteger(size)) {
    throw new InvalidArgumentError(
      `'${text}' is not a size. Write bytes, or a number with K, M or G: 64K, 16M.`,
    );
  }
  return size;
}

/** `0x2000000:4K` or `32M:4K:ro` → a piece of guest memory beside RAM. */
export function parseRegion(text: string): RegionConfig {
  const [address, size, rights, ...rest] = text.split(':');
  if (size === undefined || rest.length > 0 || (rights !== undefined && rights !== 'ro')) {
    throw new InvalidArgumentError(`'${text}' is not a region. Write it as ADDRESS:SIZE or ADDRESS:SIZE:ro.`);
  }
  return {
    address: parseSize(address!),
    size: parseSize(size),
    ...(rights === 'ro' && { readOnly: true }),
  };
}

/** `0x7c00` or `31744` → an address. */
export function parseAddress(text: string): number {
  const address = /^(0x[\da-f]+|\d+)$/i.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(address)) {
    throw new InvalidArgumentError(`'${text}' is not an address. Write it as 0x7c00 or 31744.`);
  }
  return address;
}

const durations: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** `500ms`, `2s`, `1m`; a bare number is in seconds → milliseconds. */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) {
    throw new InvalidArgumentError(`'${text}' is not a duration. Write it as 500ms, 2s or 1m.`);
  }
  return Number(digits) * durations[unit ?? 's']!;
}

const escapes: Record<string, string> = { n: '\n', r: '\n', t: '\t', b: '\b', e: '\x1b', '\\': '\\' };

/** `dir\n` as a shell gives it → the characters that are typed. */
export function unescapeKeys(text: string): string {
  return text.replace(/\\(.?)/g, (whole, letter: string) => {
    const character = escapes[letter];
    if (character !== undefined) return character;
    throw new InvalidArgumentError(
      `'${whole}' is no key. Escapes are \\n (Enter), \\t (Tab), \\b (Backspace), \\e (Escape) and \\\\.`,
    );
  });
}

/** `4711` → a port; 0 is any that is free. */
export function parsePort(text: string): number {
  const port = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (port <= 65535) return port;
  throw new InvalidArgumentError(`'${text}' is not a port. Ports are 0 (any that is free) to 65535.`);
}

/** `1234` → a port; anything with a letter, a dot or a slash → a socket's path. */
export function parseGdb(text: string): DebugAddress {
  if (!/^\d+$/.test(text)) return { path: text };
  return { port: parsePort(text) };
}

/** `1000` → a whole number from 1. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError(`'${text}' is not a whole number from 1.`);
  }
  return count;
}

/** `42` → a whole number from 0. */
export function parseSeed(text: string): number {
  const seed = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError(`'${text}' is not a whole number from 0.`);
  return seed;
}

/** `gdt,walk:0x401000` → what to show. */
export function parseDumped(text: string): DumpItem[] {
  try {
    return parseDump(text);
  } catch (error) {
    const { message, hint } = error as TerrariumError;
    throw new InvalidArgumentError(`${message}; ${hint}.`);
  }
}

/** Milliseconds as people read them. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
