/**
 * Compiles sources that the page sends, in a folder of their own that is removed afterwards.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { modes } from '../../boot/index.js';
import { compileSources, type SourceMode } from '../../runtime/index.js';

const MOST_FILES = 64;
const TIMEOUT_MS = 20_000;
const SOURCE = /\.(S|s|c|cc|cpp|cxx|asm|nasm)$/;

/** An invalid request. */
export class CompileRefused extends Error {}

/** @throws CompileRefused, ToolchainError */
export function compileSubmitted(asked: unknown): Uint8Array {
  const { files, mode } = (asked ?? {}) as { files?: unknown; mode?: unknown };
  if (!Array.isArray(files) || files.length === 0 || files.length > MOST_FILES || !files.every(isFile))
    throw new CompileRefused('the request has no files, or one with an invalid name');
  if (typeof mode !== 'string' || !(modes as readonly string[]).includes(mode))
    throw new CompileRefused(`there is no mode '${String(mode).slice(0, 40)}'`);
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-lab-'));
  try {
    for (const { name, text } of files) writeFileSync(path.join(folder, name), text);
    const sources = files.filter(({ name }) => SOURCE.test(name)).map(({ name }) => path.join(folder, name));
    if (sources.length === 0) throw new CompileRefused('none of the files is a source');
    // The page may have opened somebody else's link: its sources read only what is beside them.
    return compileSources(sources, {
      mode: mode as SourceMode,
      timeoutMs: TIMEOUT_MS,
      debug: true,
      confined: true,
    }).bytes;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function isFile(value: unknown): value is { name: string; text: string } {
  const { name, text } = (value ?? {}) as { name?: unknown; text?: unknown };
  return typeof name === 'string' && /^\w[\w.+-]{0,99}$/.test(name) && typeof text === 'string';
}
