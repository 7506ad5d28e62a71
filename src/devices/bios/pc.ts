import type { Clock } from '../../time/index.js';
import type { SystemBus } from '../contract/index.js';
import type { BiosDrives } from './drives.js';
import type { Frame } from './frame.js';
import type { Guest } from './guest.js';

/** A range of the memory map (ACPI 6.5, 15.2). */
export interface MemoryMapEntry {
  readonly address: number;
  readonly size: number;
  /** 1 RAM, 2 reserved. */
  readonly type: number;
}

/** Everything that the services use: the guest's memory, the other devices by their ports, the disks. */
export interface Pc {
  readonly guest: Guest;
  readonly bus: SystemBus;
  readonly clock: Clock;
  readonly drives: BiosDrives;
  /** The order in which drives are tried: `a,c,d`. */
  readonly order: string | undefined;
  /** Bytes of RAM from address 0. */
  readonly ram: number;
  /** The ranges that INT 15h AX=E820h lists. */
  readonly map: readonly MemoryMapEntry[];
  /** Keys that came while the keyboard buffer was full: see `typeKey`. */
  readonly typedAhead: number[];
  /** The segment of the ROM with the fonts. */
  readonly videoRom: number;
  /** Sends a text also to the machine's console: a program's text on a screen that may not be visible. */
  print(character: number): void;
  /** Ends the run, with a reason as text. */
  stop(reason: string): void;
  /** Resets the machine. */
  reset(how: string): void;
  /** Ends the run as a machine that switches itself off. */
  powerOff(how: string): void;
}

/** A function of a service, which AH or AX chooses. */
export interface BiosFunction {
  /** One line for traces, from the frame before the call: `read 18 sectors, drive A, C0 H0 S1 → 0000:7e00`. */
  readonly says: string | ((frame: Frame, pc: Pc) => string);
  run(frame: Frame, pc: Pc): void;
  /** The result, from the frame after the call; empty where there is none. Default: `ok`, or the error by CF. */
  readonly gives?: (frame: Frame, pc: Pc) => string;
}

/** An interrupt's functions. */
export interface BiosService {
  /** `int 13h`. */
  readonly name: string;
  /** By AH; where a service has no numbers, under 0. */
  readonly functions: Readonly<Record<number, BiosFunction>>;
  /** The function's number. Default: AH. */
  readonly number?: (frame: Frame) => number;
  /** Called for an unknown number. Default: nothing. */
  readonly unknown?: (frame: Frame, pc: Pc) => void;
}
