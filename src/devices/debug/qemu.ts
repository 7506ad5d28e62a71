import type { Access, AccessSize, AccessWords, Device, DeviceHost, PortRange } from '../contract/index.js';
import { Stateless } from '../state.js';
import { bits, words } from '../words.js';

export const QEMU_EXIT_PORT = 0x501;
export const PANIC_PORT = 0x505;
const Panic = { panicked: 1, crashLoaded: 2 } as const;

const exitWords = words('QEMU debug exit', (value) => `exit code ${((value << 1) | 1) & 0xff}`);
const panicWords = words('pvpanic', bits('panicked', 'crash kernel loaded'));

/** QEMU's `isa-debug-exit` at its default port: a write ends the run with exit code `(value << 1) | 1`. */
export class QemuDebugExit extends Stateless implements Device {
  readonly name = 'qemu-debug-exit';
  readonly ports: readonly PortRange[] = [{ first: QEMU_EXIT_PORT, count: 1 }];
  #host: DeviceHost | undefined;

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#host?.exit(((value << 1) | 1) & 0xff);
  }

  describeAccess(_access: Access): AccessWords {
    return exitWords;
  }
}

/** QEMU's `pvpanic`: a kernel reports that it has given up. */
export class PvPanic extends Stateless implements Device {
  readonly name = 'pvpanic';
  readonly ports: readonly PortRange[] = [{ first: PANIC_PORT, count: 1, width: 1 }];
  #host: DeviceHost | undefined;

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  /** The events that it supports. */
  readPort(): number {
    return Panic.panicked | Panic.crashLoaded;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    if (value & Panic.panicked) this.#host?.panic('pvpanic');
  }

  describeAccess(_access: Access): AccessWords {
    return panicWords;
  }
}
