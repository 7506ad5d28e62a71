/**
 * The BIOS data area: the values that programs read below 500h, by guest physical address. Source: Ralf Brown's interrupt list, MEMORY.LST
 * (segment 0040h); IBM PC/AT Technical Reference, BIOS listing.
 *
 * @module
 */
export const Data = {
  serialPorts: 0x400,
  parallelPorts: 0x408,
  extendedSegment: 0x40e,
  equipment: 0x410,
  memoryKib: 0x413,
  shifts: 0x417,
  shiftKeys: 0x418,
  altNumber: 0x419,
  keyHead: 0x41a,
  keyTail: 0x41c,
  keyBuffer: 0x41e,
  floppyCalibrated: 0x43e,
  floppyMotors: 0x43f,
  floppyMotorTime: 0x440,
  floppyStatus: 0x441,
  mode: 0x449,
  columns: 0x44a,
  pageSize: 0x44c,
  pageStart: 0x44e,
  cursors: 0x450,
  cursorShape: 0x460,
  page: 0x462,
  crtc: 0x463,
  modeControl: 0x465,
  palette: 0x466,
  ticks: 0x46c,
  midnights: 0x470,
  broken: 0x471,
  warmStart: 0x472,
  diskStatus: 0x474,
  disks: 0x475,
  parallelTimeouts: 0x478,
  serialTimeouts: 0x47c,
  keyBufferStart: 0x480,
  keyBufferEnd: 0x482,
  rows: 0x484,
  characterHeight: 0x485,
  videoControl: 0x487,
  videoSwitches: 0x488,
  videoFlags: 0x489,
  displayIndex: 0x48a,
  diskInterrupt: 0x48e,
  keyboardState: 0x496,
  keyboardLights: 0x497,
  waitFlag: 0x498,
  waitTime: 0x49c,
  waitActive: 0x4a0,
  videoTables: 0x4a8,
  /** The mode that INT 10h AX=4F03h returns, where QEMU's video BIOS has it. */
  vbeMode: 0x4ba,
  /** The state that INT 10h AX=4F10h set. */
  vbePower: 0x4bc,
  printScreen: 0x500,
} as const;

/** The extended data area: its segment and its layout. */
export const EXTENDED_SEGMENT = 0x9fc0;
export const Extended = {
  /** Its size in KiB. */
  size: 0,
  /** The handler of INT 15h AX=C207h: offset, segment. */
  mouseHandler: 0x22,
  /**
   * The state of the current packet, as on a PS/2: how many bytes have come; their number less one, and whether the
   * handler is used.
   */
  mouseIndex: 0x26,
  mouseFlags: 0x27,
  mousePacket: 0x28,
  /** The parameter tables of hard disks 0 and 1, which INT 41h and 46h point to. */
  diskTables: 0x3d,
  /** Where INT 13h AH=48h puts its device path parameters (EDD 3.0, "DPTE"). */
  diskPath: 0x5d,
} as const;

/** Sizes such as a sector's bytes. */
export const KIB = 1024;
