/**
 * A PC with the BIOS on the software CPU, whose services are called as its ROM's entries call them: with a frame on a stack and
 * the trap port. The devices, the bus and memory are the machine's own.
 */

import type { MachineSpec } from '../../../src/config/index.js';
import { FRAME_SIZE, Frame } from '../../../src/devices/bios/frame.js';
import { BIOS_PORT, Bios, type Drive, Drives, MemoryDisk } from '../../../src/devices/index.js';
import { createMachine } from '../../../src/index.js';
import type { Machine } from '../../../src/machine/index.js';

/** The address of the calls' frames. */
const STACK = 0x9000;
const CODE = 0x7c00;

/** Registers of a call by their names; a missing one is 0. */
export type Registers = Partial<
  Pick<Frame, 'ax' | 'bx' | 'cx' | 'dx' | 'si' | 'di' | 'bp' | 'es' | 'eax' | 'ebx' | 'ecx' | 'edx'>
> & { ds?: number };

/** A boot sector of the bytes. */
export function bootSector(...code: number[]): Uint8Array {
  const sector = new Uint8Array(512);
  sector.set(code);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

export class BiosBench implements Disposable {
  readonly machine: Machine;
  readonly bios: Bios;
  printed = '';

  /** @param drives beside the boot sector's floppy, which is drive A */
  constructor(drives: readonly Drive[] = [], spec: MachineSpec = {}, image = bootSector(0xf4)) {
    const decoder = new TextDecoder();
    this.machine = createMachine({
      ...spec,
      engine: 'soft',
      image,
      output: (bytes) => {
        this.printed += decoder.decode(bytes);
      },
      drives: new Drives(drives),
    } as Parameters<typeof createMachine>[0]);
    this.bios = this.machine.devices.find((device): device is Bios => device instanceof Bios)!;
  }

  get memory() {
    return this.machine.memory;
  }

  /** Calls an interrupt; returns the frame as the caller finds it. */
  call(vector: number, registers: Registers = {}): Frame {
    const frame = this.frame(vector, registers);
    this.bios.writePort(BIOS_PORT, 4, STACK);
    return frame;
  }

  frame(vector: number, { ds = 0, ...registers }: Registers): Frame {
    this.memory.writeBytes(STACK, new Uint8Array(FRAME_SIZE));
    this.memory.write16(STACK + 4, ds);
    this.memory.write16(STACK + 38, vector);
    this.memory.write16(STACK + 40, CODE);
    this.memory.write16(STACK + 44, 0x202);
    return Object.assign(Frame.at(this.memory, STACK)!, registers);
  }

  /** The call, and its description in a trace. */
  words(vector: number, registers: Registers = {}): string {
    const words = this.bios.describeAccess({ space: 'port', address: BIOS_PORT, size: 4, write: true })!;
    this.call(vector, registers);
    return `${words.register}  ${words.says!(0)}`;
  }

  /** A byte from a port. */
  in(port: number): number {
    const exit = {
      address: port,
      size: 1,
      write: false,
      count: 1,
      offset: 0,
      data: new DataView(new ArrayBuffer(8)),
    };
    this.machine.bus.handlePort(exit as never);
    return exit.data.getUint8(0);
  }

  /** A byte of memory as the guest sees it, in the VGA's planes too. */
  read(address: number): number {
    const exit = {
      address,
      size: 1,
      write: false,
      count: 1,
      offset: 0,
      data: new DataView(new ArrayBuffer(8)),
    };
    if (this.memory.find(address) !== undefined) return this.memory.read8(address);
    this.machine.bus.handleMemory(exit as never);
    return exit.data.getUint8(0);
  }

  /** The rows of the screen as text. */
  get screen(): string[] {
    const { text } = this.machine.screen!;
    if (text === undefined) return [];
    const { cells, columns, rows } = text;
    const row = (at: number) =>
      [...cells.subarray(at * columns, (at + 1) * columns)].map((cell) => cell & 0xff);
    return Array.from({ length: rows }, (_, at) => String.fromCharCode(...row(at)).trimEnd());
  }

  pixel(x: number, y: number): number[] {
    const { width, rgba } = this.machine.screen!;
    return [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
  }

  [Symbol.dispose](): void {
    this.machine[Symbol.dispose]();
  }
}

/** A drive over bytes, which a test may inspect. */
export function drive(name: string, kind: Drive['kind'], bytes: Uint8Array, readOnly = false): Drive {
  return { name, kind, file: `${name}.img`, disk: new MemoryDisk(bytes, { readOnly }) };
}
