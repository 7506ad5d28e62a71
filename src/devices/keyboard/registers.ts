/** The 8042's registers. */

/** The status register (read of port 0x64). */
export const Status = {
  outputFull: 1,
  selfTested: 4,
  command: 8,
  unlocked: 0x10,
  auxFull: 0x20,
  timeout: 0x40,
} as const;
/** The command byte, byte 0 of the controller's RAM. */
export const Config = {
  interrupt: 1,
  auxInterrupt: 2,
  selfTested: 4,
  disabled: 0x10,
  auxDisabled: 0x20,
  translate: 0x40,
} as const;
/** The output port. Bit 0 low resets the processor. */
export const OutputPort = { notReset: 1, a20: 2, outputFull: 0x10, auxFull: 0x20 } as const;

/** As after a BIOS: interrupts on, set 2 translated to set 1, the mouse not enabled yet. */
export const AFTER_BIOS = Config.interrupt | Config.selfTested | Config.auxDisabled | Config.translate;
