import type { Finding, Scene } from './scene.js';

/** The part of a scene that the entry checks read. */
export type GuestState = Pick<Scene, 'registers' | 'system' | 'memory'>;

/** A check that fails, and what to do. */
export type EntryFinding = Required<Pick<Finding, 'check' | 'mistake'>>;

/** Keeps the failed ones of a list of checks. */
export function failing(checks: readonly (readonly [boolean, string, string])[]): EntryFinding[] {
  return checks.filter(([wrong]) => wrong).map(([, check, mistake]) => ({ check, mistake }));
}
