import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { frameWords, isPcap, PCAP_HEADER, readPcap } from '../../net/index.js';

const SECOND = 1_000_000_000;

/** The lines of a pcap file, one for each frame; undefined where it is another file, or cannot be read. */
export function frameLines(file: string): Iterable<string> | undefined {
  return file !== '-' && startsAsPcap(file) ? lines(new Uint8Array(readFileSync(file))) : undefined;
}

function startsAsPcap(file: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    const head = new Uint8Array(PCAP_HEADER);
    return fstatSync(fd).isFile() && readSync(fd, head) === head.length && isPcap(head);
  } catch {
    // The reader of traces reports the error.
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function* lines(bytes: Uint8Array): Generator<string> {
  for (const { time, frame } of readPcap(bytes))
    yield `${(time / SECOND).toFixed(6).padStart(14)}  ${frameWords(frame)}`;
}
