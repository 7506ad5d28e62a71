import type { Access, AccessWords } from './access.js';
import type { MsrRange } from './cpu.js';
import type { DeviceHost } from './host.js';
import type { InterruptController } from './interrupts.js';
import type { AccessSize, MemoryRange, PortRange } from './ranges.js';
import type { Screen } from './screen.js';

/**
 * A device. Every method is optional but the ones for the ranges it claims; a read of a range without its read method
 * floats high (all ones), a write without its write method is ignored.
 */
export interface Device {
  /** For traces, statistics and errors. Unique in a machine. */
  readonly name: string;
  readonly ports?: readonly PortRange[];
  readonly memory?: readonly MemoryRange[];
  /** Model-specific registers that this device answers, where the engine leaves the guest for them. */
  readonly msrs?: readonly MsrRange[];
  /** The interrupt controller that this device is; see `InterruptController`. */
  readonly controller?: InterruptController;
  /** A new view of its picture, for a device with one; several views do not disturb each other. */
  screen?(): Screen;
  attach?(host: DeviceHost): void;
  readPort?(port: number, size: AccessSize): number;
  writePort?(port: number, size: AccessSize, value: number): void;
  /**
   * String input at once (REP INS), for devices that have blocks of data: fills `into`, whole elements of `size` bytes, as so many calls
   * of `readPort` would, and gives how many elements those are. The others are read one by one.
   */
  readPorts?(port: number, size: AccessSize, into: Uint8Array): number;
  readMemory?(address: number, size: AccessSize): number;
  writeMemory?(address: number, size: AccessSize, value: number): void;
  readMemory64?(address: number): bigint;
  writeMemory64?(address: number, value: bigint): void;
  /** Undefined where the register is not there now: the guest gets #GP. */
  readMsr?(msr: number): bigint | undefined;
  /** False where the register does not take the value: the guest gets #GP. */
  writeMsr?(msr: number, value: bigint): boolean;
  /**
   * Which register an access is about to reach, in this device's words; asked before the access, since that may change
   * what the next one reaches. Changes nothing, never throws; undefined where there is nothing to say. Give the same object for
   * the same register: what a value says is remembered with it.
   */
  describeAccess?(access: Access): AccessWords | undefined;
  /**
   * Could this device send an NMI or an interrupt message without the guest's doing? A guest that halts where no device could
   * and no line could rise (`LineListener.canRise`) is at its end. Without this method: no.
   */
  canWake?(): boolean;
  /** A hint about a guest that waits or does not end, in a line: a request of the guest that was in vain. Undefined: none. */
  remark?(): string | undefined;
  /**
   * The run is over, and the guest will not continue. A device that looks at its guest's memory now and then looks a last
   * time.
   */
  ended?(): void;
  /** The whole state as plain data that survives JSON and `structuredClone`. */
  save?(): unknown;
  /** Loads a state from `save`; throws a `TerrariumError` on anything else. */
  load?(state: unknown): void;
  /** Releases the device's resources on the host. Called once, when the machine is disposed. */
  dispose?(): void;
}
