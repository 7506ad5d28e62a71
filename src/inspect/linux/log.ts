/**
 * The kernel's log, as `dmesg` shows it: the ring of records behind `printk` (`kernel/printk/printk_ringbuffer.c`, since 5.10).
 *
 * A descriptor has a record's state and where its text is, a second array its time and length. A record that is being written, or was
 * overwritten, is left out.
 *
 * @module
 */
import { printableText } from '../../symbols/index.js';
import type { Btf } from './btf.js';
import type { LinuxKernel } from './kernel.js';

/** A line of the log. */
export interface LinuxLogRecord {
  readonly sequence: bigint;
  /** Since the kernel began, in nanoseconds. */
  readonly time: bigint;
  /** 0 emergency to 7 debug. */
  readonly level: number;
  readonly text: string;
}

/** The states of a descriptor whose text is complete: committed and finalized. */
const COMPLETE = [1n, 2n];
/** The largest rings that are read: 2^20 records, 64 MiB of text. */
const MOST_COUNT_BITS = 20n;
const MOST_SIZE_BITS = 26n;
/** LOG_LINE_MAX is less. */
const LONGEST = 4096;
/** The rings' positions are unsigned long; a state's two highest bits are not of the number. */
const ID_MASK = (1n << 62n) - 1n;

function fieldsOf(btf: Btf) {
  const ring = (path: string) => btf.field('printk_ringbuffer', path)?.offset;
  const desc = (path: string) => btf.field('prb_desc', path)?.offset;
  const info = (path: string) => btf.field('printk_info', path);
  const fields = {
    countBits: ring('desc_ring.count_bits'),
    descs: ring('desc_ring.descs'),
    infos: ring('desc_ring.infos'),
    head: ring('desc_ring.head_id'),
    tail: ring('desc_ring.tail_id'),
    sizeBits: ring('text_data_ring.size_bits'),
    data: ring('text_data_ring.data'),
    descSize: btf.sizeOf('prb_desc'),
    state: desc('state_var'),
    begin: desc('text_blk_lpos.begin'),
    next: desc('text_blk_lpos.next'),
    infoSize: btf.sizeOf('printk_info'),
    seq: info('seq')?.offset,
    time: info('ts_nsec')?.offset,
    length: info('text_len')?.offset,
  };
  for (const value of Object.values(fields)) if (value === undefined) return undefined;
  return { ...(fields as { [K in keyof typeof fields]: number }), level: info('level') };
}

/** The records in order; none for a kernel whose ring is unknown. */
export function readLog(kernel: LinuxKernel): LinuxLogRecord[] {
  const fields = kernel.btf && fieldsOf(kernel.btf);
  const pointer = kernel.address('prb');
  const ring = pointer && kernel.number(pointer, 8);
  if (fields === undefined || !ring) return [];
  const number = (offset: number, size: number) => kernel.number(ring + BigInt(offset), size);
  const countBits = number(fields.countBits, 4);
  const sizeBits = number(fields.sizeBits, 4);
  const [descsAt, infosAt, head, tail, dataAt] = [
    ...[fields.descs, fields.infos, fields.head, fields.tail, fields.data],
  ].map((offset) => number(offset, 8));
  if (countBits === undefined || sizeBits === undefined || countBits > MOST_COUNT_BITS) return [];
  if (sizeBits > MOST_SIZE_BITS || !descsAt || !infosAt || !dataAt) return [];
  if (head === undefined || tail === undefined) return [];
  const count = 1 << Number(countBits);
  const [descs, infos, data] = [
    kernel.read(descsAt, count * fields.descSize),
    kernel.read(infosAt, count * fields.infoSize),
    kernel.read(dataAt, 1 << Number(sizeBits)),
  ];
  if (!descs || !infos || !data) return [];
  const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [desc, info] = [view(descs), view(infos)];
  const records: LinuxLogRecord[] = [];
  const first = tail & ID_MASK;
  const used = Math.min(Number(((head & ID_MASK) - first) & ID_MASK) + 1, count);
  for (let n = 0; n < used; n++) {
    const id = (first + BigInt(n)) & ID_MASK;
    const slot = Number(id % BigInt(count));
    const at = slot * fields.descSize;
    const state = desc.getBigUint64(at + fields.state, true);
    if ((state & ID_MASK) !== id || !COMPLETE.includes(state >> 62n)) continue;
    const infoAt = slot * fields.infoSize;
    const begin = desc.getBigUint64(at + fields.begin, true);
    const next = desc.getBigUint64(at + fields.next, true);
    const length = info.getUint16(infoAt + fields.length, true);
    const text = textOf(data, begin, next, length);
    if (text === undefined) continue;
    records.push({
      sequence: info.getBigUint64(infoAt + fields.seq, true),
      time: info.getBigUint64(infoAt + fields.time, true),
      level: levelOf(info, infoAt, fields.level),
      text,
    });
  }
  return records;
}

function levelOf(info: DataView, at: number, field: ReturnType<Btf['field']>): number {
  if (field?.bits === undefined) return 4;
  return (info.getUint8(at + field.offset) >> field.bits.first) & ((1 << field.bits.count) - 1);
}

/** A block is a number and then the text; one that does not fit before the ring's end begins at the ring's start. */
function textOf(data: Uint8Array, begin: bigint, next: bigint, length: number): string | undefined {
  // Odd positions have no data (NO_LPOS, FAILED_LPOS).
  if (begin & 1n) return '';
  const size = BigInt(data.length);
  const wraps = begin / size !== next / size && next % size !== 0n;
  const from = (wraps ? 0 : Number(begin % size)) + 8;
  const end = wraps ? Number(next % size) : Number((next - 1n) % size) + 1;
  if (next <= begin || from > end) return undefined;
  const text = data.slice(from, Math.min(end, from + Math.min(length, LONGEST)));
  return printableText(new TextDecoder().decode(text));
}

/** `[    1.234567] text`, as `dmesg` writes it. */
export function formatLog(records: readonly LinuxLogRecord[]): string {
  return records
    .map(({ time, text }) => {
      const stamp = `[${String(time / 1_000_000_000n).padStart(5)}.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}] `;
      return text
        .split('\n')
        .map((line) => stamp + line)
        .join('\n');
    })
    .join('\n');
}
