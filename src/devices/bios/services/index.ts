/**
 * The services of each interrupt: a file for each group, a row for each function.
 *
 * @module
 */

import { loadSystem, USUAL_ORDER } from '../boot.js';
import { Data } from '../data-area.js';
import type { BiosService, Pc } from '../pc.js';
import { powerUp } from '../power-up.js';
import { VGA_ENTRY, VGA_ROM_SEGMENT } from '../rom/vga-rom.js';
import { hex } from '../words.js';
import { clock, clockInterrupt } from './clock.js';
import { disk } from './disk/index.js';
import { keyboard, keyboardInterrupt } from './keyboard/index.js';
import { conventionalMemory, equipment, printer, printScreen, serial } from './small.js';
import { system } from './system/index.js';
import { mouseInterrupt } from './system/mouse.js';
import { video } from './video/index.js';
import { VideoScreen } from './video/screen.js';
import { setMode } from './video/set-mode.js';

/** Numbers that the ROM pushes where no INT calls: see rom/bios.S. */
export const SERVICE_POST = 0x100;
export const SERVICE_UNSERVED = 0x200;
export const SERVICE_VGA_POST = 0x101;

const start: BiosService = {
  name: 'power-up',
  number: () => 0,
  functions: { 0: { says: 'set up the machine', gives: () => '', run: (_, pc) => powerUp(pc, false) } },
};

/** The VGA ROM's work at the start: the vector, the equipment word, a mode. */
const startVga: BiosService = {
  name: 'the VGA’s power-up',
  number: () => 0,
  functions: {
    0: {
      says: 'set up INT 10h and text mode 3',
      gives: () => '',
      run(_, pc) {
        const { guest } = pc;
        guest.write32(0x10 * 4, ((VGA_ROM_SEGMENT << 16) | VGA_ENTRY) >>> 0);
        guest.write16(Data.equipment, (guest.read16(Data.equipment) & ~0x30) | 0x20);
        setMode(pc, 3, true);
      },
    },
  },
};

const boot: BiosService = {
  name: 'int 19h',
  number: () => 0,
  functions: {
    0: {
      says: 'start the system',
      gives: ({ cs, ip, dl }, pc) =>
        cs === 0xf000 ? 'there is none' : `from ${pc.drives.nameOf(dl)} at ${hex(cs, 4)}:${hex(ip, 4)}`,
      run(frame, pc) {
        const found = loadSystem(pc, pc.order ?? USUAL_ORDER);
        if (typeof found === 'string') noSystem(pc, found);
        else {
          frame.dl = found.drive;
          frame.jump(found.segment, found.offset);
        }
      },
    },
  },
};

const noBoot: BiosService = {
  name: 'int 18h',
  number: () => 0,
  functions: {
    0: {
      says: 'there is no system to start',
      gives: () => '',
      run: (_, pc) => noSystem(pc, 'the boot sector found no system (INT 18h)'),
    },
  },
};

/** Reports on the screen that there is nothing to start, and ends the run. */
function noSystem(pc: Pc, why: string): void {
  const screen = new VideoScreen(pc);
  for (const character of `No system to start: ${why}\r\n`) {
    screen.type(screen.page, character.charCodeAt(0));
    pc.print(character.charCodeAt(0));
  }
  pc.stop(`no system to start: ${why}`);
}

const services: Readonly<Record<number, BiosService>> = {
  5: printScreen,
  9: keyboardInterrupt,
  16: video,
  17: equipment,
  18: conventionalMemory,
  19: disk,
  20: serial,
  21: system,
  22: keyboard,
  23: printer,
  24: noBoot,
  25: boot,
  26: clock,
  // The vector to which a hard disk's BIOS moves the floppies' handler.
  64: { ...disk, name: 'int 40h' },
  112: clockInterrupt,
  116: mouseInterrupt,
  [SERVICE_POST]: start,
  [SERVICE_VGA_POST]: startVga,
};

export const serviceOf = (number: number): BiosService | undefined => services[number];
