/** A machine for the tests of the APICs. @module */
import assert from 'node:assert/strict';
import type { DeviceHost } from '../contract/index.js';
import { IoApic, LocalApics } from '../index.js';
import { TestClock, testHost } from '../test-host.js';

export const PAGE = 0xfee0_0000;
export const IO = 0xfec0_0000;

/** A local APIC and an I/O APIC with the signals that they send. */
export class Bench {
  readonly clock = new TestClock();
  readonly apics = new LocalApics();
  readonly io = new IoApic(this.apics);
  readonly cpu = {
    ...{ taskPriority: 0, init() {}, startUp() {} },
    nmi: () => this.heard.push('nmi'),
    stamps: { now: () => BigInt(this.clock.moment), momentOf: Number },
  };
  readonly heard: string[] = [];

  constructor() {
    const parts: Partial<DeviceHost> = {
      clock: this.clock,
      cpus: [this.cpu],
      reset: (how) => this.heard.push(how),
    };
    this.apics.attach(testHost(parts));
    this.io.watch({
      acknowledged: (pin) => this.heard.push(`taken ${pin}`),
      unmasked: (pin) => this.heard.push(`unmasked ${pin}`),
    });
  }

  read = (offset: number) => this.apics.readMemory(PAGE + offset, 4);
  write = (offset: number, value: number) => this.apics.writeMemory(PAGE + offset, 4, value);

  /** A redirection entry. */
  redirect(pin: number, low: number, high = 0): void {
    for (const [half, value] of [high, low].entries()) {
      this.io.writeMemory(IO, 4, 0x10 + 2 * pin + (1 - half));
      this.io.writeMemory(IO + 0x10, 4, value);
    }
  }

  entry(pin: number): number {
    this.io.writeMemory(IO, 4, 0x10 + 2 * pin);
    return this.io.readMemory(IO + 0x10, 4);
  }

  enable(): this {
    this.write(0xf0, 0x1ff);
    return this;
  }

  take(): number {
    assert.ok(this.apics.pending(0), 'nothing is pending');
    return this.apics.acknowledge(0);
  }
}
