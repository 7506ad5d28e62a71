import type { AccessSize, AccessWords, Device, DeviceHost, PortRange } from '../contract/index.js';
import { Stateless } from '../state.js';
import { words } from '../words.js';

/** The port where guests made for QEMU's `isa-debug-exit` expect it most often. */
export const DEBUG_EXIT_PORT = 0xf4;

const described = words('exit code', (value) => String(value & 0xff));

/**
 * Ends the run with the guest's own exit code: the low byte of a write to port 0xF4, with an access of 1, 2 or 4 bytes.
 * QEMU's `isa-debug-exit` makes `(value << 1) | 1` of it, so that its exit status is never 0 and never even; here a
 * guest writes 0 for success.
 */
export class DebugExit extends Stateless implements Device {
  readonly name = 'debug-exit';
  readonly ports: readonly PortRange[] = [{ first: DEBUG_EXIT_PORT, count: 1, width: 4 }];
  #host: DeviceHost | undefined;

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#host?.exit(value & 0xff);
  }

  describeAccess(): AccessWords {
    return described;
  }
}
