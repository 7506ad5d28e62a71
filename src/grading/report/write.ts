/**
 * Writes a report's files.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.js';
import type { ClassReport } from './class-report.js';
import { classPage, pageName, studentPage } from './html.js';

/** Writes a file, and its folder; `-` is stdout. @throws ConfigError where it cannot be written */
export function writeOutput(file: string, text: string | Uint8Array): void {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    writeFileSync(file, text);
  } catch (cause) {
    throw new ConfigError(`${file} cannot be written: ${(cause as Error).message}`);
  }
}

/** Writes the page of the class, and the students' in `students` beside it. Returns the class's. */
export function writePages(report: ClassReport, file: string): string {
  const main = file.endsWith('.html') ? file : path.join(file, 'index.html');
  const folder = path.join(path.dirname(main), 'students');
  writeOutput(main, classPage(report, 'students'));
  mkdirSync(folder, { recursive: true });
  for (const entry of report.entries) {
    writeFileSync(path.join(folder, pageName(entry)), studentPage(report, entry));
  }
  return main;
}
