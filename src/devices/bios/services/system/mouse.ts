/** INT 15h AH=C2h: the PS/2 mouse; INT 74h, its interrupt. */
import { Data, Extended } from '../../data-area.js';
import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, BiosService, Pc } from '../../pc.js';
import { hex } from '../../words.js';

/** AH after a call. */
const Status = { ok: 0, badFunction: 1, badInput: 2, interfaceError: 3, resend: 4, noHandler: 5 } as const;
const statusTexts = [
  'ok',
  'no such function',
  'a bad value',
  'there is no mouse',
  'resend',
  'there is no handler',
];

const Command = {
  scaling1: 0xe6,
  scaling2: 0xe7,
  resolution: 0xe8,
  status: 0xe9,
  identify: 0xf2,
  rate: 0xf3,
  enable: 0xf4,
  disable: 0xf5,
  reset: 0xff,
} as const;
const ACKNOWLEDGED = 0xfa;
const TO_MOUSE = 0xd4;
const READ_CONFIG = 0x20;
const WRITE_CONFIG = 0x60;
const ENABLE_PORT = 0xa8;
/** Bits of the controller's status and of its command byte. */
const FULL = 1;
const FROM_MOUSE = 0x20;
const MOUSE_INTERRUPT = 2;
const KEYBOARD_OFF = 0x10;
const MOUSE_OFF = 0x20;
const HOLD_KEYBOARD = 0xad;
const TO_BUFFER = 0xd2;

/** Bits of the flags in the extended data area. */
const USES_HANDLER = 0x80;
const PACKET_SIZE = 3;
const RATES = [10, 20, 40, 60, 80, 100, 200];

const area = ({ guest }: Pc) => linear(guest.read16(Data.extendedSegment), 0);

/** The next byte of the mouse; -1 where none comes. */
function receive({ bus }: Pc): number {
  const status = bus.in(0x64, 1);
  return (status & (FULL | FROM_MOUSE)) === (FULL | FROM_MOUSE) ? bus.in(0x60, 1) : -1;
}

/** Sends the mouse a byte; true where it acknowledges. */
function send(pc: Pc, byte: number): boolean {
  pc.bus.out(0x64, 1, TO_MOUSE);
  pc.bus.out(0x60, 1, byte);
  return receive(pc) === ACKNOWLEDGED;
}

/** Sends a command and its bytes, while the mouse's interrupt is off: its answers belong to the caller. */
function command(pc: Pc, ...bytes: number[]): boolean {
  return bytes.every((byte) => send(pc, byte));
}

function configure({ bus }: Pc, change: (config: number) => number): void {
  bus.out(0x64, 1, READ_CONFIG);
  const config = bus.in(0x60, 1);
  bus.out(0x64, 1, WRITE_CONFIG);
  bus.out(0x60, 1, change(config));
}

/** A key that is in the controller's buffer stays there; a report of the mouse is lost, as with every command. */
function takeKey({ bus }: Pc): number {
  bus.out(0x64, 1, HOLD_KEYBOARD);
  const status = bus.in(0x64, 1);
  const byte = status & FULL ? bus.in(0x60, 1) : -1;
  return status & FROM_MOUSE ? -1 : byte;
}

function quietly<T>(pc: Pc, act: () => T): T {
  const key = takeKey(pc);
  pc.bus.out(0x64, 1, ENABLE_PORT);
  configure(pc, (config) => config & ~(MOUSE_INTERRUPT | MOUSE_OFF));
  try {
    return act();
  } finally {
    configure(pc, (config) => (config | MOUSE_INTERRUPT) & ~KEYBOARD_OFF);
    if (key >= 0) {
      pc.bus.out(0x64, 1, TO_BUFFER);
      pc.bus.out(0x60, 1, key);
    }
    pc.bus.out(0xa1, 1, pc.bus.in(0xa1, 1) & ~0x10);
  }
}

const told = (done: boolean) => (done ? Status.ok : Status.interfaceError);

function reset(frame: Frame, pc: Pc): number {
  if (!command(pc, Command.reset)) return Status.interfaceError;
  frame.bl = receive(pc) & 0xff;
  frame.bh = receive(pc) & 0xff;
  return Status.ok;
}

function information(frame: Frame, pc: Pc): number {
  if (frame.bh === 1 || frame.bh === 2)
    return told(command(pc, frame.bh === 1 ? Command.scaling1 : Command.scaling2));
  if (frame.bh !== 0) return Status.badInput;
  if (!command(pc, Command.status)) return Status.interfaceError;
  frame.bl = receive(pc) & 0xff;
  frame.cl = receive(pc) & 0xff;
  frame.dl = receive(pc) & 0xff;
  return Status.ok;
}

function setHandler({ es, bx }: Frame, { guest }: Pc, at: number): number {
  guest.write16(at + Extended.mouseHandler, bx);
  guest.write16(at + Extended.mouseHandler + 2, es);
  const flags = guest.read8(at + Extended.mouseFlags);
  const used = es !== 0 || bx !== 0;
  guest.write8(at + Extended.mouseFlags, used ? flags | USES_HANDLER : flags & ~USES_HANDLER);
  return Status.ok;
}

function perform(frame: Frame, pc: Pc): number {
  const { al, bh } = frame;
  const at = area(pc);
  switch (al) {
    case 0:
      if (bh > 1) return Status.badInput;
      if (bh === 1 && !(pc.guest.read8(at + Extended.mouseFlags) & USES_HANDLER)) return Status.noHandler;
      pc.guest.write8(at + Extended.mouseIndex, 0);
      return told(quietly(pc, () => command(pc, bh === 1 ? Command.enable : Command.disable)));
    case 1:
      return quietly(pc, () => reset(frame, pc));
    case 2:
      if (RATES[bh] === undefined) return Status.badInput;
      return told(quietly(pc, () => command(pc, Command.rate, RATES[bh]!)));
    case 3:
      if (bh > 3) return Status.badInput;
      return told(quietly(pc, () => command(pc, Command.resolution, bh)));
    case 4:
      frame.bh = 0;
      return told(quietly(pc, () => command(pc, Command.identify) && receive(pc) >= 0));
    case 5:
      if (bh < 1 || bh > 8) return Status.badInput;
      pc.guest.write8(at + Extended.mouseFlags, (pc.guest.read8(at + Extended.mouseFlags) & ~7) | (bh - 1));
      return quietly(pc, () => reset(frame, pc));
    case 6:
      return quietly(pc, () => information(frame, pc));
    case 7:
      return setHandler(frame, pc, at);
    default:
      return Status.badFunction;
  }
}

const names = [
  'switch it on or off',
  'reset it',
  'set its rate',
  'set its resolution',
  'what kind is it?',
  'set it up',
  'how is it?',
  'set its handler',
];

export const mouse: BiosFunction = {
  says: ({ al }) => `mouse: ${names[al] ?? `function ${hex(al)}`}`,
  gives: ({ ah }) => statusTexts[ah] ?? hex(ah),
  run(frame, pc) {
    const status = perform(frame, pc);
    frame.ah = status;
    frame.carry = status !== Status.ok;
  },
};

/** For the ROM's INT 74h: AH=1 calls the handler ES:DI, with the packet in SI, BX and CX. */
export const mouseInterrupt: BiosService = {
  name: 'int 74h',
  number: () => 0,
  functions: {
    0: {
      says: 'the mouse interrupts',
      gives: ({ ah, es, di }) => (ah === 1 ? `calls ${hex(es, 4)}:${hex(di, 4)}` : ''),
      run(frame, pc) {
        frame.ah = 0;
        const byte = receive(pc);
        if (byte < 0) return;
        const { guest } = pc;
        const at = area(pc);
        const flags = guest.read8(at + Extended.mouseFlags);
        const index = guest.read8(at + Extended.mouseIndex) & 7;
        guest.write8(at + Extended.mousePacket + index, byte);
        if (!(flags & USES_HANDLER)) return;
        if (index + 1 < PACKET_SIZE) {
          guest.write8(at + Extended.mouseIndex, index + 1);
          return;
        }
        guest.write8(at + Extended.mouseIndex, 0);
        frame.si = guest.read8(at + Extended.mousePacket);
        frame.bx = guest.read8(at + Extended.mousePacket + 1);
        frame.cx = guest.read8(at + Extended.mousePacket + 2);
        frame.di = guest.read16(at + Extended.mouseHandler);
        frame.es = guest.read16(at + Extended.mouseHandler + 2);
        frame.ah = 1;
      },
    },
  },
};
