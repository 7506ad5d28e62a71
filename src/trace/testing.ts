/**
 * Exit records for tests, as an engine would fill them. Not part of the package.
 *
 * @module
 */
import { type Exit, ExitKind, emptyExit } from '../engine/contract/index.js';

/** An exit, by default a read of one byte from port 0. `bytes` are the start of its data. */
export function exitRecord(fields: Partial<Exit> & { bytes?: readonly number[] }): Exit {
  const { bytes = [], ...rest } = fields;
  const data = new DataView(new ArrayBuffer(64));
  for (const [i, byte] of bytes.entries()) data.setUint8(i, byte);
  return { ...emptyExit(data), kind: ExitKind.io, size: 1, count: 1, ...rest };
}
