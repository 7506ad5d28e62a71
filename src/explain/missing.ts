/**
 * The device that a PC has at ports and addresses where no device answers, and the option that adds it.
 * Sources: Ralf Brown's PORTS.LST; "ATA/ATAPI-6" 9.1; Intel's 82371SB (PIIX3) datasheet; QEMU's docs/specs.
 *
 * @module
 */

/** A device of a PC, as text. */
export interface Missing {
  what: string;
  /** What to do. */
  instead: string;
}

interface Place extends Missing {
  first: number;
  last: number;
}

const place = (first: number, last: number, what: string, instead: string): Place => ({
  first,
  last,
  what,
  instead,
});

const DISK = 'no disk is attached: --disk FILE';
const SECOND = 'nothing is attached to the second channel: --cdrom FILE';
const FLOPPY = 'no floppy drive is attached: --floppy FILE';
const VGA = 'the machine has no screen: --vga, or --screen';
const NO_PCI = 'the machine has no PCI bus: --machine pc';
const BOARD = 'the machine was made without its standard devices';

const ports: readonly Place[] = [
  place(0x20, 0x21, 'the first interrupt controller', `${BOARD}, or with --irqchip none`),
  place(0xa0, 0xa1, 'the second interrupt controller', `${BOARD}, or with --irqchip none`),
  place(0x40, 0x43, 'the timer', `${BOARD}, or with --irqchip none`),
  place(0x60, 0x60, 'the keyboard', BOARD),
  place(0x64, 0x64, 'the keyboard controller', BOARD),
  place(0x70, 0x71, 'the clock', BOARD),
  place(0x1f0, 0x1f6, 'the first ATA channel', DISK),
  place(0x1f7, 0x1f7, 'the first ATA channel’s status', DISK),
  place(0x3f6, 0x3f6, 'the first ATA channel’s control', DISK),
  place(0x170, 0x177, 'the second ATA channel', SECOND),
  place(0x376, 0x376, 'the second ATA channel’s control', SECOND),
  place(0x3f0, 0x3f5, 'the floppy controller', FLOPPY),
  place(0x3f7, 0x3f7, 'the floppy controller', FLOPPY),
  place(0x3b0, 0x3df, 'the VGA', VGA),
  place(0x2f8, 0x2ff, 'the second serial port', 'the first one, at 0x3f8, is the console'),
  place(0x3e8, 0x3ef, 'the third serial port', 'the first one, at 0x3f8, is the console'),
  place(0x2e8, 0x2ef, 'the fourth serial port', 'the first one, at 0x3f8, is the console'),
  place(0x3f8, 0x3ff, 'the first serial port', BOARD),
  place(0x378, 0x37a, 'the parallel port', 'there is no printer: print to port 0xe9, or to the serial port'),
  // The bytes between them belong to mechanism 2: a PC with PCI does not answer there either.
  place(0xcf8, 0xcf8, 'PCI', NO_PCI),
  place(0xcfc, 0xcff, 'PCI', NO_PCI),
  place(0x200, 0x207, 'a joystick', 'there is none: keys are at port 0x60'),
  place(0x220, 0x22f, 'a Sound Blaster', 'there is no sound card'),
  place(0x388, 0x38b, 'an AdLib', 'there is no sound card; the speaker is at ports 0x42 and 0x61'),
  place(0x300, 0x31f, 'an NE2000 network card', 'a network card is --net user,model=e1000'),
  place(0x510, 0x511, 'QEMU’s fw_cfg', 'the machine has none: --machine pc, or --fw-cfg NAME=FILE'),
  place(0x608, 0x60b, 'the ACPI PM timer', 'the machine has none: --machine pc'),
  place(0x604, 0x605, 'QEMU’s power-off', 'to end a guest, execute CLI and HLT'),
  place(0xb004, 0xb005, 'Bochs’ power-off', 'to end a guest, execute CLI and HLT'),
  place(0x8900, 0x8900, 'Bochs’ shutdown', 'to end a guest, execute CLI and HLT'),
];

const MIB = 2 ** 20;
const memory: readonly Place[] = [
  place(0xa_0000, 0xb_ffff, 'a screen’s memory', VGA),
  place(0xfec0_0000, 0xfec0_0fff, 'the I/O APIC', 'the machine has none: --machine pc'),
  place(0xfed0_0000, 0xfed0_03ff, 'the HPET', 'the machine has none; the timer is at ports 0x40 to 0x43'),
  place(0xfee0_0000, 0xfeef_ffff, 'the local APIC', 'the machine has none: --machine pc'),
  place(0xfd00_0000, 0xfd00_0000 + 16 * MIB - 1, 'a linear frame buffer', VGA),
];

/** The device of a PC at a port or an address; undefined where it has none. */
export function missingAt(space: 'port' | 'memory', address: number): Missing | undefined {
  const places = space === 'port' ? ports : memory;
  return places.find(({ first, last }) => address >= first && address <= last);
}
