import type { Access, AccessWords } from './access.js';
import type { MsrRange } from './cpu.js';
import type { DeviceHost } from './host.js';
import type { InterruptController } from './interrupts.js';
import type { AccessSize, MemoryRange, PortRange } from './ranges.js';
import type { Screen } from './screen.js';

/**
 * A device. Every method is optional except those for the ranges that it claims; without the read method a read returns
 * all ones (the bus floats), without the write method a write is ignored.
 */
export interface Device {
  /** For traces, statistics and errors. Unique in a machine. */
  readonly name: string;
  readonly ports?: readonly PortRange[];
  readonly memory?: readonly MemoryRange[];
  /** Model-specific registers that this device answers, where their accesses are exits. */
  readonly msrs?: readonly MsrRange[];
  /** The interrupt controller that this device is; see `InterruptController`. */
  readonly controller?: InterruptController;
  /** A new view of its picture, for a device with one; several views do not disturb each other. */
  screen?(): Screen;
  attach?(host: DeviceHost): void;
  readPort?(port: number, size: AccessSize): number;
  writePort?(port: number, size: AccessSize, value: number): void;
  /**
   * String input at once (REP INS), for devices that have blocks of data: fills `into` with whole elements of `size`
   * bytes, as calls of `readPort` would, and returns their number. The other elements are read one by one.
   */
  readPorts?(port: number, size: AccessSize, into: Uint8Array): number;
  readMemory?(address: number, size: AccessSize): number;
  writeMemory?(address: number, size: AccessSize, value: number): void;
  readMemory64?(address: number): bigint;
  writeMemory64?(address: number, value: bigint): void;
  /** Undefined where the register does not exist now: the guest gets #GP. */
  readMsr?(msr: number): bigint | undefined;
  /** False where the register does not accept the value: the guest gets #GP. */
  writeMsr?(msr: number, value: bigint): boolean;
  /**
   * Which register an access is about to reach, in this device's words; asked before the access, since that may change
   * what the next one reaches. Changes nothing, never throws; undefined where it has no words. Return the same object
   * for the same register: meanings of values are cached with it.
   */
  describeAccess?(access: Access): AccessWords | undefined;
  /**
   * Could this device send an NMI or an interrupt message without an action of the guest? A guest that halts where no
   * device can and no line can rise (`LineListener.canRise`) is at its end. Without this method: no.
   */
  canWake?(): boolean;
  /**
   * One line that explains a guest that waits or does not end: a request of the guest that had no effect. Undefined:
   * none.
   * @param isOver the guest has ended by itself: then only what was lost is worth a line
   */
  remark?(isOver: boolean): string | undefined;
  /**
   * The run is over, and the guest will not continue. A device that polls its guest's memory polls it a last time.
   */
  ended?(): void;
  /** The whole state as plain data that survives JSON and `structuredClone`. */
  save?(): unknown;
  /** Loads a state from `save`; throws a `TerrariumError` on anything else. */
  load?(state: unknown): void;
  /** Releases the device's resources on the host. Called once, when the machine is disposed. */
  dispose?(): void;
}
