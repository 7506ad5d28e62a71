import { closeSync, openSync, readSync } from 'node:fs';
import { TerrariumError } from '../../errors.js';
import { whyUnreadable } from '../../runtime/index.js';

/** Bytes per read. */
const CHUNK = 1024 * 1024;
/** No line of a trace is longer than this; lines of binary files may be. */
const LONGEST = 64 * 1024;
const NEWLINE = 0x0a;

/** How a file ended. */
export interface LinesRead {
  lines: number;
  /** The text after the last newline: empty where the file ends with one. */
  rest: string;
}

/**
 * Gives each line of a text file to `take`, without its newline. Holds one chunk of the file at a time, however long it is.
 * `-` is stdin. @throws TerrariumError EFILE where it cannot be read, or has a line that is too long
 */
export function readLines(file: string, take: (line: string) => void): LinesRead {
  const fail = (problem: string, hint?: string): never => {
    throw new TerrariumError('EFILE', `${file}: ${problem}`, hint === undefined ? {} : { hint });
  };
  let fd = 0;
  try {
    if (file !== '-') fd = openSync(file, 'r');
    const buffer = Buffer.allocUnsafe(CHUNK + LONGEST);
    let kept = 0;
    let lines = 0;
    for (;;) {
      const length = kept + readSome(fd, buffer, kept);
      const end = buffer.lastIndexOf(NEWLINE, length - 1);
      if (length === kept) return { lines, rest: buffer.toString('utf8', 0, kept) };
      if (end >= 0 && length > 0) {
        for (const line of buffer.toString('utf8', 0, end).split('\n')) {
          lines++;
          if (line.length > LONGEST)
            fail(`line ${lines} is longer than ${LONGEST} bytes, too long for a line of a trace`);
          take(line);
        }
      }
      buffer.copy(buffer, 0, end + 1, length);
      kept = length - end - 1;
      if (kept > LONGEST)
        fail(`line ${lines + 1} is longer than ${LONGEST} bytes, too long for a line of a trace`);
    }
  } catch (cause) {
    if (cause instanceof TerrariumError) throw cause;
    return fail(whyUnreadable(cause), 'check the path; - is stdin');
  } finally {
    if (fd > 0) closeSync(fd);
  }
}

/** A non-blocking pipe gives EAGAIN while it has no data. */
function readSome(fd: number, buffer: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, at, CHUNK, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
