/** Bytes in one access. */
export type AccessSize = 1 | 2 | 4;

/** How a range is claimed. */
interface Claiming {
  /**
   * Where ranges overlap, the one with the higher priority answers; two of the same priority must not overlap. Default
   * 0. A device whose addresses the guest chooses (a PCI device's BARs) gives each of its claims a different priority.
   */
  priority?: number;
  /** Nothing answers until the device moves its claim to an address: see `DeviceHost.claim`. */
  hidden?: boolean;
}

/** A device's claim to a range of ports or guest physical addresses; see `DeviceHost.claim`. */
export interface Claim {
  /** The first port or address; while it is released, the last one. */
  readonly address: number;
  /** Ports or bytes. */
  readonly size: number;
  /** False while it is released or hidden, and nothing answers for it. */
  readonly isHeld: boolean;
  /**
   * Answers at `address` from the guest's next access on, also after `release`. The engine's mappings of the range
   * follow. @throws ConfigError, and nothing changes, where it would overlap a claim of the same priority.
   */
  move(address: number): void;
  /** Releases the addresses, until `move`. */
  release(): void;
}

/** A range of I/O ports. */
export interface PortRange extends Claiming {
  /** The first port, 0 to 0xffff. */
  first: number;
  count: number;
  /**
   * The widest access that the device supports, in bytes; the bus splits wider ones into accesses to the following
   * ports, low byte first, as an 8-bit device sees them on a real bus. Default 4.
   */
  width?: AccessSize;
  /**
   * Writes here may be delayed (a console's bytes): the engine may collect them and deliver them later, in order and
   * before any other exit. This saves the exits; the machine bounds the delay.
   */
  coalesce?: boolean;
}

/** A range of guest physical addresses that this device answers. RAM answers before any device. */
export interface MemoryRange extends Claiming {
  address: number;
  size: number;
  /** As in `PortRange`; 8 where the device has `readMemory64` and `writeMemory64`. Default 4. */
  width?: AccessSize | 8;
  coalesce?: boolean;
  /**
   * `ram`: the guest reads here without an exit, at the speed of memory. The machine maps whole pages read-only; the
   * device writes the contents for the guest into them (`host.windows.bytes(range)`, from `attach` on), and only the
   * guest's writes come to `writeMemory`. A write changes nothing by itself: the device has to store it. While RAM or a
   * claim of a higher priority covers a part of the range, reads of the rest are exits and return the same bytes.
   */
  backing?: 'ram';
  /** With `backing`: it replaces ordinary RAM there. For a ROM. */
  overRam?: boolean;
  /**
   * Bytes of memory, whole pages, that the device has and may show its guest anywhere in this range
   * (`DeviceHost.windows`): the shown part is RAM to the guest, the rest of the range goes to the device. The whole
   * range replaces ordinary RAM.
   */
  window?: number;
}
