/**
 * Names and numbers of VIRTIO 1.3 (OASIS) that all devices share. Section numbers in this folder are those of that document.
 *
 * @module
 */

/** Device status (2.1). */
export const Status = {
  acknowledge: 1,
  driver: 2,
  driverOk: 4,
  featuresOk: 8,
  needsReset: 0x40,
  failed: 0x80,
} as const;

/** Feature bits of no specific device (6). */
export const Feature = {
  indirect: 28,
  eventIndex: 29,
  version1: 32,
  packed: 34,
  inOrder: 35,
  ringReset: 40,
} as const;

/** Device types (5). */
export const Type = {
  net: 1,
  block: 2,
  console: 3,
  entropy: 4,
  balloon: 5,
  input: 18,
  socket: 19,
  fileSystem: 26,
} as const;

/** No message is sent (4.1.5.1.2.1). */
export const NO_VECTOR = 0xffff;

/** The causes of an interrupt: a bit each, in the ISR status (4.1.4.5) and in InterruptStatus (4.2.2). */
export const Interrupt = { queue: 1, config: 2 } as const;
