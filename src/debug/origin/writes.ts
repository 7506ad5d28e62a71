/**
 * All writes to a range of memory, as a list.
 *
 * @module
 */
import { DebugError } from '../errors.js';
import { watchpointsFor } from '../watch-pieces.js';
import { type FindParts, Interrupted, WriteFinder } from './find-write.js';

/** A write by an instruction, a device or the monitor. */
export interface WriteRecord {
  /** Instructions before it: the moment to go to. */
  at: number;
  /** The linear address of the instruction. */
  pc: bigint;
  /** The bytes of the range before and after it. */
  old: Uint8Array;
  new: Uint8Array;
  /** A device (DMA) or the monitor wrote, while or before this instruction ran. */
  outside?: true;
}

export interface WritesWanted {
  address: bigint;
  length: number;
  /** The most writes to return, the last ones. Default 1,000. */
  most?: number;
}

const MOST = 1000;
/** The longest range whose bytes are kept for each write. */
const LONGEST = 256;

/** The writes up to the present moment, oldest first. The guest is at any moment afterwards. */
export function writesOf(parts: FindParts, { address, length, most = MOST }: WritesWanted): WriteRecord[] {
  if (length > LONGEST)
    throw new DebugError(`${length} bytes are too many for a list of writes`, `ask for ${LONGEST} at most`);
  const { history, ask, cpu, here } = parts;
  const watchpoints = watchpointsFor(address, length, 'write');
  const finder = new WriteFinder(parts);
  const { now, first } = history.range;
  const records: WriteRecord[] = [];
  const add = (record: WriteRecord) => {
    records.push(record);
    if (records.length > most) records.shift();
  };
  finder.goTo(first);
  let bytes = finder.bytes(address, length);
  let step = false;
  while (history.range.now < now) {
    const before = here().pc;
    const refused = ask({ step, breakpoints: [], watchpoints });
    if (refused !== undefined) throw new DebugError(refused);
    const { kind } = history.repeat(now);
    if (kind === 'stopped') throw new Interrupted();
    if (kind !== 'debug') break;
    const after = finder.bytes(address, length);
    if (watchpoints[cpu().touchedWatchpoint] !== undefined)
      add({ at: history.range.now - 1, pc: cpu().touchedBy ?? before, old: bytes, new: after });
    bytes = after;
    step = false;
  }
  ask(undefined);
  const last = finder.bytes(address, length);
  if (!same(bytes, last)) add({ at: history.range.now, pc: here().pc, old: bytes, new: last, outside: true });
  return records;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/** A line for each. @param locate a name for a linear address */
export function writesText(
  records: readonly WriteRecord[],
  locate: (address: bigint) => string | undefined,
): string {
  if (records.length === 0) return 'nothing wrote there in this history';
  const width = Math.max(...records.map(({ at }) => at.toLocaleString('en').length));
  return records
    .map(({ at, pc, old, new: after, outside }) => {
      const who = outside ? 'a device or the monitor, before' : '';
      const where = locate(pc) ?? `0x${pc.toString(16)}`;
      return `${at.toLocaleString('en').padStart(width)}  ${who}${who ? ' ' : ''}${where}  ${numberText(old)} → ${numberText(after)}`;
    })
    .join('\n');
}

/** Up to eight bytes as a number, more as bytes. */
function numberText(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'not mapped';
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  return bytes.length <= 8 ? `0x${BigInt(`0x${digits.reverse().join('')}`).toString(16)}` : digits.join(' ');
}
