/**
 * Where `run --trace` goes, and in which format.
 *
 * @module
 */
import { createWriteStream } from 'node:fs';
import { ConfigError, TerrariumError } from '../../../../errors.js';
import type { HostedMachine, TraceOptions } from '../../../../runtime/index.js';
import { CHROME_TAIL, parseTraceFilter } from '../../../../trace/index.js';
import { traceFormatOf } from '../../../frontend/trace-format.js';
import type { SharedTerminal } from './shared-terminal.js';

export { SharedTerminal, sharesTerminal } from './shared-terminal.js';

/** The options of `run` about traces. */
export interface TraceFlags {
  /** A file; `-` or true is stderr. */
  trace?: string | true;
  traceFilter?: string[];
}

/** The trace options of the machine; undefined without a trace. */
export function traceOptions({ trace, traceFilter }: TraceFlags): TraceOptions | undefined {
  if (trace === undefined) {
    if (traceFilter === undefined) return undefined;
    throw new ConfigError('--trace-filter has no trace to filter', 'add --trace or --trace=FILE');
  }
  const filter = traceFilter && parseTraceFilter(traceFilter);
  const onTerminal = (trace === true || trace === '-') && process.stderr.isTTY === true;
  return {
    format: traceFormatOf(trace),
    ...(filter && { filter }),
    ...(onTerminal && { columns: process.stderr.columns || 80 }),
  };
}

/** Sends the trace to stderr or into a file; the returned function waits until all of it is written. */
export function openTrace(
  machine: HostedMachine,
  target: string | true,
  shared?: SharedTerminal,
): () => Promise<void> {
  if (target === true || target === '-') {
    machine.onTrace(
      (bytes) =>
        shared?.trace(bytes) ?? new Promise<void>((resolve) => process.stderr.write(bytes, () => resolve())),
    );
    return async () => {};
  }
  const file = createWriteStream(target);
  // Without a listener an error would end the process; it is read from `errored` at the end.
  file.on('error', () => {});
  machine.onTrace(
    (bytes) =>
      new Promise<void>((resolve, reject) =>
        file.write(bytes, (error) => (error ? reject(error) : resolve())),
      ),
  );
  const tail = traceFormatOf(target) === 'chrome' ? CHROME_TAIL : '';
  return async () => {
    // Closed after its last write, or after the error.
    await new Promise<void>((resolve) => {
      if (file.closed) resolve();
      else file.once('close', resolve).end(tail);
    });
    // `closed` is true before 'error' is emitted: only `errored` is set by then.
    if (file.errored !== null) {
      throw new TerrariumError('ETRACE', `the trace ${target} could not be written: ${file.errored.message}`);
    }
  };
}
