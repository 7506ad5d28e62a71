import type { EngineCpu } from '../engine/contract/index.js';

/** The value that a callback returns to end the run; also `Launcher.stop`. */
export const stop: unique symbol = Symbol('terrarium.launcher.stop');
export type Stop = typeof stop;

/** The CPU's interrupt pins: the argument of `tryPushInterrupts` and `tryPushNmi`. */
export type InterruptPins = Pick<
  EngineCpu,
  'readyForInterrupt' | 'interruptsEnabled' | 'injectInterrupt' | 'injectNmi'
>;

/** The callbacks that answer an access of the guest. */
export type AccessName = 'in8' | 'in16' | 'in32' | 'out8' | 'out16' | 'out32' | 'mmioRead' | 'mmioWrite';

/** An access for which there is no callback. One object is reused for all of them: copy what you need. */
export interface UnhandledAccess {
  /** The callback that is missing. */
  readonly callback: AccessName;
  /** The port, or the guest physical address. */
  readonly address: number;
  /** Bytes: 1, 2 or 4 for a port, 1 to 8 for memory. */
  readonly length: number;
  /** The value that the guest writes: a bigint where 8 bytes do not fit into a number. Undefined for a read. */
  readonly value: number | bigint | undefined;
}

/**
 * A launcher's callbacks: LibKVM's `struct kvm_callbacks` in TypeScript. All are optional.
 *
 * A callback ends the run by returning `Launcher.stop`; with any other value, or none, the guest continues. The current exit is
 * finished first: the other elements of a string operation still come. `run` throws the error of a callback.
 */
export interface LauncherCallbacks {
  /**
   * IN: returns the value, of which bits above the size are dropped; undefined reads as all ones. REP INS calls it once per
   * element.
   */
  in8?(port: number): number | Stop | undefined;
  in16?(port: number): number | Stop | undefined;
  in32?(port: number): number | Stop | undefined;
  /** OUT: receives the value. REP OUTS calls it once per element. */
  out8?(port: number, value: number): unknown;
  out16?(port: number, value: number): unknown;
  out32?(port: number, value: number): unknown;
  /**
   * A read of `length` bytes (1 to 8) where there is no memory. A number or bigint is little-endian; an array gives the bytes
   * themselves; missing bytes, or all bytes for undefined, are 0xff.
   */
  mmioRead?(address: number, length: number): number | bigint | Uint8Array | Stop | undefined;
  /** A write where there is no memory, or to a read-only slot. The bytes belong to the launcher: copy what you keep. */
  mmioWrite?(address: number, bytes: Uint8Array): unknown;
  /** A requested debug event (guest debug). Without this callback it ends the run. */
  debug?(rip: bigint): unknown;
  /**
   * HLT, where no in-kernel interrupt controller handles it. Without this callback it ends the run; with it the guest continues
   * after the HLT, as if an interrupt had come, unless the callback ends the run.
   */
  halt?(): unknown;
  /** A triple fault. It always ends the run; set the CPU's registers and `run` again to reset the guest. */
  shutdown?(): unknown;
  /** The guest can take an interrupt now, as `tryPushInterrupts` had requested. */
  interruptWindow?(): unknown;
  /**
   * Called before each entry into the guest, but not where the interrupt controllers are in the kernel. Inject pending
   * interrupts where `readyForInterrupt`; return true to get an exit (`interruptWindow`) as soon as the guest is ready.
   */
  tryPushInterrupts?(pins: InterruptPins): unknown;
  /** Called before each entry into the guest. */
  tryPushNmi?(pins: InterruptPins): unknown;
  /** Called right before each entry into the guest. */
  preRun?(): unknown;
  /** Called right after the exit, before it is handled. */
  postRun?(): unknown;
  /** The instruction at `rip` read or wrote the local APIC's task priority register: see `LauncherConfig.irqchip`. */
  tprAccess?(rip: bigint, write: boolean): unknown;
  /** An access that none of the above answers. Reads float high (all ones), writes are ignored. */
  unhandled?(access: UnhandledAccess): unknown;
}
