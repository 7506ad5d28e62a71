import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

/** How much of earlier gradings is stored, and how long. */
export interface KeepingLimits {
  readonly bytes: number;
  readonly ageMs: number;
}

const DAY_MS = 86_400_000;
const usual: KeepingLimits = { bytes: 2 * 1024 ** 3, ageMs: 120 * DAY_MS };

/**
 * Removes old files, then the oldest ones beyond the size limit. A process that needs one of them meanwhile makes it again. @param folder
 * the folder of all stored results
 */
export function prune(folder: string, limits: KeepingLimits = usual): void {
  const files = filesBelow(folder).sort((a, b) => b.written - a.written);
  const oldest = Date.now() - limits.ageMs;
  let bytes = 0;
  for (const { file, size, written } of files) {
    bytes += size;
    if (written < oldest || bytes > limits.bytes) rmSync(file, { force: true });
  }
}

function filesBelow(folder: string): { file: string; size: number; written: number }[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const file = path.join(folder, name);
    const found = statSync(file, { throwIfNoEntry: false });
    return found?.isFile() ? [{ file, size: found.size, written: found.mtimeMs }] : [];
  });
}
