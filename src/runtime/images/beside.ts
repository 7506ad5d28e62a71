import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type BesideFiles, type BootFile, type Image, ImageError } from '../../boot/index.js';
import { type MachineSpec, memoryOf } from '../../config/index.js';

/**
 * Reads the files that are loaded with a kernel, on the thread that runs the machine.
 * @returns undefined where the description names none
 * @throws ImageError that names the file, also where they could never fit into the machine's memory: then nothing is read
 */
export function openBeside(spec: MachineSpec, image: Image): BesideFiles | undefined {
  const { initrds = [], modules = [] } = spec;
  if (initrds.length + modules.length === 0) return undefined;
  const named = [
    ...initrds.map((file) => ({ what: 'initrds' as const, file, words: '' })),
    ...modules.map((text) => ({ what: 'modules' as const, ...splitModule(text) })),
  ];
  const memory = memoryOf(spec, image);
  let sum = 0;
  for (const { file } of named) {
    sum += sizeOf(file);
    if (sum > memory)
      throw new ImageError(
        `${file}: with this file ${sum} bytes are to be loaded with the kernel, and the guest’s memory has ${memory}`,
        'give the guest more memory (--memory)',
      );
  }
  const files: Record<'initrds' | 'modules', BootFile[]> = { initrds: [], modules: [] };
  for (const { what, file, words } of named)
    files[what].push({
      text: [path.basename(file), ...(words === '' ? [] : [words])].join(' '),
      bytes: reading(file, () => new Uint8Array(readFileSync(file))),
    });
  return files;
}

/** A module's file, and its arguments after a colon. A file whose name contains a colon is found by its whole name. */
function splitModule(text: string): { file: string; words: string } {
  const [, file = text, words = ''] = existsSync(text) ? [] : (/^([^:]*):(.*)$/s.exec(text) ?? []);
  return { file, words };
}

function sizeOf(file: string): number {
  const found = reading(file, () => statSync(file));
  if (!found.isFile()) throw new ImageError(`${file}: not a regular file`);
  return found.size;
}

function reading<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code = 'unreadable', syscall = 'open' } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new ImageError(`${file}: no such file`, 'it is to be loaded with the kernel: check the path');
    throw new ImageError(`${file}: ${syscall} failed with ${code}`);
  }
}
