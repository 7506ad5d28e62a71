/**
 * Values as typed on a command line: sizes, durations, addresses.
 *
 * @module
 */
import { InvalidArgumentError } from 'commander';
import { whole } from '../../config/index.js';
import type { DebugAddress } from '../../debug/listen/index.js';
import { ConfigError, type TerrariumError } from '../../errors.js';
import { type DumpItem, parseDump } from '../../inspect/index.js';

/** Turns a parser's error into one of the command line, with the option's name before it and the hint after it. */
export function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { message, hint } = error;
      const advice = hint === undefined ? '' : ` ${hint.charAt(0).toUpperCase()}${hint.slice(1)}.`;
      throw new InvalidArgumentError(`${message}.${advice}`);
    }
  };
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
      `'${whole}' is not a key. Escapes are \\n (Enter), \\t (Tab), \\b (Backspace), \\e (Escape) and \\\\.`,
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
  // A number that is not a port is not the name of a socket either.
  if (!/^[+-]?[\d.]+$/.test(text)) return { path: text };
  return { port: parsePort(text) };
}

/** `1000` → a whole number from 1. */
export const parseCount = asArgument(whole(1).parse);

/** `gdt,walk:0x401000` → the parts to show. */
export function parseDumped(text: string): DumpItem[] {
  try {
    return parseDump(text);
  } catch (error) {
    const { message, hint } = error as TerrariumError;
    throw new InvalidArgumentError(`${message}; ${hint}.`);
  }
}

/** Milliseconds as text. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
