/** A function's configuration space without extensions (PCI 3.0 chapter 6). */
export const CONFIG_SIZE = 256;

/** Offsets of the header (PCI 3.0 figure 6-1). */
export const Config = {
  vendor: 0x00,
  device: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  programming: 0x09,
  subclass: 0x0a,
  class: 0x0b,
  cacheLine: 0x0c,
  latency: 0x0d,
  headerType: 0x0e,
  bars: 0x10,
  subsystemVendor: 0x2c,
  subsystem: 0x2e,
  capabilities: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
} as const;

export const Command = { io: 1, memory: 2, master: 4, interruptDisable: 0x400 } as const;
