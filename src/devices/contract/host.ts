import type { GuestMemory } from '../../memory/index.js';
import type { Clock } from '../../time/index.js';
import type { CpuWires } from './cpu.js';
import type { DeviceInputs } from './inputs.js';
import type { Line, LineListener } from './interrupts.js';
import type { AccessSize, Claim, MemoryRange, PortRange } from './ranges.js';

/** The memory of ranges with `window` or `backing`; a range is identified by its object in the device's `memory`. */
export interface Windows {
  /** All bytes of a range's window, or of a range with `backing`, whether the guest sees them or not. */
  bytes(range: MemoryRange): Uint8Array;
  /** As `bytes`, for a device with much memory, which reports its writes: so other pages do not count as written. */
  tracked?(range: MemoryRange): TrackedBytes;
  /**
   * Shows the guest the first `size` bytes of a range's window at `address`, instead of the earlier place; 0 hides it.
   * Not to be called in `readMemory` or `writeMemory`: an engine may repeat the guest's access.
   */
  show(range: MemoryRange, address: number, size: number): void;
}

/** A range's memory, and a call that reports the device's own writes to it. The machine notices the guest's writes itself. */
export interface TrackedBytes {
  readonly bytes: Uint8Array;
  written(at: number, length: number): void;
}

/**
 * The machine's bus as a CPU's accesses reach it, for firmware that is written in TypeScript. Traces do not show these
 * accesses.
 */
export interface SystemBus {
  /** IN: all ones where no device answers. Controllers inside the engine do not answer here. */
  in(port: number, size: AccessSize): number;
  /** OUT. */
  out(port: number, size: AccessSize, value: number): void;
  /** A byte of guest physical memory: RAM, or a device's answer. */
  load(address: number): number;
  /** Stores a byte to RAM or a device; read-only memory ignores it. */
  store(address: number, value: number): void;
}

/** The parts of a machine that its devices use. */
export interface DeviceHost {
  /** Guest RAM. It checks each address: an access outside throws. */
  readonly memory: GuestMemory;
  /** Ends the run after this access; the guest's own exit code, 0 to 255. */
  exit(code: number): void;
  /** Ends the run after this access, with a reason for people. */
  stop(reason: string): void;
  /** Resets the machine after this access: that ends the run. `how` names the register, as text. */
  reset(how: string): void;
  /** Switches the machine off after this access: that ends the run. `how` names the register, as text. */
  powerOff(how: string): void;
  /** The guest reports that it has given up: that ends the run after this access. `how` names the register. */
  panic(how: string): void;
  /**
   * A new line of the device to interrupt request `irq`: 0 to 15 on a PC's ISA bus, 16 to 23 further pins of an I/O
   * APIC. It is low. Without an interrupt controller it is not connected.
   */
  line(irq: number, listener?: LineListener): Line;
  /** Sends an interrupt message (MSI: SDM 3A 11.11). False where no controller takes messages at `address`. */
  sendMessage(address: number, data: number): boolean;
  /**
   * Claims a range, in addition to those in the device's `ports` and `memory`; for an object of these, returns its
   * existing claim. A machine makes the memory of `backing` and `window` at its start: such ranges have to be in
   * `memory`, `hidden` if necessary. Claims may be made, moved and released at any time, but claims of memory not in
   * `readMemory` or `writeMemory`: an engine may repeat the guest's access. @throws ConfigError that names both
   * devices, where it overlaps a claim of the same priority.
   */
  claim(range: PortRange | MemoryRange): Claim;
  /** The devices' own memory that the guest sees. Every machine has it. */
  readonly windows?: Windows;
  /** The machine's processors, as their local APICs see them. */
  readonly cpus: readonly CpuWires[];
  /** The number of the processor whose access is answered now. */
  readonly currentCpu: number;
  /** The other devices, for firmware. Every machine has it. */
  readonly bus?: SystemBus;
  /** Sends the first CPU a non-maskable interrupt. */
  nmi(): void;
  /** The machine's clock, and alarms on it. */
  readonly clock: Clock;
  /** The gate for all inputs from outside of the machine. */
  readonly inputs: DeviceInputs;
}
