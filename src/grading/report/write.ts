/**
 * Writes a report's files.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.js';
import { makeFolder } from '../../runtime/index.js';
import type { ClassReport } from './class-report.js';
import { classPage, pageName, studentPage } from './html.js';

/** Writes a file, and its folder; `-` is stdout. @throws ConfigError where it cannot be written */
export function writeOutput(file: string, text: string | Uint8Array): void {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    makeFolder(path.dirname(path.resolve(file)));
    writeFileSync(file, text);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(
      `${file} cannot be written: ${(cause as Error).message}`,
      'name a file in a folder where you may write',
    );
  }
}

/** The page of the class, for the name of a page or of a folder. */
export function classPageFile(name: string): string {
  return name.endsWith('.html') ? name : path.join(name, 'index.html');
}

/**
 * Writes the page of the class, and the students' in `students` beside it. Returns the class's.
 * @param lab the address of the lab that opens the students' runs
 */
export function writePages(report: ClassReport, name: string, lab: string): string {
  const main = classPageFile(name);
  const folder = path.join(path.dirname(main), 'students');
  writeOutput(main, classPage(report, 'students'));
  makeFolder(folder);
  for (const entry of report.entries) {
    writeFileSync(path.join(folder, pageName(entry)), studentPage(report, entry, lab));
  }
  return main;
}
