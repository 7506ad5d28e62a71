import type { ByteWriter } from './bytes.js';
import type { ExitLog } from './exit-log.js';

/** Turns entries of a log into a file, piece by piece. */
export interface TraceEncoder {
  /** The first bytes of the file. */
  head(): Uint8Array;
  /** One entry's bytes are added to `writer`. */
  add(log: ExitLog, index: number): void;
  readonly writer: ByteWriter;
}
