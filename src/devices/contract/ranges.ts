/** Bytes in one access. */
export type AccessSize = 1 | 2 | 4;

/** How a range is claimed. */
interface Claiming {
  /**
   * Where ranges overlap the one with the higher priority answers; two of the same priority must not overlap. Default 0. A device
   * whose guest chooses the addresses (a PCI device's BARs) gives each of its claims a priority of its own.
   */
  priority?: number;
  /** Nothing answers until the device moves its claim somewhere: see `DeviceHost.claim`. */
  hidden?: boolean;
}

/** A device's hold on a range of ports or guest physical addresses; see `DeviceHost.claim`. */
export interface Claim {
  /** The first port or address; while it is released, where it was last. */
  readonly address: number;
  /** Ports or bytes. */
  readonly size: number;
  /** False while it is released or hidden, and nothing answers for it. */
  readonly isHeld: boolean;
  /**
   * Answers at `address` from the guest's next access on, also after `release`. What an engine maps of the range follows.
   * @throws ConfigError, and nothing changes, where a claim of the same priority is in the way.
   */
  move(address: number): void;
  /** Gives the addresses up, until `move`. */
  release(): void;
}

/** A run of I/O ports. */
export interface PortRange extends Claiming {
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

/** A run of guest physical addresses that this device answers. RAM answers before any device. */
export interface MemoryRange extends Claiming {
  address: number;
  size: number;
  /** As in `PortRange`; 8 where the device has `readMemory64` and `writeMemory64`. Default 4. */
  width?: AccessSize | 8;
  coalesce?: boolean;
  /**
   * `ram`: the guest reads here without leaving, at the speed of memory. The machine maps whole pages read-only, the
   * device keeps in them what the guest shall see (`host.windows.bytes(range)`, from `attach` on), and only writes come to
   * `writeMemory`. A write changes nothing by itself: that is the device's to do. While RAM or a claim of a higher priority covers
   * a part of the range, reads of the rest leave the guest and give the same bytes.
   */
  backing?: 'ram';
  /** With `backing`: ordinary RAM makes way for it. For a ROM. */
  overRam?: boolean;
  /**
   * Bytes of memory, whole pages, that the device keeps and shows its guest somewhere in this range when it likes
   * (`DeviceHost.windows`): what is shown is RAM to the guest, the rest of the range goes to the device. Ordinary RAM makes
   * way for the whole range.
   */
  window?: number;
}
