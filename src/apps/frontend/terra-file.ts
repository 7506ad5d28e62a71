/**
 * `.terra` files on the command line: read, checked against the user's options, compared.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { command } from '../../command.js';
import { type MachineSpec, optionWord } from '../../config/index.js';
import { ConfigError } from '../../errors.js';
import type { HostedMachine, HostedOptions, HostedOutcome, LoadedImage } from '../../runtime/index.js';
import { found } from '../../runtime/index.js';
import { decodeTerra, encodeTerra, type Terra, TerraError } from '../../terra/index.js';
import { requireSameFiles } from './fingerprints.js';

/** Larger files are not read: a full guest of 4 GiB that does not compress. */
const LARGEST = 4 * 2 ** 30;

const MAKE = `\`run --save\` and \`run --record\` make such files: ${command('run --help')}`;

/** @throws TerraError that names the file */
export async function readTerra(file: string): Promise<Terra> {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new TerraError('this is not a file', MAKE);
    if (found.size > LARGEST) throw new TerraError(`${found.size} bytes are too large for a snapshot`);
    return await decodeTerra(readFileSync(file));
  } catch (error) {
    if (error instanceof TerraError) throw new TerraError(`${file}: ${error.message}`, error.hint);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new TerraError(`${file}: ${code === 'ENOENT' ? 'no such file' : `cannot be read: ${code}`}`, MAKE);
  }
}

/**
 * Writes a file whole or not at all: the old one is replaced when all of the new one is on the disk.
 * @throws TerraError that names the file and says why
 */
export async function writeTerra(file: string, terra: Terra): Promise<number> {
  const bytes = await encodeTerra(terra);
  // A pipe or a device is written directly.
  const there = found(file);
  const direct = there !== undefined && !there.isFile();
  const target = direct ? file : `${file}.${process.pid}.part`;
  try {
    const fd = openSync(target, direct ? 'w' : 'wx', 0o666);
    try {
      writeFileSync(fd, bytes);
    } finally {
      closeSync(fd);
    }
    if (!direct) renameSync(target, file);
    return bytes.length;
  } catch (error) {
    if (!direct) rmSync(target, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    throw new TerraError(
      `${file} could not be written: ${full ? `no room for its ${bytes.length.toLocaleString('en')} bytes (${code})` : message}`,
      full ? 'no part of it is left: make room, or name a file on another disk' : undefined,
    );
  }
}

/** Files and modules of the host are named by the user, not by the snapshot. @throws ConfigError for missing and changed ones */
export function requireNamed(
  { named = [], fingerprints = [] }: Terra,
  asked: MachineSpec,
  file: string,
): void {
  // The files of a loader are in memory already.
  const missing = named.filter(
    (name) => name !== 'initrds' && name !== 'modules' && asked[name] === undefined,
  );
  if (missing.length === 0) {
    requireSameFiles(fingerprints, asked, file);
    return;
  }
  const options = missing.map((name) => `--${optionWord(name)}`).join(', ');
  throw new ConfigError(
    `${file}: its machine was made with ${options}`,
    'give the same again: a snapshot does not name files of this computer',
  );
}

/** The image and the description from which a command makes its machine. */
export interface Kept {
  loaded: LoadedImage;
  observed: Partial<HostedOptions>;
}

/** A file that takes the place of an image. @throws ConfigError, TerraError */
export async function loadKept(files: readonly string[], from: string, asked: MachineSpec): Promise<Kept> {
  if (files.length > 0)
    throw new ConfigError(
      `--from: the snapshot has its own image, and ${files[0]} is another`,
      'omit one of them',
    );
  const terra = await readTerra(from);
  requireNamed(terra, asked, from);
  const spec = { ...terra.spec, ...asked };
  // A recording is repeated where its time is its instructions.
  if (terra.record) Object.assign(spec, { engine: 'soft', clock: 'instructions' });
  const { image, state, record } = terra;
  return {
    loaded: { image, spec, file: from, sources: [], warnings: '', sourceFolder: path.dirname(from) },
    observed: { from: state, ...(record && { replay: record }) },
  };
}

/** Of registers and RAM at the end of a run. */
export function digestOf({ memory }: HostedMachine, { registers, system }: HostedOutcome): string {
  const hash = createHash('sha256');
  for (const region of memory.regions) hash.update(memory.bytesOf(region));
  hash.update(
    JSON.stringify([registers, system], (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  );
  return hash.digest('hex');
}
