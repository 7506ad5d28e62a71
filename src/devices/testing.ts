/**
 * A harness that treats any device as a hostile guest would: random accesses of every size, place and length, with
 * input at random times. For tests; not part of the package.
 *
 * @module
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { randomNumbers } from '../random.js';
import { SECOND } from '../time/index.js';
import type { Access, AccessSize, ByteSource, Device, DeviceHost } from './contract/index.js';
import { TestClock, TestInputs, TestLine, testHost } from './test-host.js';

/** The parts for a device under test. */
export interface Wiring {
  output: (bytes: Uint8Array) => void;
  input: ByteSource;
}

export type MakeDevice = (wiring: Wiring) => Device;

/** Input that waits is bounded, as a real source's would be. */
const MAX_INPUT = 256;
/** No device here has more state than this, as JSON; a device that grows passes it soon. */
const MAX_STATE = 64 * 1024;

/** A device with its surroundings, so that two can be compared. */
class Rig {
  readonly device: Device;
  readonly waiting: number[] = [];
  /** A hash of all output: bytes, interrupt levels and exits, in order. */
  outside = 0;
  readonly clock = new TestClock();
  readonly inputs = new TestInputs();
  readonly lines: TestLine[] = [];
  /** The device's memory that its guest sees as RAM: a machine saves it with its own. */
  readonly lent: Uint8Array[] = [];
  /** Ask the device for its words before each access. */
  describes = false;

  constructor(make: MakeDevice) {
    const note = (value: number) => {
      this.outside = (Math.imul(this.outside, 31) + value) | 0;
    };
    const { waiting } = this;
    const input: ByteSource = {
      get available() {
        return waiting.length > 0;
      },
      read: () => waiting.shift() ?? -1,
    };
    const output = (bytes: Uint8Array) => {
      for (const byte of bytes) note(byte);
    };
    this.device = make({ output, input });
    const memory = new Proxy({} as DeviceHost['memory'], {
      get() {
        throw new Error('the harness has no guest memory');
      },
    });
    this.device.attach?.({
      ...testHost({ memory }),
      exit(code) {
        if (!Number.isInteger(code) || code < 0 || code > 255) throw new Error(`exit code ${code}`);
        note(0x100 + code);
      },
      stop: () => note(0x200),
      reset: () => note(0x201),
      powerOff: () => note(0x202),
      panic: () => note(0x203),
      line: (irq, listener = {}) => {
        if (!Number.isInteger(irq) || irq < 0 || irq > 23) throw new Error(`interrupt request ${irq}`);
        const line = new TestLine((level) => note(0x300 + irq * 2 + (level ? 1 : 0)));
        line.listener = listener;
        this.lines.push(line);
        return line;
      },
      nmi: () => note(0x400),
      windows: {
        bytes: ({ window, size }) => {
          const bytes = new Uint8Array(window ?? size);
          this.lent.push(bytes);
          return bytes;
        },
        show({ address: first, size: room, window = 0 }, address, size) {
          if (size > 0 && (address < first || address + size > first + room || size > window))
            throw new Error(`a window of ${size} bytes at ${address}`);
          note(0x500 + address + size);
        },
      },
      clock: this.clock,
      inputs: this.inputs,
    });
  }

  /** One random action on the device; returns the result that a guest would see. */
  step(random: () => number): number {
    const choice = random() % 16;
    // Mostly a few microseconds pass, sometimes a second, as on a busy host.
    this.clock.moment += random() % 1000 === 0 ? SECOND : (random() % 64) * 1000;
    if (choice === 0) {
      for (let left = random() % 20; left > 0 && this.waiting.length < MAX_INPUT; left--) {
        this.waiting.push(random() & 0xff);
      }
      return 0;
    }
    if (choice === 1 || this.clock.next <= this.clock.moment) {
      this.clock.ring();
      this.inputs.look();
      return 0;
    }
    if (choice === 2) {
      const line = this.lines[random() % Math.max(1, this.lines.length)];
      if (line?.level) line.acknowledge();
      line?.unmask();
      return 0;
    }
    const { ports = [], memory = [], msrs = [] } = this.device;
    const chosen = random() % (ports.length + memory.length + msrs.length);
    const write = (random() & 1) === 1;
    // String I/O reaches a device as this many accesses to one address.
    const times = random() % 8 === 0 ? random() % 64 : 1;
    let seen = 0;
    for (let i = 0; i < times; i++) seen = (Math.imul(seen, 31) + this.#access(chosen, write, random)) | 0;
    return seen;
  }

  #describe(space: Access['space'], address: number, size: number, write: boolean, value: number): void {
    if (!this.describes) return;
    const words = this.device.describeAccess?.({ space, address, size, write });
    if (words === undefined) return;
    const { register } = words;
    if (register === '' || register.length > LONGEST_NAME) throw new Error(`a register '${register}'`);
    const meaning = words.says?.(size < 4 ? value % 2 ** (8 * size) : value) ?? '';
    if (typeof meaning !== 'string' || /undefined|NaN|\n/.test(meaning))
      throw new Error(`${register} says '${meaning}'`);
  }

  #access(chosen: number, write: boolean, random: () => number): number {
    const { device } = this;
    const { ports = [], memory = [] } = device;
    const port = ports[chosen];
    if (port !== undefined) {
      const size = sizeUpTo(port.width ?? 4, random) as AccessSize;
      const address = port.first + (random() % port.count);
      const value = random();
      this.#describe('port', address, size, write, value);
      if (!write) return checked(device.readPort?.(address, size), size, device.name);
      device.writePort?.(address, size, value % 2 ** (8 * size));
      return 0;
    }
    const msrs = device.msrs?.[chosen - ports.length - memory.length];
    if (msrs !== undefined) {
      const msr = msrs.first + (random() % msrs.count);
      const value = random() % 2 ? BigInt(random()) : BigInt.asUintN(64, BigInt(random()) * 0x1_8000_0001n);
      if (!write) return Number(BigInt.asIntN(32, device.readMsr?.(msr) ?? -1n));
      return device.writeMsr?.(msr, value) ? 1 : 2;
    }
    const range = memory[chosen - ports.length]!;
    const size = sizeUpTo(range.width ?? 4, random);
    const address = range.address + (random() % range.size);
    const value = random();
    this.#describe('memory', address, size, write, value);
    if (size === 8) {
      if (!write) return Number(BigInt.asIntN(32, device.readMemory64?.(address) ?? 0n));
      device.writeMemory64?.(address, (BigInt(value) << 32n) | BigInt(random()));
      return 0;
    }
    if (!write) return checked(device.readMemory?.(address, size as AccessSize), size, device.name);
    device.writeMemory?.(address, size as AccessSize, value % 2 ** (8 * size));
    return 0;
  }
}

/** A register's name is a short phrase. */
const LONGEST_NAME = 80;

function sizeUpTo(width: number, random: () => number): number {
  return 1 << (random() % (Math.log2(width) + 1));
}

function checked(value: number | undefined, size: number, name: string): number {
  if (value === undefined) return -1;
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
    throw new Error(`${name} gave ${value} for a read of ${size} bytes`);
  }
  return value;
}

/**
 * Does `steps` random actions on a device. Throws where the device throws, returns a number that the access cannot
 * hold, raises a line that does not exist, or has a state that grows.
 */
export function hammer(make: MakeDevice, seed: number, steps: number, most = MAX_STATE): void {
  const rig = new Rig(make);
  const random = randomNumbers(seed);
  for (let i = 0; i < steps; i++) rig.step(random);
  const length = JSON.stringify(rig.device.save?.() ?? null).length;
  if (length > most) throw new Error(`${rig.device.name} has a state of ${length} bytes`);
}

/**
 * Does `before` random actions on a device, moves its state through JSON into a new one, and does the same `after`
 * actions on both. Throws where a guest could distinguish them, or their states differ.
 */
export function compareAfterLoad(make: MakeDevice, seed: number, before: number, after: number): void {
  const first = new Rig(make);
  const random = randomNumbers(seed);
  for (let i = 0; i < before; i++) first.step(random);
  const second = new Rig(make);
  second.clock.moment = first.clock.moment;
  const saved = JSON.stringify(first.device.save?.());
  for (const [i, bytes] of first.lent.entries()) second.lent[i]!.set(bytes);
  second.device.load?.(JSON.parse(saved));
  second.clock.load(first.clock.save());
  second.waiting.push(...first.waiting);
  // A machine restores its lines' levels itself, after its devices.
  for (const [i, line] of second.lines.entries()) line.set(first.lines[i]!.level);
  const requireSame = (when: string) => {
    const [state, stateOfOther] = [first, second].map(({ device }) => JSON.stringify(device.save?.()));
    if (state !== stateOfOther)
      throw new Error(`${first.device.name} has another state ${when} (seed ${seed})`);
  };
  // Some differences in a state show only later.
  requireSame('after load');
  first.outside = 0;
  second.outside = 0;
  const further = random();
  const [one, other] = [randomNumbers(further), randomNumbers(further)];
  for (let i = 0; i < after; i++) {
    const [seen, seenByOther] = [first.step(one), second.step(other)];
    if (seen !== seenByOther || first.outside !== second.outside) {
      throw new Error(`${first.device.name} behaves differently ${i + 1} steps after load (seed ${seed})`);
    }
  }
  requireSame(`${after} steps after load`);
}

/**
 * Does the same random actions on two devices and asks one of them for its words before each access. Throws where a
 * guest could distinguish them, where their states differ, and where the words are invalid.
 */
export function compareDescribed(make: MakeDevice, seed: number, steps: number): void {
  const [silent, asked] = [new Rig(make), new Rig(make)];
  asked.describes = true;
  const [one, other] = [randomNumbers(seed), randomNumbers(seed)];
  for (let i = 0; i < steps; i++) {
    const [seen, seenByOther] = [silent.step(one), asked.step(other)];
    if (seen !== seenByOther || silent.outside !== asked.outside) {
      throw new Error(
        `${asked.device.name} behaves differently once it was asked for words (step ${i}, seed ${seed})`,
      );
    }
  }
  const [state, stateOfOther] = [silent, asked].map(({ device }) => JSON.stringify(device.save?.()));
  if (state !== stateOfOther)
    throw new Error(`${asked.device.name} has another state after it was asked for words`);
}

/** The tests that every device passes: random accesses, and a state that moves to another. Within a `describe`. */
export function testAnyDevice(make: MakeDevice): void {
  const seeds = fc.integer({ min: 1, max: 0xffff_ffff });

  test('takes 100,000 random accesses without a throw, a wrong number or growth, in under two seconds', () => {
    // Of the processor's time: the host's other work does not count.
    const before = process.cpuUsage();
    fc.assert(
      fc.property(seeds, (seed) => hammer(make, seed, 5000)),
      { numRuns: 20 },
    );
    const { user, system } = process.cpuUsage(before);
    if (user + system >= 2_000_000) throw new Error(`took ${(user + system) / 1000} ms`);
  });

  test('continues as before in a fresh device that took its state', () => {
    fc.assert(fc.property(seeds, fc.nat(2000), (seed, before) => compareAfterLoad(make, seed, before, 500)));
  });
}
