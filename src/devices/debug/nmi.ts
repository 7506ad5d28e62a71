import type { AccessWords, Device, DeviceHost, PortRange } from '../contract/index.js';
import { Stateless } from '../state.js';
import { words } from '../words.js';

/** The port after the debug exit, and like it no port of a real PC's chipset. */
export const DEBUG_NMI_PORT = 0xf5;

const described = words('NMI button');

/**
 * Sends the guest a non-maskable interrupt when it writes any value to port 0xF5: the button that service engineers
 * press on a machine that hangs, but for the guest itself. Real machines send one for memory errors and watchdogs; with
 * this port a handler for those can be tested.
 */
export class DebugNmi extends Stateless implements Device {
  readonly name = 'debug-nmi';
  readonly ports: readonly PortRange[] = [{ first: DEBUG_NMI_PORT, count: 1, width: 4 }];
  #host: DeviceHost | undefined;

  attach(host: DeviceHost): void {
    this.#host = host;
  }

  writePort(): void {
    this.#host?.nmi();
  }

  describeAccess(): AccessWords {
    return described;
  }
}
