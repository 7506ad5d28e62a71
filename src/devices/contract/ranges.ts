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
