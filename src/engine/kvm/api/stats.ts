import * as K from './constants.js';
import { callFailed, KvmError } from './errors.js';
import { Handle } from './handle.js';
import { kvm_stats_desc as descriptor, kvm_stats_header as header } from './layout.js';

export type StatKind = 'cumulative' | 'instant' | 'peak' | 'linearHistogram' | 'logHistogram';
export type StatUnit = 'none' | 'bytes' | 'seconds' | 'cycles' | 'boolean';

/** One of KVM's counters. */
export interface Stat {
  readonly name: string;
  readonly kind: StatKind;
  readonly unit: StatUnit;
  /** A value's unit is `base` to the power of `exponent`: seconds, 10, -9 are nanoseconds. */
  readonly base: 2 | 10;
  readonly exponent: number;
  /** Width of a bucket of a linear histogram. */
  readonly bucketSize: number;
  /** One value, or one per bucket. */
  readonly values: readonly bigint[];
}

const kinds: Record<number, StatKind> = {
  [K.KVM_STATS_TYPE_CUMULATIVE]: 'cumulative',
  [K.KVM_STATS_TYPE_INSTANT]: 'instant',
  [K.KVM_STATS_TYPE_PEAK]: 'peak',
  [K.KVM_STATS_TYPE_LINEAR_HIST]: 'linearHistogram',
  [K.KVM_STATS_TYPE_LOG_HIST]: 'logHistogram',
};
const units: Record<number, StatUnit> = {
  [K.KVM_STATS_UNIT_NONE]: 'none',
  [K.KVM_STATS_UNIT_BYTES]: 'bytes',
  [K.KVM_STATS_UNIT_SECONDS]: 'seconds',
  [K.KVM_STATS_UNIT_CYCLES]: 'cycles',
  [K.KVM_STATS_UNIT_BOOLEAN]: 'boolean',
};

/** The offset of a counter's values, and their meaning. */
interface Layout extends Omit<Stat, 'values'> {
  offset: number;
  count: number;
}

/** KVM's own counters of a VM or a vCPU (KVM API 4.133): a file with a header, descriptors and values. */
export class Stats extends Handle {
  #id = '';
  #layout: readonly Layout[] | undefined;
  #data = { offset: 0, bytes: new DataView(new ArrayBuffer(0)) };

  /** The owner of these counters, such as `kvm-1234`. */
  id(): string {
    this.#describe();
    return this.#id;
  }

  /** Every counter with its current value. */
  read(): Stat[] {
    const described = this.#describe();
    const { offset, bytes } = this.#data;
    this.#read(bytes, offset);
    return described.map(({ offset: at, count, ...stat }) => ({
      ...stat,
      values: Array.from({ length: count }, (_, i) => bytes.getBigUint64(at + 8 * i, true)),
    }));
  }

  /** The counters with a single value, by name, as plain numbers (exact to 2^53). */
  counters(): Record<string, number> {
    return Object.fromEntries(
      this.read()
        .filter(({ values }) => values.length === 1)
        .map(({ name, values }) => [name, Number(values[0])]),
    );
  }

  #describe(): readonly Layout[] {
    if (this.#layout !== undefined) return this.#layout;
    const head = new DataView(new ArrayBuffer(header.sizeof));
    this.#read(head, 0);
    const nameSize = head.getUint32(header.name_size, true);
    const count = head.getUint32(header.num_desc, true);
    const stride = descriptor.sizeof + nameSize;
    if (nameSize > 4096 || count > 65536) throw new KvmError('ESTATS', `${this.name} have an invalid header`);
    const id = new DataView(new ArrayBuffer(nameSize));
    this.#read(id, head.getUint32(header.id_offset, true));
    this.#id = text(id, 0, nameSize);
    const table = new DataView(new ArrayBuffer(count * stride));
    this.#read(table, head.getUint32(header.desc_offset, true));
    this.#layout = Array.from({ length: count }, (_, i) => describe(table, i * stride, nameSize));
    const end = Math.max(0, ...this.#layout.map(({ offset, count }) => offset + 8 * count));
    this.#data = {
      offset: head.getUint32(header.data_offset, true),
      bytes: new DataView(new ArrayBuffer(end)),
    };
    return this.#layout;
  }

  #read(into: DataView, offset: number): void {
    for (let done = 0; done < into.byteLength; ) {
      const rest = new Uint8Array(into.buffer, done);
      const got = Number(this.libc.pread(this.fd, rest, rest.length, offset + done));
      if (got < 0) throw callFailed('pread', this.libc.errno());
      if (got === 0) throw new KvmError('ESTATS', `${this.name} are truncated`);
      done += got;
    }
  }
}

function describe(table: DataView, at: number, nameSize: number): Layout {
  const flags = table.getUint32(at + descriptor.flags, true);
  return {
    name: text(table, at + descriptor.name, nameSize),
    kind: kinds[flags & K.KVM_STATS_TYPE_MASK] ?? 'instant',
    unit: units[flags & K.KVM_STATS_UNIT_MASK] ?? 'none',
    base: (flags & K.KVM_STATS_BASE_MASK) === K.KVM_STATS_BASE_POW2 ? 2 : 10,
    exponent: table.getInt16(at + descriptor.exponent, true),
    bucketSize: table.getUint32(at + descriptor.bucket_size, true),
    offset: table.getUint32(at + descriptor.offset, true),
    count: table.getUint16(at + descriptor.size, true),
  };
}

function text(view: DataView, at: number, size: number): string {
  const bytes = new Uint8Array(view.buffer, at, size);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? size : end));
}
