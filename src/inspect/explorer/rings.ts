/**
 * Draws the queues of virtio devices (VIRTIO 1.3 2.7, 2.8): their content in guest memory, and the positions of driver and device.
 *
 * @module
 */
import { columns, hex, type PhysicalMemory } from './words.js';

/** A queue, and the device's position in it, which is not in guest memory. */
export interface QueueSubject {
  readonly index: number;
  readonly name: string;
  readonly size: number;
  readonly ready: boolean;
  readonly packed: boolean;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  readonly next: number;
  readonly used: number;
}

/** A device and its queues. */
export interface VirtioSubject {
  readonly name: string;
  readonly type: number;
  readonly transport: string;
  readonly status: number;
  readonly features: readonly number[];
  readonly problem: string;
  readonly queues: readonly QueueSubject[];
}

/** A descriptor: of the table, or of the packed ring. */
export interface RingDescriptor {
  index: number;
  address: bigint;
  length: number;
  write: boolean;
  indirect: boolean;
  /** The next one; undefined at a chain's end. */
  next?: number;
}

/** A buffer in the ring. */
export interface RingBuffer {
  /** Its slot in the ring, and its first descriptor's number or its ID. */
  slot: number;
  id: number;
  descriptors: RingDescriptor[];
  /** The bytes that the device reports as written; undefined while it waits. */
  written?: number;
}

export interface QueueDrawing {
  index: number;
  name: string;
  size: number;
  kind: 'split' | 'packed';
  ready: boolean;
  /** Buffers that the driver has made available and the device has not taken. */
  waiting: number;
  /** One character for each slot, from slot 0 on: `A` available, `d` with the device, `·` with the driver. */
  ring: string;
  /** The slots that come next: the driver's, the device's to take, and the device's to give back. */
  positions?: { driver: number; device: number; used: number };
  /** The buffers that wait, then those that were used last. */
  buffers: RingBuffer[];
  problem?: string;
}

export interface DeviceDrawing {
  name: string;
  type: string;
  transport: string;
  status: string[];
  features: string[];
  problem: string;
  queues: QueueDrawing[];
}

/** The most slots to draw, buffers to list, and descriptors of one buffer, for any content of the rings; and the slots of a line of text. */
const [MOST_SLOTS, MOST_BUFFERS, MOST_DESCRIPTORS, LINE_SLOTS] = [1024, 4, 8, 128];
const DESCRIPTOR = 16;
const Flag = { next: 1, write: 2, indirect: 4, available: 0x80, used: 0x8000 } as const;
const [WRAP, POSITION] = [0x8000, 0x7fff];

const types: Readonly<Record<number, string>> = {
  1: 'network card',
  2: 'block device',
  3: 'console',
  4: 'entropy source',
  5: 'balloon',
  18: 'input device',
  19: 'socket device',
  26: 'file system',
};
const statuses = [
  [1, 'ACKNOWLEDGE'],
  [2, 'DRIVER'],
  [8, 'FEATURES_OK'],
  [4, 'DRIVER_OK'],
  [0x40, 'NEEDS_RESET'],
  [0x80, 'FAILED'],
] as const;
/** Features that are common to all devices. */
const features: Readonly<Record<number, string>> = {
  28: 'INDIRECT_DESC',
  29: 'EVENT_IDX',
  32: 'VERSION_1',
  34: 'RING_PACKED',
  35: 'IN_ORDER',
  40: 'RING_RESET',
};

/** Reads the rings of devices. Nothing here changes the guest. */
export function readRings(devices: readonly VirtioSubject[], memory: PhysicalMemory): DeviceDrawing[] {
  return devices.map(({ name, type, transport, status, features: agreed, problem, queues }) => ({
    name,
    type: types[type] ?? `device of type ${type}`,
    transport,
    status: statuses.filter(([bit]) => status & bit).map(([, word]) => word),
    features: agreed.map((bit) => features[bit] ?? String(bit)),
    problem,
    queues: queues.map((queue) => readQueue(queue, memory)),
  }));
}

function readQueue(queue: QueueSubject, memory: PhysicalMemory): QueueDrawing {
  const { index, name, size, ready, packed } = queue;
  const empty: QueueDrawing = {
    index,
    name,
    size,
    kind: packed ? 'packed' : 'split',
    ready,
    waiting: 0,
    ring: '',
    buffers: [],
  };
  if (!ready) return empty;
  const bytes = packed
    ? [queue.driver, 4, queue.device, 4]
    : [queue.driver, 6 + 2 * size, queue.device, 6 + 8 * size];
  const [driver, driverSize, device, deviceSize] = bytes as [number, number, number, number];
  const isThere =
    memory.contains(queue.descriptors, DESCRIPTOR * size) &&
    memory.contains(driver, driverSize) &&
    memory.contains(device, deviceSize);
  if (!isThere) return { ...empty, problem: 'it is not in RAM' };
  return { ...empty, ...(packed ? packedRing(queue, memory) : splitRing(queue, memory)) };
}

type Ring = Pick<QueueDrawing, 'waiting' | 'ring' | 'positions' | 'buffers' | 'problem'>;

const half = (memory: PhysicalMemory, at: number) => new DataView(copy(memory, at, 2)).getUint16(0, true);
const copy = (memory: PhysicalMemory, at: number, length: number) =>
  Uint8Array.from(memory.readBytes(at, length)).buffer;

function splitRing(queue: QueueSubject, memory: PhysicalMemory): Ring {
  const { size, driver, device, next, used } = queue;
  const index = half(memory, driver + 2);
  const waiting = (index - next) & 0xffff;
  const slots = Array.from({ length: size }, () => '·');
  const mark = (from: number, count: number, sign: string) => {
    for (let n = 0; n < Math.min(count, size); n++) slots[(from + n) & (size - 1)] = sign;
  };
  mark(used, (next - used) & 0xffff, 'd');
  if (waiting <= size) mark(next, waiting, 'A');
  const buffers: RingBuffer[] = [];
  for (let n = 0; n < Math.min(waiting, MOST_BUFFERS); n++) {
    const slot = (next + n) & (size - 1);
    const id = half(memory, driver + 4 + 2 * slot);
    buffers.push({ slot, id, descriptors: chain(queue, memory, id) });
  }
  for (let n = 1; n <= Math.min(used, MOST_BUFFERS, size); n++) {
    const slot = (used - n) & (size - 1);
    const entry = new DataView(copy(memory, device + 4 + 8 * slot, 8));
    const id = entry.getUint32(0, true);
    buffers.push({ slot, id, descriptors: chain(queue, memory, id), written: entry.getUint32(4, true) });
  }
  const problem =
    waiting > size ? `the driver's index is ${waiting} ahead, and the ring has ${size}` : undefined;
  const positions = { driver: index & (size - 1), device: next & (size - 1), used: used & (size - 1) };
  const ring = slots.slice(0, MOST_SLOTS).join('');
  return { waiting, ring, positions, buffers, ...(problem && { problem }) };
}

/** The chain from a descriptor on, as far as it is shown. */
function chain({ descriptors, size }: QueueSubject, memory: PhysicalMemory, head: number): RingDescriptor[] {
  const found: RingDescriptor[] = [];
  for (let index: number | undefined = head; index !== undefined && found.length < MOST_DESCRIPTORS; ) {
    if (index >= size) break;
    const view: DataView = new DataView(copy(memory, descriptors + DESCRIPTOR * index, DESCRIPTOR));
    const flags = view.getUint16(12, true);
    const next: number | undefined = flags & Flag.next ? view.getUint16(14, true) : undefined;
    found.push(described(index, view, flags, next));
    index = next;
  }
  return found;
}

function described(index: number, view: DataView, flags: number, next: number | undefined): RingDescriptor {
  return {
    index,
    address: view.getBigUint64(0, true),
    length: view.getUint32(8, true),
    write: (flags & Flag.write) !== 0,
    indirect: (flags & Flag.indirect) !== 0,
    ...(next !== undefined && { next }),
  };
}

function packedRing({ size, descriptors, next, used }: QueueSubject, memory: PhysicalMemory): Ring {
  const all = Array.from(
    { length: size },
    (_, n) => new DataView(copy(memory, descriptors + DESCRIPTOR * n, DESCRIPTOR)),
  );
  let at = next & POSITION;
  let wrap = (next & WRAP) !== 0;
  const slots = Array.from({ length: size }, () => '·');
  const buffers: RingBuffer[] = [];
  let waiting = 0;
  let current: RingDescriptor[] = [];
  for (let n = 0; n < size; n++) {
    const view = all[at]!;
    const flags = view.getUint16(14, true);
    const available = ((flags & Flag.available) !== 0) === wrap && ((flags & Flag.used) !== 0) !== wrap;
    // Only a chain's first descriptor has to be available: it is written last.
    if (!available && current.length === 0) break;
    slots[at] = 'A';
    const following = (at + 1) % size;
    current.push(described(at, view, flags, flags & Flag.next ? following : undefined));
    if (!(flags & Flag.next)) {
      waiting++;
      if (buffers.length < MOST_BUFFERS)
        buffers.push({
          slot: current[0]!.index,
          id: view.getUint16(12, true),
          descriptors: current.slice(0, MOST_DESCRIPTORS),
        });
      current = [];
    }
    at = following;
    if (at === 0) wrap = !wrap;
  }
  const positions = { driver: at, device: next & POSITION, used: used & POSITION };
  return { waiting, ring: slots.slice(0, MOST_SLOTS).join(''), positions, buffers };
}

/** As text. */
export function formatRings(devices: readonly DeviceDrawing[]): string {
  if (devices.length === 0) return 'virtio: this machine has no such device';
  return devices.map(formatDevice).join('\n\n');
}

function formatDevice({
  name,
  type,
  transport,
  status,
  features: agreed,
  problem,
  queues,
}: DeviceDrawing): string {
  const how = status.length === 0 ? 'reset: no driver has found it' : status.join(', ');
  return [
    `${name}: ${type} on ${transport}; ${how}`,
    ...(agreed.length > 0 ? [`  features: ${agreed.join(', ')}`] : []),
    ...(problem === '' ? [] : [`  waits for a reset: ${problem}`]),
    ...queues.flatMap(formatQueue),
  ].join('\n');
}

function formatQueue({
  index,
  name,
  size,
  kind,
  ready,
  waiting,
  ring,
  buffers,
  problem,
}: QueueDrawing): string[] {
  const title = `  queue ${index}, ${name}`;
  if (!ready) return [`${title}: not ready`];
  const behind =
    problem ??
    (waiting === 0
      ? 'the device has taken all available buffers'
      : `${waiting} ${waiting === 1 ? 'buffer waits' : 'buffers wait'} for the device`);
  const rows = buffers.map(({ slot, id, descriptors, written }) => [
    written === undefined ? 'available' : 'used',
    `slot ${slot}`,
    `buffer ${id}`,
    descriptors.map(descriptorText).join(' → '),
    ...(written === undefined ? [] : [`${written} bytes written`]),
  ]);
  return [
    `${title}: ${kind}, ${size} slots; ${behind}`,
    `    ring  ${ring.slice(0, LINE_SLOTS)}${size > LINE_SLOTS ? ' …' : ''}`,
    ...columns(rows, '    '),
  ];
}

function descriptorText({ address, length, write, indirect }: RingDescriptor): string {
  const what = indirect ? 'table' : write ? 'write' : 'read';
  return `[${what} ${hex(address)} +${length}]`;
}
