import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { DiskError } from '../../devices/index.js';
import { HostFile } from './host-file.js';

const PIECE = 2 ** 20;
const zeros = Buffer.alloc(PIECE);
/** A larger file is not read to its end for a copy: its holes would take hours. */
const MOST = 64 * 2 ** 30;

/**
 * Makes a copy of a disk's file where there is none yet: the guest's writes go to it. Holes stay holes.
 * @throws DiskError that names the file; then there is no copy
 */
export function makeCopy(file: string, copy: string): void {
  if (existsSync(copy)) return;
  // No other process writes to it meanwhile.
  const from = new HostFile(file);
  const half = `${copy}.part`;
  try {
    if (!cloned(file, half)) copySparse(from, half);
    renameSync(half, copy);
  } catch (cause) {
    rmSync(half, { force: true });
    if (cause instanceof DiskError) throw cause;
    const { code = 'unwritable' } = cause as NodeJS.ErrnoException;
    throw new DiskError(`${copy}: the copy of ${file} failed with ${code}`, 'is there room for it?');
  } finally {
    from.close();
  }
}

/** A file system that shares blocks makes the copy at once. */
function cloned(file: string, copy: string): boolean {
  try {
    copyFileSync(file, copy, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    rmSync(copy, { force: true });
    return false;
  }
}

function copySparse(from: HostFile, copy: string): void {
  if (from.size > MOST)
    throw new DiskError(
      `${from.name}: ${from.size} bytes are too many for a copy`,
      'make it yourself, and let the guest write to it: cp --sparse=always FILE COPY, --disk COPY,write',
    );
  const fd = openSync(copy, 'wx', 0o644);
  try {
    ftruncateSync(fd, from.size);
    const piece = Buffer.alloc(PIECE);
    for (let at = 0; at < from.size; at += PIECE) {
      const bytes = piece.subarray(0, Math.min(PIECE, from.size - at));
      from.read(at, bytes);
      if (bytes.equals(zeros.subarray(0, bytes.length))) continue;
      for (let done = 0; done < bytes.length; )
        done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    }
  } finally {
    closeSync(fd);
  }
}
