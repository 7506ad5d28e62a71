import type { Access, AccessSize, AccessWords, ByteSink, Device, PortRange } from '../contract/index.js';
import { Stateless } from '../state.js';
import { character, words } from '../words.js';

/** The port of the Bochs and QEMU debug console. */
export const DEBUG_CONSOLE_PORT = 0xe9;

const output = words('console', character);
const presence = words('presence', (value) => (value === DEBUG_CONSOLE_PORT ? 'somebody listens' : ''));

/**
 * The debug console that Bochs (`port_e9_hack`) and QEMU (`-device isa-debugcon`) have: a byte written to port 0xE9 is a
 * byte on the console. A read gives 0xE9, by which a guest detects the device (an empty port reads 0xFF).
 */
export class DebugConsole extends Stateless implements Device {
  readonly name = 'debug-console';
  readonly ports: readonly PortRange[] = [{ first: DEBUG_CONSOLE_PORT, count: 1, width: 1, coalesce: true }];
  readonly #output: ByteSink;
  readonly #byte = new Uint8Array(1);

  constructor(output: ByteSink) {
    super();
    this.#output = output;
  }

  readPort(): number {
    return DEBUG_CONSOLE_PORT;
  }

  writePort(_port: number, _size: AccessSize, value: number): void {
    this.#byte[0] = value;
    this.#output(this.#byte);
  }

  describeAccess({ write }: Access): AccessWords {
    return write ? output : presence;
  }
}
