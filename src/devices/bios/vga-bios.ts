/**
 * INT 10h for foreign firmware: a ROM at C0000 as on a graphics card, whose calls are served like those of the BIOS.
 * The firmware finds it in memory, or as one of QEMU's files, and starts it.
 *
 * @module
 */
import type { Access, AccessSize, AccessWords, Device, DeviceHost, PortRange } from '../contract/index.js';
import { Stateless } from '../state.js';
import { BIOS_PORT } from './bios.js';
import { Calls } from './calls.js';
import { textOf } from './characters.js';
import { BiosDrives } from './drives.js';
import { Guest } from './guest.js';
import type { Pc } from './pc.js';
import { VGA_ROM_SEGMENT } from './rom/vga-rom.js';
import { SERVICE_VGA_POST } from './services/index.js';

export interface VgaBiosOptions {
  /** Bytes of RAM from address 0. */
  memory: number;
  /** What programs write to the screen goes there, too, as UTF-8. */
  print?: (text: string) => void;
}

/** See the module's comment. Its state is the guest's memory. */
export class VgaBios extends Stateless implements Device {
  readonly name = 'vga-bios';
  readonly ports: readonly PortRange[] = [{ first: BIOS_PORT, count: 1, width: 4 }];
  readonly #options: VgaBiosOptions;
  readonly #calls = new Calls(() => {}, [0x10, SERVICE_VGA_POST]);
  #pc: Pc | undefined;
  #host: DeviceHost | undefined;

  constructor(options: VgaBiosOptions) {
    super();
    this.#options = options;
  }

  attach(host: DeviceHost): void {
    const { bus } = host;
    if (bus === undefined) return;
    this.#host = host;
    const { memory: ram, print = () => {} } = this.#options;
    this.#pc = {
      guest: new Guest(host.memory, bus),
      bus,
      clock: host.clock,
      drives: new BiosDrives(undefined),
      order: undefined,
      ram,
      map: [],
      typedAhead: [],
      videoRom: VGA_ROM_SEGMENT,
      print: (character) => print(textOf(character)),
      stop: (reason) => host.stop(reason),
      reset: (how) => host.reset(how),
      powerOff: (how) => host.stop(`the guest switched the machine off (${how})`),
    };
  }

  readPort(): number {
    return 0xb1;
  }

  writePort(_port: number, size: AccessSize, value: number): void {
    if (this.#pc === undefined || size !== 4) return;
    this.#calls.serve(this.#host!.memory, value, this.#pc);
  }

  describeAccess({ write }: Access): AccessWords | undefined {
    return write ? this.#calls.describe() : undefined;
  }
}
