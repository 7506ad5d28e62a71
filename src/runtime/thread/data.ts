import { ConfigError } from '../../errors.js';
import type { HostedParts } from './protocol.js';

/** How deeply a module's options may be nested. */
const DEEPEST = 100;

/**
 * Refuses values that cannot be posted to a machine's thread, such as functions.
 * @throws ConfigError that names the field
 */
export function requireData({ spec, observe }: Pick<HostedParts, 'spec' | 'observe'>): void {
  const found = firstLive({ ...spec, ...observe }, '', 0);
  if (found === undefined) return;
  throw new ConfigError(
    `hostMachine: ${found}, which cannot go to the machine's thread`,
    'put it into a module and name that: { module: new URL("./device.js", import.meta.url).href, options: plain data }',
  );
}

/** Describes the first value that is not plain data; undefined where all are. */
function firstLive(value: unknown, place: string, depth: number): string | undefined {
  if (typeof value === 'function') return `${place} is a function`;
  if (typeof value === 'symbol') return `${place} is a symbol`;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (depth > DEEPEST) return `${place} is nested too deeply or contains itself`;
  for (const [key, inner] of Object.entries(value)) {
    const found = firstLive(inner, placeOf(value, place, key), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function placeOf(value: object, place: string, key: string): string {
  if (Array.isArray(value)) return `${place}[${key}]`;
  return place === '' ? `"${key}"` : `${place}.${key}`;
}
