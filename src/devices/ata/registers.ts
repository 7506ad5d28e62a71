/** The registers of an ATA device (ATA/ATAPI-6 chapter 7), as offsets from the command block's first port. */
export const Register = {
  data: 0,
  /** Written: features. */
  error: 1,
  count: 2,
  low: 3,
  mid: 4,
  high: 5,
  device: 6,
  /** Written: the command. */
  status: 7,
} as const;

export const Status = {
  error: 0x01,
  dataRequest: 0x08,
  /** Seek complete; SERVICE of later ones. */
  seek: 0x10,
  fault: 0x20,
  ready: 0x40,
  busy: 0x80,
} as const;

export const AtaError = { aborted: 0x04, notFound: 0x10, uncorrectable: 0x40, crc: 0x80 } as const;

/** The device control register. */
export const Control = { interruptsOff: 2, reset: 4, highOrder: 0x80 } as const;

export const DeviceBits = { second: 0x10, lba: 0x40, head: 0x0f } as const;

/** A packet device's sector count register (ATA/ATAPI-6 7.8). */
export const Reason = { command: 1, toHost: 2 } as const;
