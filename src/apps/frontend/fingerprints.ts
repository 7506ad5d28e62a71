/**
 * Fingerprints of the disks and the firmware with which a snapshot's or recording's machine was made; the file does not contain them. A
 * changed one would silently change the run.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { MachineSpec } from '../../config/index.js';
import { ConfigError } from '../../errors.js';
import type { Fingerprint } from '../../terra/index.js';

/** A larger file is read in samples. */
const WHOLE = 64 * 2 ** 20;
const SAMPLE = 65_536;
const SAMPLES = 256;

/** Of the files that a description names. */
export function fingerprintsOf(spec: MachineSpec): Fingerprint[] {
  return filesOf(spec).map(([field, file]) => ({ field, name: path.basename(file), ...fingerprintOf(file) }));
}

/**
 * @param asked has the files again
 * @throws ConfigError for a file that has changed, and for another one
 */
export function requireSameFiles(kept: readonly Fingerprint[], asked: MachineSpec, from: string): void {
  const files = filesOf(asked);
  for (const field of new Set(kept.map((one) => one.field))) {
    const [then, now] = [kept.filter((one) => one.field === field), files.filter(([of]) => of === field)];
    if (then.length !== now.length)
      throw new ConfigError(
        `${from}: its machine was made with ${then.length} of "${field}", and not ${now.length}`,
        `give the same again: ${then.map(({ name }) => name).join(', ')}`,
      );
    for (const [index, { name, size, digest }] of then.entries()) {
      const file = now[index]![1];
      const found = fingerprintOf(file);
      if (found.size === size && found.digest === digest) continue;
      const difference = found.size === size ? 'its content' : `it has ${found.size} bytes, and had ${size}`;
      throw new ConfigError(
        `${from}: ${file} has changed since ${name} was used (${difference})`,
        'use a copy of the earlier file; a guest’s writes to a disk with ",write" change it too',
      );
    }
  }
}

function filesOf({
  disks = [],
  floppies = [],
  cdroms = [],
  firmware,
}: MachineSpec): [Fingerprint['field'], string][] {
  return [
    ...disks.map(({ file }) => ['disks', file] as [Fingerprint['field'], string]),
    ...floppies.map(({ file }) => ['floppies', file] as [Fingerprint['field'], string]),
    ...cdroms.map(({ file }) => ['cdroms', file] as [Fingerprint['field'], string]),
    ...(firmware === undefined ? [] : [['firmware', firmware] as [Fingerprint['field'], string]]),
  ];
}

function fingerprintOf(file: string): Pick<Fingerprint, 'size' | 'digest'> {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const hash = createHash('sha256');
    const bytes = Buffer.alloc(SAMPLE);
    const take = (at: number) => hash.update(bytes.subarray(0, readSync(fd, bytes, 0, SAMPLE, at)));
    if (size <= WHOLE) for (let at = 0; at < size; at += SAMPLE) take(at);
    else for (let n = 0; n < SAMPLES; n++) take(Math.floor(((size - SAMPLE) / (SAMPLES - 1)) * n));
    return { size, digest: hash.digest('hex') };
  } finally {
    closeSync(fd);
  }
}
