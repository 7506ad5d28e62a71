/** INT 15h: the system: memory, A20, waiting, power. */
import { Data } from '../../data-area.js';
import type { Frame } from '../../frame.js';
import type { BiosFunction, BiosService } from '../../pc.js';
import { ROM_SEGMENT } from '../../rom/rom.js';
import { hex } from '../../words.js';
import { endWait, startWait } from '../clock.js';
import { accept, outcome, refuse } from './answers.js';
import { apm } from './apm.js';
import { memoryFunctions } from './memory.js';
import { mouse } from './mouse.js';

const A20_PORT = 0x92;
const A20_BIT = 2;
/** The address in the ROM of the machine's model. */
const CONFIGURATION = 0xe6f5;

const a20: BiosFunction = {
  says: ({ al }) =>
    ['switch A20 off', 'switch A20 on', 'is A20 on?', 'how can A20 be switched?'][al] ?? 'A20',
  gives: outcome,
  run(frame, { bus }) {
    const { al } = frame;
    if (al > 3) {
      refuse(frame);
      return;
    }
    accept(frame);
    const before = bus.in(A20_PORT, 1);
    if (al === 2) frame.al = (before & A20_BIT) >> 1;
    else if (al === 3) frame.bx = 3;
    else bus.out(A20_PORT, 1, al === 1 ? (before | A20_BIT) & ~1 : before & ~(A20_BIT | 1));
  },
};

/** A hook for operating systems; by default it does nothing. */
const hook = (says: string, gives: (frame: Frame) => string, run: (frame: Frame) => void): BiosFunction => ({
  says,
  gives,
  run,
});

const event: BiosFunction = {
  says: ({ al }) => (al === 0 ? 'set a flag after a time' : 'cancel that'),
  gives: outcome,
  run(frame, pc) {
    const { guest } = pc;
    if (frame.al === 1) {
      endWait(pc);
      accept(frame);
    } else if (guest.read8(Data.waitActive) & 1) refuse(frame);
    else {
      startWait(pc, { segment: frame.es, offset: frame.bx }, ((frame.cx << 16) | frame.dx) >>> 0);
      accept(frame);
    }
  },
};

/** The flag of a wait that belongs to the BIOS itself. */
const OWN_FLAG = { segment: 0x40, offset: 0xa0 };

const wait: BiosFunction = {
  says: ({ cx, dx }) => `wait ${cx * 65_536 + dx} µs`,
  gives: (frame) => (frame.waits ? 'not yet' : outcome(frame)),
  run(frame, pc) {
    const { guest } = pc;
    const active = guest.read8(Data.waitActive);
    if (frame.step === 0) {
      if (active & 1) {
        refuse(frame, 0x83);
        return;
      }
      guest.write8(Data.waitActive, 0);
      startWait(pc, OWN_FLAG, ((frame.cx << 16) | frame.dx) >>> 0);
      frame.wait(1);
    } else if (active & 0x80) {
      guest.write8(Data.waitActive, 0);
      accept(frame);
    } else frame.wait(1);
  },
};

const configuration: BiosFunction = {
  says: 'what machine is this?',
  gives: () => 'an AT',
  run(frame) {
    frame.es = ROM_SEGMENT;
    frame.bx = CONFIGURATION;
    accept(frame);
  },
};

const extendedSegment: BiosFunction = {
  says: 'where is the extended data area?',
  gives: ({ es }) => `segment ${hex(es, 4)}`,
  run(frame, { guest }) {
    frame.es = guest.read16(Data.extendedSegment);
    accept(frame);
  },
};

export const system: BiosService = {
  name: 'int 15h',
  functions: {
    36: a20,
    65: {
      says: 'wait for an event',
      gives: outcome,
      run: (frame) => refuse(frame),
    },
    // The keyboard's hook: CF means that the scan code is used.
    79: hook(
      'a scan code passes',
      () => '',
      (frame) => {
        frame.carry = true;
      },
    ),
    82: hook('may the disk be taken out?', outcome, accept),
    83: apm,
    128: hook('a device is opened', outcome, accept),
    129: hook('a device is closed', outcome, accept),
    130: hook('a program ends', outcome, accept),
    131: event,
    133: hook('the SysRq key', outcome, accept),
    134: wait,
    144: hook('a device is waited for', outcome, accept),
    145: hook('a device is ready', outcome, accept),
    192: configuration,
    193: extendedSegment,
    194: mouse,
    ...memoryFunctions,
  },
  unknown: (frame) => refuse(frame),
};
