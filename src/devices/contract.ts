/**
 * What a device is: a plain object with registers. It knows no hypervisor, no Node and no console; what it needs from
 * the machine comes in through `attach`, what it has to say goes out through the sinks its maker gave it.
 *
 * A device runs on its machine's thread and is never called twice at once.
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';

/** Bytes in one access. */
export type AccessSize = 1 | 2 | 4;

/** A run of I/O ports. */
export interface PortRange {
  /** The first port, 0 to 0xffff. */
  first: number;
  count: number;
  /**
   * The widest access the device understands, in bytes; the bus splits wider ones into accesses to the ports that
   * follow, low byte first, as an 8-bit device sees them on a real bus. Default 4.
   */
  width?: AccessSize;
  /**
   * Writes here only add up (a console's bytes), so the engine may keep them back and hand them over later, in order
   * and before any other exit. Saves the exit; the machine bounds the delay.
   */
  coalesce?: boolean;
}

/** A run of guest physical addresses that this device answers. */
export interface MemoryRange {
  address: number;
  size: number;
  /** As in `PortRange`; 8 where the device has `readMemory64` and `writeMemory64`. Default 4. */
  width?: AccessSize | 8;
  coalesce?: boolean;
  /**
   * `ram`: the guest reads here without leaving, at the speed of memory. The machine maps whole pages read-only, the
   * device keeps in them what the guest shall see (`host.memory.view(address, size)`, from `attach` on), and only writes
   * come to `writeMemory`. A write changes nothing by itself: that is the device's to do.
   */
  backing?: 'ram';
  /**
   * Bytes of memory, whole pages, that the device keeps and shows its guest somewhere in this range while it likes
   * (`DeviceHost.windows`): what is shown is RAM to the guest, the rest of the range comes to the device. Ordinary RAM makes
   * way for the whole range.
   */
  window?: number;
}

/** A picture that a device shows. The bytes are the device's own: use them before the next look. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Four bytes a pixel: red, green, blue, 255; rows from the top, without gaps. */
  readonly rgba: Uint8ClampedArray;
  /** All that is different from the look before; undefined where nothing is. */
  readonly changed: PictureArea | undefined;
  /** What the picture says, where it shows characters. */
  readonly text?: TextPicture;
}

/** A rectangle of pixels. */
export interface PictureArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The characters of a text mode. */
export interface TextPicture {
  readonly columns: number;
  readonly rows: number;
  /** Row by row: the character in code page 437, and its foreground and background in `palette` from bits 8 and 12 on. */
  readonly cells: Uint16Array;
  /** Sixteen colours, as `rgba` has them. */
  readonly palette: Uint8ClampedArray;
  /** The number of the cell with the cursor, -1 where none is seen. */
  readonly cursor: number;
}

/** Looks at what a device shows. */
export interface Screen {
  /**
   * @param now the moment in milliseconds that things blink by; without it, all that blinks is seen, so that a still
   * picture is always the same
   */
  look(now?: number): Picture;
}

/** The memory behind ranges with a `window`; ranges are known by the very object that the device claims. */
export interface Windows {
  /** All bytes of a range's window, whether the guest sees them or not. */
  bytes(range: MemoryRange): Uint8Array;
  /**
   * Shows the guest the first `size` bytes of a range's window at `address`, in place of what it showed before; 0 hides it.
   * Not from `readMemory` or `writeMemory`: an engine may do the guest's access again.
   */
  show(range: MemoryRange, address: number, size: number): void;
}

/** What a machine lends to its devices. */
export interface DeviceHost {
  /** Guest RAM. Whatever a guest says about addresses is checked by it: an access outside throws. */
  readonly memory: GuestMemory;
  /** Ends the run after this access; the guest's own exit code, 0 to 255. */
  exit(code: number): void;
  /** Ends the run after this access, with a reason for people. */
  stop(reason: string): void;
  /** Resets the machine after this access: that ends the run. `how` says by what register, for people. */
  reset(how: string): void;
  /** Sets the level of interrupt line `irq` (0 to 15 on a PC). Without an interrupt controller nothing happens. */
  setIrq(irq: number, level: boolean): void;
  /** What devices show their guest of memory of their own. Every machine has it. */
  readonly windows?: Windows;
  /** Sends the CPU a non-maskable interrupt. */
  nmi(): void;
  /**
   * The machine's clock in milliseconds, with fractions. It stands still while the machine does not run, so a device that
   * knows no other clock sees no time pass while somebody looks at a stopped guest.
   */
  now(): number;
}

/** What an interrupt controller tells the devices behind its lines; see `InterruptController.watch`. */
export interface LineWatcher {
  /** The CPU has taken the interrupt of line `irq`. */
  acknowledged(irq: number): void;
  /** Line `irq` was masked and is not any more. */
  unmasked(irq: number): void;
}

/** What turns the levels of interrupt lines into vectors for the CPU: on a PC, two 8259A. */
export interface InterruptController {
  setIrq(irq: number, level: boolean): void;
  /** Its INT pin: an interrupt waits for the CPU. */
  readonly pending: boolean;
  /** The CPU takes the interrupt that waits (INTA): its vector, 0 to 255. */
  acknowledge(): number;
  /** True if the CPU would be interrupted were line `irq` to rise now: not masked, nothing more urgent in service. */
  opens(irq: number): boolean;
  /** Why some or all lines do not open: a phrase for people. */
  describe(): string;
  watch(watcher: LineWatcher): void;
}

/** One access as the bus brings it to a device: one element of string I/O, no wider than the device understands. */
export interface Access {
  readonly space: 'port' | 'memory';
  /** The port or the guest physical address. */
  readonly address: number;
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly write: boolean;
}

/** What a device calls the register that an access reaches: for traces and debuggers. */
export interface AccessWords {
  /** The register as its manual names it, with the part of it that is meant: `counter 0, low byte`. */
  readonly register: string;
  /** What a value in it says: `transmitter empty`. Empty where the number says it all. Takes up to 4 bytes, unsigned. */
  says?(value: number): string;
}

/**
 * A device. Every method is optional but the ones for the ranges it claims; a read of a range without its read method
 * floats high (all ones), a write without its write method is ignored.
 */
export interface Device {
  /** For traces, statistics and errors. Unique in a machine. */
  readonly name: string;
  readonly ports?: readonly PortRange[];
  readonly memory?: readonly MemoryRange[];
  /** A new look at what it shows, where it shows something; several looks do not disturb each other. */
  screen?(): Screen;
  attach?(host: DeviceHost): void;
  readPort?(port: number, size: AccessSize): number;
  writePort?(port: number, size: AccessSize, value: number): void;
  readMemory?(address: number, size: AccessSize): number;
  writeMemory?(address: number, size: AccessSize, value: number): void;
  readMemory64?(address: number): bigint;
  writeMemory64?(address: number, value: bigint): void;
  /**
   * Which register an access is about to reach, in this device's words; asked before the access, since that may change
   * what the next one reaches. Changes nothing, never throws; undefined where there is nothing to say. Give the same object for
   * the same register: what a value says is remembered with it.
   */
  describeAccess?(access: Access): AccessWords | undefined;
  /** Looks for input that came in since the last call, so that interrupt lines follow it. Called every few milliseconds. */
  poll?(): void;
  /** The time by the machine's clock at which `poll` has to be called next; Infinity for never. */
  nextEvent?(): number;
  /**
   * Could this device raise a line that the controller opens, or send an NMI, without the guest's doing? A guest that
   * halts where no device could is at its end. Without this method: yes, if the device has `poll` and any line opens.
   */
  canWake?(opens: (irq: number) => boolean): boolean;
  /** The CPU has taken the interrupt of a line, any device's. */
  acknowledged?(irq: number): void;
  /** A line was masked and is not any more. */
  unmasked?(irq: number): void;
  /** The whole state as plain data that survives JSON and `structuredClone`. */
  save?(): unknown;
  /** Takes back what `save` gave; throws a `TerrariumError` on anything else. */
  load?(state: unknown): void;
  /** Gives back what the device holds on the host's side. Called once, when the machine is disposed. */
  dispose?(): void;
}

/** Where a device's output goes. The bytes are the device's own buffer: use them before you return. */
export type ByteSink = (bytes: Uint8Array) => void;

/** Where a device's input comes from. */
export interface ByteSource {
  /** The next byte, or -1 where there is none now. */
  read(): number;
  /** True if `read` would give a byte. */
  readonly available: boolean;
}
