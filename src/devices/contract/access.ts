/** One access as the bus passes it to a device: one element of string I/O, no wider than the device supports. */
export interface Access {
  readonly space: 'port' | 'memory';
  /** The port or the guest physical address. */
  readonly address: number;
  /** Bytes: 1, 2, 4 or 8. */
  readonly size: number;
  readonly write: boolean;
}

/** A device's name for the register that an access reaches: for traces and debuggers. */
export interface AccessWords {
  /** The register as its manual names it, with the accessed part: `counter 0, low byte`. */
  readonly register: string;
  /**
   * The meaning of a value in it: `transmitter empty`. Empty where the number is enough. Takes up to 4 bytes, unsigned.
   */
  says?(value: number): string;
  /** The access is a call, and `says` describes all of it: the value has no meaning. `register` and `says` are read after it. */
  readonly isCall?: boolean;
}
