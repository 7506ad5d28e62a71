/**
 * Who may debug through an adapter that others can reach, and whose modules run in it.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { command } from '../../command.js';
import { ConfigError } from '../../errors.js';

/** What a session asks before it does anything. */
export interface Door {
  /** What the first request that does something has to carry; missing where everybody who connects is trusted. */
  readonly token?: string;
  /** URLs of the modules (devices, hypercalls) that a launch may name; missing: any. They run with this process's rights. */
  readonly modules?: ReadonlySet<string>;
}

/** Of an adapter that its editor has started: who writes to its stdin can start programs himself. */
export const openDoor: Door = {};

/** Requests that tell and change nothing, which come before the one that carries the token. */
const harmless = new Set(['initialize', 'disconnect']);

/**
 * Whether a request opens the door: it has the token. False where it may be answered without.
 * @throws ConfigError where it may not be answered
 */
export function unlocks(door: Door, command: string, args: unknown): boolean {
  if (door.token === undefined) return true;
  const given = (args as { token?: unknown } | null | undefined)?.token;
  if (given === undefined && harmless.has(command)) return false;
  if (typeof given === 'string' && sameText(given, door.token)) return true;
  throw new ConfigError(
    given === undefined
      ? 'this port takes no request without its token'
      : 'this is not the token of this port',
    'put "token" into the launch configuration, as the adapter printed it when it was started',
  );
}

/** @throws ConfigError for a module that the adapter's command line did not name */
export function requireAllowed({ modules }: Door, wanted: readonly string[]): void {
  const refused = modules && wanted.find((module) => !modules.has(module));
  if (refused !== undefined)
    throw new ConfigError(
      `the module ${refused} may not run in this adapter`,
      `name it when you start the adapter: ${command('dap --port N --device FILE')}`,
    );
}

/** Compares in a time that does not tell where they differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
