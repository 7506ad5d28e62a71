/**
 * One job: a submission's files under an exercise and a seed. Its key is a hash of all that its verdict depends on.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { digestOf, type Files, readFolder } from '../exercises/index.js';

export interface Job {
  readonly key: string;
  readonly files: Files;
  readonly seed: string;
}

let version: string | undefined;

/** The version of this package: another one may judge differently. */
export function gradingVersion(): string {
  version ??= (
    JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('#package')), 'utf8')) as { version: string }
  ).version;
  return version;
}

/** A hash of all files of an exercise. */
export function exerciseDigest(folder: string): string {
  return digestOf(readFolder(folder));
}

export function jobKey(exercise: string, files: Files, seed: string): string {
  return hashOf([gradingVersion(), exercise, digestOf(files), seed]);
}

export function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
