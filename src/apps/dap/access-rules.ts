/**
 * Who may debug through an adapter that others can reach, and whose modules run in it.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { command } from '../../command.js';
import { ConfigError } from '../../errors.js';

/** What a session checks before it acts. */
export interface AccessRules {
  /** The token that the first request with an effect must carry; missing where every client is trusted. */
  readonly token?: string;
  /** URLs of the modules (devices, hypercalls) that a launch may name; missing: any. They run with this process's rights. */
  readonly modules?: ReadonlySet<string>;
}

/** For an adapter that its editor has started: a program that writes to its stdin can start other programs anyway. */
export const unrestricted: AccessRules = {};

/** Requests that reveal and change nothing; they come before the one that carries the token. */
const harmless = new Set(['initialize', 'disconnect']);

/**
 * True for a request that carries the token; false for one that may be answered without it.
 * @throws ConfigError where it may not be answered
 */
export function requireAccess(access: AccessRules, command: string, args: unknown): boolean {
  if (access.token === undefined) return true;
  const given = (args as { token?: unknown } | null | undefined)?.token;
  if (given === undefined && harmless.has(command)) return false;
  if (typeof given === 'string' && sameText(given, access.token)) return true;
  throw new ConfigError(
    given === undefined
      ? 'this port accepts no request without its token'
      : 'this is not the token of this port',
    'put "token" into the launch configuration, as the adapter printed it when it was started',
  );
}

/** @throws ConfigError for a module that the adapter's command line did not name */
export function requireAllowed({ modules }: AccessRules, wanted: readonly string[]): void {
  const refused = modules && wanted.find((module) => !modules.has(module));
  if (refused !== undefined)
    throw new ConfigError(
      `the module ${refused} may not run in this adapter`,
      `name it when you start the adapter: ${command('dap --port N --device FILE')}`,
    );
}

/** Compares in constant time, so that the time does not reveal where they differ. */
function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
