/**
 * Errors are for the host's and the caller's mistakes; the end of a guest is an `Outcome` instead.
 *
 * @module
 */
import { nearestName } from './nearest.js';

/** The base of every error that Terrarium throws on purpose: what was wrong, and what to do. */
export class TerrariumError extends Error {
  /** A stable name for programs to test, such as `EIMAGE` or `EACCES`. */
  readonly code: string;
  /** What to do about it, where there is something to do. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

/** True for an error that Terrarium throws on purpose, whichever of its bundles it comes from: each has a class of its own. */
export function isTerrariumError(error: unknown): error is TerrariumError {
  return error instanceof Error && 'hint' in error && 'code' in error && typeof error.code === 'string';
}

/** A value of the configuration that cannot be used: names the option and the value. */
export class ConfigError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('ECONFIG', message, hint === undefined ? {} : { hint });
  }
}

/** Refuses a number that is below `least`, or none. @throws ConfigError that names the option and the value */
export function requireAtLeast(name: string, value: number | undefined, least: number): void {
  if (value === undefined || value >= least) return;
  throw new ConfigError(`${name} is ${value}`, `give a number from ${least}`);
}

/** Refuses an option that `known` does not name. @throws ConfigError with the nearest that it does */
export function requireKnown(options: object, known: readonly string[]): void {
  const name = Object.keys(options).find((one) => !known.includes(one));
  if (name === undefined) return;
  const near = nearestName(name, known);
  throw new ConfigError(
    `there is no option "${name}"`,
    near === undefined ? `options are ${known.join(', ')}` : `meant: ${near}?`,
  );
}

/** Why a signal was aborted, in words. */
export function abortReason(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
}
