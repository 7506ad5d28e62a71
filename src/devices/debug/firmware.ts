import type { Access, AccessSize, AccessWords, ByteSink, Device, PortRange } from '../contract/index.js';
import { registerField, stateFields } from '../state.js';
import { character, hex, words } from '../words.js';

/** POST codes of firmware, and a port that kernels write to for a short delay. */
export const POST_PORT = 0x80;
/** The debug console of SeaBIOS and OVMF on QEMU. */
export const FIRMWARE_CONSOLE_PORT = 0x402;
/** The value of a read of the console: it exists. */
const PRESENT = 0xe9;

/** Ports on which firmware reports its progress: the last POST code is kept, the console's bytes go to a sink. */
export class FirmwarePorts implements Device {
  readonly name = 'firmware-debug';
  readonly ports: readonly PortRange[];
  readonly #output: ByteSink;
  readonly #byte = new Uint8Array(1);
  #code = 0;

  /** @param output default: nowhere, since firmware writes much there */
  constructor(output: ByteSink = () => {}) {
    this.#output = output;
    this.ports = [
      { first: POST_PORT, count: 1, width: 1 },
      { first: FIRMWARE_CONSOLE_PORT, count: 1, width: 1, coalesce: true },
    ];
  }

  /** The last POST code. */
  get code(): number {
    return this.#code;
  }

  readPort(port: number): number {
    return port === POST_PORT ? this.#code : PRESENT;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === POST_PORT) {
      this.#code = value & 0xff;
      return;
    }
    this.#byte[0] = value;
    this.#output(this.#byte);
  }

  describeAccess({ address }: Access): AccessWords {
    return address === POST_PORT ? post : console;
  }

  save(): { code: number } {
    return { code: this.#code };
  }

  load(state: unknown): void {
    const { code } = stateFields(this.name, state, this.save());
    this.#code = registerField(this.name, 'code', code, 0xff);
  }
}

const post = words('POST code', hex);
const console = words('firmware console', character);
