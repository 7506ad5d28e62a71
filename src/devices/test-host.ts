/**
 * A machine's side of a device, for tests: what a test does not give does nothing. Not part of the package.
 *
 * @module
 */
import type { Claim, DeviceHost, Line, LineListener, MemoryRange, PortRange } from './contract/index.js';

/** An interrupt line on a bench: it counts its edges and tells each change of its level. */
export class TestLine implements Line {
  level = false;
  edges = 0;
  /** What the device wants to hear of the line. */
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

  /** The controller opens it. */
  unmask(): void {
    this.listener.unmasked?.();
  }
}

/** A claim on a bench, which nothing is in the way of. */
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

/** @param lines the lines that the device may ask for, by interrupt request */
export function testHost(parts: Partial<DeviceHost> = {}, lines: Record<number, TestLine> = {}): DeviceHost {
  return {
    get memory(): never {
      throw new Error('this bench has no guest memory');
    },
    exit() {},
    stop() {},
    reset() {},
    nmi() {},
    now: () => 0,
    sendMessage: () => false,
    claim: (range) => new TestClaim(range),
    line(irq, listener = {}) {
      const line = lines[irq];
      if (line === undefined) throw new Error(`the device asks for interrupt request ${irq}`);
      line.listener = listener;
      return line;
    },
    ...parts,
  };
}
