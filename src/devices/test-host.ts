/**
 * A machine's side of a device, for tests: parts that a test does not provide do nothing. Not part of the package.
 *
 * @module
 */
import { AlarmClock, MILLISECOND } from '../time/index.js';
import type {
  Claim,
  DeviceHost,
  DeviceInputs,
  Line,
  LineListener,
  MemoryRange,
  PortRange,
} from './contract/index.js';

/** An interrupt line in a test: it counts its edges and reports each change of its level. */
export class TestLine implements Line {
  level = false;
  edges = 0;
  /** The device's listener on the line. */
  listener: LineListener = {};
  readonly #changed: (level: boolean) => void;

  constructor(changed: (level: boolean) => void = () => {}) {
    this.#changed = changed;
  }

  set(level: boolean): void {
    if (level === this.level) return;
    this.level = level;
    if (level) this.edges++;
    this.#changed(level);
  }

  pulse(): void {
    this.set(false);
    this.set(true);
  }

  /** A CPU takes its interrupt. */
  acknowledge(): void {
    this.listener.acknowledged?.();
  }

  /** The controller unmasks it. */
  unmask(): void {
    this.listener.unmasked?.();
  }
}

/** A claim on a bench, which never conflicts. */
export class TestClaim implements Claim {
  address: number;
  readonly size: number;
  isHeld: boolean;

  constructor(range: PortRange | MemoryRange) {
    [this.address, this.size] = 'first' in range ? [range.first, range.count] : [range.address, range.size];
    this.isHeld = range.hidden !== true;
  }

  move(address: number): void {
    this.address = address;
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
  }
}

/** A clock that its test sets. */
export class TestClock extends AlarmClock {
  /** Nanoseconds. Setting it makes due alarms wait until `ring`, as on a late host. */
  moment = 0;

  constructor() {
    super(() => this.moment);
  }

  get milliseconds(): number {
    return this.moment / MILLISECOND;
  }

  set milliseconds(value: number) {
    this.moment = Math.round(value * MILLISECOND);
  }

  /** Lets time pass up to `moment`: alarms ring meanwhile, each at its own moment. */
  goTo(moment: number): void {
    while (this.next <= moment) {
      this.moment = Math.max(this.moment, this.next);
      this.ring();
    }
    this.moment = Math.max(this.moment, moment);
  }
}

/** A gate for a test: streams come from their sources, random bytes are all 4, and it is 1 January 2000. */
export class TestInputs implements DeviceInputs {
  readonly #looks: (() => void)[] = [];

  stream: DeviceInputs['stream'] = (_, source, arrived) => {
    this.#looks.push(() => source?.available && arrived());
    return {
      open: source !== undefined,
      read() {
        const value = source?.available ? source.read() : undefined;
        return value === -1 ? undefined : value;
      },
    };
  };

  port: DeviceInputs['port'] = (_, receive) => receive;
  ask: DeviceInputs['ask'] = (_, answer) => answer();
  unix = () => BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n;
  random = (bytes: Uint8Array) => void bytes.fill(4);

  /** Delivers the waiting input. */
  look(): void {
    for (const look of this.#looks) look();
  }
}

/** @param lines the lines that the device may request, by interrupt request */
export function testHost(parts: Partial<DeviceHost> = {}, lines: Record<number, TestLine> = {}): DeviceHost {
  return {
    get memory(): never {
      throw new Error('this bench has no guest memory');
    },
    exit() {},
    stop() {},
    reset() {},
    powerOff() {},
    panic() {},
    nmi() {},
    cpus: [{ taskPriority: 0, nmi() {}, init() {}, startUp() {} }],
    currentCpu: 0,
    clock: new TestClock(),
    inputs: new TestInputs(),
    sendMessage: () => false,
    claim: (range) => new TestClaim(range),
    line(irq, listener = {}) {
      const line = lines[irq];
      if (line === undefined) throw new Error(`the device requests a line for interrupt request ${irq}`);
      line.listener = listener;
      return line;
    },
    ...parts,
  };
}
