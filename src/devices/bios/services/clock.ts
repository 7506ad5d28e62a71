/** INT 1Ah: the tick counter and the real-time clock; INT 70h, the clock's interrupt. */
import { Data } from '../data-area.js';
import { linear } from '../guest.js';
import type { BiosFunction, BiosService, Pc } from '../pc.js';
import { hex } from '../words.js';
import { pciFunction } from './pci.js';

/** Registers of the clock (MC146818A). */
const Clock = {
  second: 0,
  secondAlarm: 1,
  minute: 2,
  minuteAlarm: 3,
  hour: 4,
  hourAlarm: 5,
  day: 7,
  month: 8,
  year: 9,
  a: 10,
  b: 11,
  c: 12,
  century: 0x32,
} as const;
const UPDATING = 0x80;
const RegisterB = { set: 0x80, periodic: 0x40, alarm: 0x20, daylight: 1 } as const;
const RegisterC = { periodic: 0x40, alarm: 0x20 } as const;
/** Microseconds between two periodic interrupts, at 1,024 a second. */
const PERIOD = 976;
const ALARM_INTERRUPT = 0x4a;

export function readCmos({ bus }: Pc, index: number): number {
  bus.out(0x70, 1, index);
  return bus.in(0x71, 1);
}

export function writeCmos({ bus }: Pc, index: number, value: number): void {
  bus.out(0x70, 1, index);
  bus.out(0x71, 1, value);
}

/** The clock's interrupts reach the processor. */
function openClock({ bus }: Pc): void {
  bus.out(0xa1, 1, bus.in(0xa1, 1) & 0xfe);
}

const bcd = (value: number) => hex(value).slice(0, 2);

const ticks: BiosFunction = {
  says: 'how many ticks since midnight?',
  gives: ({ cx, dx }) => String(cx * 65_536 + dx),
  run(frame, { guest }) {
    const now = guest.read32(Data.ticks);
    frame.cx = now >>> 16;
    frame.dx = now & 0xffff;
    frame.al = guest.read8(Data.midnights);
    guest.write8(Data.midnights, 0);
  },
};

const setTicks: BiosFunction = {
  says: ({ cx, dx }) => `set the ticks to ${cx * 65_536 + dx}`,
  gives: () => '',
  run({ cx, dx }, { guest }) {
    guest.write32(Data.ticks, ((cx << 16) | dx) >>> 0);
    guest.write8(Data.midnights, 0);
  },
};

/** Functions that fail while the clock updates its registers: programs expect that and try again. */
function onClock(says: string, gives: BiosFunction['gives'], run: BiosFunction['run']): BiosFunction {
  return {
    says,
    gives: (frame, pc) => (frame.carry ? 'the clock does not run' : gives!(frame, pc)),
    run(frame, pc) {
      frame.carry = false;
      run(frame, pc);
    },
  };
}

export const clock: BiosService = {
  name: 'int 1ah',
  functions: {
    0: ticks,
    1: setTicks,
    2: onClock(
      'what time is it?',
      ({ ch, cl, dh }) => `${bcd(ch)}:${bcd(cl)}:${bcd(dh)}`,
      (frame, pc) => {
        if (readCmos(pc, Clock.a) & UPDATING && frame.step === 0) {
          // 244 µs before a new second: the next interrupt comes after it.
          frame.wait(1);
          return;
        }
        frame.ch = readCmos(pc, Clock.hour);
        frame.cl = readCmos(pc, Clock.minute);
        frame.dh = readCmos(pc, Clock.second);
        frame.dl = readCmos(pc, Clock.b) & RegisterB.daylight;
        frame.al = frame.ch;
        frame.ah = 0;
      },
    ),
    3: onClock(
      'set the time',
      () => '',
      ({ ch, cl, dh, dl }, pc) => {
        const b = readCmos(pc, Clock.b);
        writeCmos(pc, Clock.b, b | RegisterB.set);
        writeCmos(pc, Clock.hour, ch);
        writeCmos(pc, Clock.minute, cl);
        writeCmos(pc, Clock.second, dh);
        writeCmos(pc, Clock.b, (b & 0x66) | 2 | (dl & 1));
      },
    ),
    4: onClock(
      'what day is it?',
      ({ ch, cl, dh, dl }) => `${bcd(ch)}${bcd(cl)}-${bcd(dh)}-${bcd(dl)}`,
      (frame, pc) => {
        frame.ch = readCmos(pc, Clock.century) || 0x20;
        frame.cl = readCmos(pc, Clock.year);
        frame.dh = readCmos(pc, Clock.month);
        frame.dl = readCmos(pc, Clock.day);
        frame.al = frame.ch;
        frame.ah = 0;
      },
    ),
    5: onClock(
      'set the day',
      () => '',
      ({ ch, cl, dh, dl }, pc) => {
        const b = readCmos(pc, Clock.b);
        writeCmos(pc, Clock.b, b | RegisterB.set);
        writeCmos(pc, Clock.year, cl);
        writeCmos(pc, Clock.month, dh);
        writeCmos(pc, Clock.day, dl);
        writeCmos(pc, Clock.century, ch);
        writeCmos(pc, Clock.b, b & ~RegisterB.set);
      },
    ),
    6: {
      says: 'set the alarm',
      gives: ({ carry }) => (carry ? 'an alarm is already set' : 'ok'),
      run(frame, pc) {
        const b = readCmos(pc, Clock.b);
        frame.carry = (b & RegisterB.alarm) !== 0;
        if (frame.carry) return;
        writeCmos(pc, Clock.hourAlarm, frame.ch);
        writeCmos(pc, Clock.minuteAlarm, frame.cl);
        writeCmos(pc, Clock.secondAlarm, frame.dh);
        openClock(pc);
        writeCmos(pc, Clock.b, (b & ~RegisterB.set) | RegisterB.alarm);
      },
    },
    7: onClock(
      'cancel the alarm',
      () => '',
      (_, pc) => writeCmos(pc, Clock.b, readCmos(pc, Clock.b) & ~(RegisterB.alarm | RegisterB.set)),
    ),
    177: pciFunction,
  },
  unknown(frame) {
    frame.carry = true;
  },
};

/**
 * The clock interrupts 1,024 times a second until a wait is over: then the byte that a flag's address names gets its
 * bit 7. The remaining time is in the data area.
 */
export function startWait(pc: Pc, flag: { segment: number; offset: number }, microseconds: number): void {
  const { guest } = pc;
  guest.write16(Data.waitFlag, flag.offset);
  guest.write16(Data.waitFlag + 2, flag.segment);
  guest.write32(Data.waitTime, microseconds);
  guest.write8(Data.waitActive, 1);
  openClock(pc);
  writeCmos(pc, Clock.b, readCmos(pc, Clock.b) | RegisterB.periodic);
}

export function endWait(pc: Pc): void {
  pc.guest.write8(Data.waitActive, pc.guest.read8(Data.waitActive) & ~1);
  writeCmos(pc, Clock.b, readCmos(pc, Clock.b) & ~RegisterB.periodic);
}

/** The service for the ROM's INT 70h: it returns in AL the interrupt to call, 0 for none. */
export const clockInterrupt: BiosService = {
  name: 'int 70h',
  number: () => 0,
  functions: {
    0: {
      says: 'the clock interrupts',
      gives: ({ al }) => (al === ALARM_INTERRUPT ? 'the alarm' : ''),
      run(frame, pc) {
        const causes = readCmos(pc, Clock.c) & readCmos(pc, Clock.b);
        frame.al = causes & RegisterC.alarm ? ALARM_INTERRUPT : 0;
        const { guest } = pc;
        if (!(causes & RegisterC.periodic) || !(guest.read8(Data.waitActive) & 1)) return;
        const left = guest.read32(Data.waitTime);
        if (left > PERIOD) {
          guest.write32(Data.waitTime, left - PERIOD);
          return;
        }
        guest.write32(Data.waitTime, 0);
        endWait(pc);
        const at = linear(guest.read16(Data.waitFlag + 2), guest.read16(Data.waitFlag));
        guest.write8(at, guest.read8(at) | 0x80);
      },
    },
  },
};
