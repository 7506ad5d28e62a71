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
  /** The access is a call, and `says` describes all of it: the value has no meaning. `register` and `says` are read after it. */
  readonly isCall?: boolean;
}
