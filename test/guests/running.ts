/**
 * Runs a guest of the catalogue as its `guest.json` says, and records its actions.
 *
 * @module
 */
import { parseImage } from '../../src/boot/index.js';
import type { ByteSource, Device } from '../../src/devices/contract/index.js';
import { type Exit, exitKindNames } from '../../src/engine/contract/index.js';
import type { Outcome } from '../../src/machine/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { type GuestFile, typist, unmetExpectations } from './catalogue.js';

/** No guest of the catalogue takes longer to its end. One that never ends is stopped much earlier. */
const LONGEST_MS = 60_000;
const ENDLESS_MS = 100;

/** The results of a guest's run. */
export interface GuestRun {
  outcome: Outcome;
  console: string;
  /** The expectations of its `guest.json` that it did not meet. */
  unmet: string[];
  /** Its exits in order, writes by their elements: `out 0xe9 1 × 1: 48`. */
  exits: string[];
}

/** Records the bytes that a guest sends to the ports in its guest.json. */
class Watch implements Device {
  readonly name = 'watch';
  readonly ports: { first: number; count: number }[];
  readonly seen: Record<string, number[]> = {};
  constructor(ports: readonly string[]) {
    this.ports = ports.map((port) => ({ first: Number(port), count: 1 }));
    for (const port of ports) this.seen[port] = [];
  }
  writePort(port: number, _size: number, value: number): void {
    const name = Object.keys(this.seen).find((known) => Number(known) === port);
    this.seen[name!]!.push(value);
  }
}

/** A serial port's input that has all of a text at once. */
function typed(text: string): ByteSource {
  const bytes = [...Buffer.from(text)];
  return {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
}

/** The machine of a guest's `guest.json`, without its inputs. */
export function optionsOf(guest: GuestFile, bytes: Uint8Array): MachineOptions {
  return {
    image: parseImage(bytes, guest.image),
    memory: guest.memory,
    mode: guest.mode,
    ...(guest.regions !== undefined && { regions: guest.regions }),
    ...(guest.load !== undefined && { load: guest.load }),
    ...(guest.simvirtio !== undefined && { simvirtio: guest.simvirtio }),
    ...(guest.irqchip !== undefined && { irqchip: guest.irqchip }),
    ...(guest.machine !== undefined && { machine: guest.machine }),
    ...(guest.vga !== undefined && { vga: guest.vga }),
    ...(guest.cpus !== undefined && { cpus: guest.cpus }),
    ...(guest.smpSeed !== undefined && { smpSeed: guest.smpSeed }),
    ...(guest.virtio !== undefined && { virtio: guest.virtio }),
  };
}

/** A guest's inputs: the serial port's bytes and the keys. */
export function readBy(guest: GuestFile): Pick<MachineOptions, 'input' | 'keys'> {
  return {
    ...(guest.input !== undefined && { input: typed(guest.input) }),
    ...(guest.keys !== undefined && { keys: { source: typist(guest.keys) } }),
  };
}

/** Runs `guest` from the bytes of an image of it. `config` is for fields that a guest cannot set. */
export function runGuest(guest: GuestFile, bytes: Uint8Array, config: Partial<MachineOptions>): GuestRun {
  let console = '';
  const exits: string[] = [];
  const watch = new Watch(Object.keys(guest.expect.ports ?? {}));
  using machine = createMachine({
    ...optionsOf(guest, bytes),
    ...readBy(guest),
    devices: [watch],
    output: (chunk) => {
      console += Buffer.from(chunk).toString('latin1');
    },
    observer: { begin() {}, record: (exit) => exits.push(...textsOf(exit)), flush() {} },
    ...config,
  });
  const endless = guest.expect.outcome === 'timeout';
  const outcome = machine.run({ timeoutMs: endless ? ENDLESS_MS : LONGEST_MS });
  const { registers, kind } = outcome;
  const seen = { console, registers, memory: machine.memory, ports: watch.seen, outcome: kind };
  const unmet = unmetExpectations(guest, { ...seen, exits: outcome.exits + outcome.coalesced });
  return { outcome, console, unmet, exits };
}

/** Elements that a REP OUTS writes count one by one: KVM reports them so, and the software CPU as one exit. */
function textsOf({ kind, address, size, count, write, data, offset }: Exit): string[] {
  const name = exitKindNames[kind]!;
  if (name !== 'io' && name !== 'mmio') return [name];
  const verb = name === 'io' ? (write ? 'out' : 'in') : write ? 'store' : 'load';
  const bytes = Buffer.from(data.buffer, data.byteOffset + offset, size * count);
  const text = (many: number, part: Buffer) =>
    `${verb} 0x${address.toString(16)} ${size} × ${many}: ${part.toString('hex')}`;
  if (!write) return [text(count, bytes)];
  return Array.from({ length: count }, (_, n) => text(1, bytes.subarray(n * size, (n + 1) * size)));
}
