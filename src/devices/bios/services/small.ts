/** INT 05h, 11h, 12h, 14h, 17h: services with one to four functions. */
import { Data } from '../data-area.js';
import type { Frame } from '../frame.js';
import type { BiosFunction, BiosService, Pc } from '../pc.js';
import { hex } from '../words.js';
import { VideoScreen } from './video/screen.js';

/** A service with one function, for any AH. */
const only = (name: string, fn: BiosFunction): BiosService => ({
  name,
  number: () => 0,
  functions: { 0: fn },
});

export const equipment = only('int 11h', {
  says: 'which equipment?',
  gives: ({ ax }) => hex(ax, 4),
  run(frame, { guest }) {
    frame.ax = guest.read16(Data.equipment);
  },
});

export const conventionalMemory = only('int 12h', {
  says: 'how much memory below 640 KiB?',
  gives: ({ ax }) => `${ax} KiB`,
  run(frame, { guest }) {
    frame.ax = guest.read16(Data.memoryKib);
  },
});

const PrintScreen = { done: 0, failed: 0xff } as const;

/** The rows of a text screen, each after CR and LF, to the first printer. */
export const printScreen = only('int 05h', {
  says: 'print the screen',
  gives: (_, { guest }) =>
    guest.read8(Data.printScreen) === PrintScreen.done ? 'ok' : 'there is no printer',
  run(_, pc) {
    const port = pc.guest.read16(Data.parallelPorts);
    const screen = new VideoScreen(pc);
    pc.guest.write8(Data.printScreen, port === 0 ? PrintScreen.failed : PrintScreen.done);
    if (port === 0) return;
    const print = (character: number) => printCharacter(pc, port, character);
    for (let row = 0; row < screen.rows; row++) {
      print(0x0d);
      print(0x0a);
      for (let column = 0; column < screen.columns; column++)
        print(screen.read(screen.page, row, column).character || 0x20);
    }
    print(0x0d);
    print(0x0a);
  },
});

/** Divisors of INT 14h AH=00h's rates: 110 to 9,600 baud. */
const DIVISORS = [1047, 768, 384, 192, 96, 48, 24, 12];
/** AH of a port that does not answer or does not exist. */
const TIMEOUT = 0x80;

function serialPort({ dx }: Frame, { guest }: Pc): number {
  return dx < 4 ? guest.read16(Data.serialPorts + 2 * dx) : 0;
}

function serialStatus(frame: Frame, pc: Pc, port: number): void {
  frame.ah = pc.bus.in(port + 5, 1);
  frame.al = pc.bus.in(port + 6, 1);
}

function onSerial(says: string, run: (frame: Frame, pc: Pc, port: number) => void): BiosFunction {
  return {
    says: ({ dx, al }) => `${says.replace('%', hex(al))}, COM${dx + 1}`,
    gives: ({ ah, waits }) => (waits ? 'not yet' : ah & TIMEOUT ? 'no answer' : 'ok'),
    run(frame, pc) {
      const port = serialPort(frame, pc);
      if (port === 0) frame.ah = TIMEOUT;
      else run(frame, pc, port);
    },
  };
}

export const serial: BiosService = {
  name: 'int 14h',
  functions: {
    0: onSerial('set up by %', (frame, pc, port) => {
      const { al } = frame;
      const divisor = DIVISORS[al >> 5]!;
      pc.bus.out(port + 3, 1, 0x80);
      pc.bus.out(port, 1, divisor & 0xff);
      pc.bus.out(port + 1, 1, divisor >> 8);
      pc.bus.out(port + 3, 1, al & 0x1f);
      pc.bus.out(port + 1, 1, 0);
      serialStatus(frame, pc, port);
    }),
    1: onSerial('send %', (frame, pc, port) => {
      pc.bus.out(port + 4, 1, 3);
      pc.bus.out(port, 1, frame.al);
      frame.ah = pc.bus.in(port + 5, 1) & 0x7f;
    }),
    2: onSerial('receive', (frame, pc, port) => {
      pc.bus.out(port + 4, 1, 3);
      if (pc.bus.in(port + 5, 1) & 1) {
        frame.al = pc.bus.in(port, 1);
        frame.ah = pc.bus.in(port + 5, 1) & 0x1e;
      } else if (frame.step >= SERIAL_TRIES) frame.ah = TIMEOUT;
      else frame.wait(frame.step + 1);
    }),
    3: onSerial('how is the line?', serialStatus),
  },
};

/** How many timer ticks a call waits for a character: a second. */
const SERIAL_TRIES = 18;

const noPrinter = (says: string): BiosFunction => ({
  says: ({ dx }) => `${says}, LPT${dx + 1}`,
  gives: ({ ah }) => (ah & 1 ? 'there is none' : 'ok'),
  run: printerCall,
});

/** A character, and its strobe. */
function printCharacter({ bus }: Pc, port: number, character: number): void {
  bus.out(port, 1, character);
  bus.out(port + 2, 1, 0x0d);
  bus.out(port + 2, 1, 0x0c);
}

/** The parallel port's registers, where the data area has one: data, status, control. */
function printerCall(frame: Frame, pc: Pc): void {
  const port = frame.dx < 3 ? pc.guest.read16(Data.parallelPorts + 2 * frame.dx) : 0;
  const call = frame.ah;
  if (port === 0) {
    frame.ah = 1;
    return;
  }
  const { bus } = pc;
  if (call === 0) printCharacter(pc, port, frame.al);
  else if (call === 1) {
    bus.out(port + 2, 1, 0x08);
    bus.out(port + 2, 1, 0x0c);
  }
  frame.ah = (bus.in(port + 1, 1) ^ 0x48) & 0xf8;
}

export const printer: BiosService = {
  name: 'int 17h',
  functions: {
    0: noPrinter('print a character'),
    1: noPrinter('start the printer'),
    2: noPrinter('how is the printer?'),
  },
};
