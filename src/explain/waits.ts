/**
 * Finds what a guest that did not end waits for, by its last exits.
 *
 * @module
 */
import { codeSizeOf, hex, type PhysicalMemory, readLinear } from '../inspect/index.js';
import { disassemble, type Instruction, MAX_LENGTH, type Syntax } from '../isa/index.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { missingAt } from './missing.js';
import { linearRip } from './scene.js';
import { stormText } from './storm.js';

/** A port or address that a guest accessed again and again, as in `Outcome.recent`. */
export interface RecentAccess {
  readonly space: 'port' | 'memory' | 'halt';
  readonly address: number;
  readonly write: boolean;
  readonly device?: string;
  /** The device's name of the register, and the last value in it. */
  readonly register?: string;
  readonly value?: string;
  readonly count: number;
  readonly rip: bigint;
}

/** The facts about the end of such a run. */
export interface Waiting {
  readonly recent?: readonly RecentAccess[];
  readonly registers: { readonly rip: bigint; readonly rflags: bigint };
}

/** What it does, and what to do. */
export interface WaitFinding {
  check: string;
  mistake?: string;
}

/** Fewer exits than these are not a pattern. */
const HABIT = 12;
/** A loop that polls is no longer than this, with the function that it calls: bytes. */
const LOOP = 4096n;
/** A guest that polls reads one address, or two alternately. */
const MOST_PLACES = 2;

/** The events for which existing devices are polled. */
const polled: Readonly<Record<string, (address: number) => WaitFinding | undefined>> = {
  serial: (address) =>
    (address & 7) === 5 || (address & 7) === 0
      ? {
          check: 'the serial port, for a byte',
          mistake: 'Nothing was sent to it: its input is stdin, as in: echo hello | terrarium run …',
        }
      : undefined,
  keyboard: () => ({
    check: 'the keyboard, for a key',
    mistake: "No key was typed: --type 'text\\n' types for you, --screen gives you its keyboard.",
  }),
  cmos: () => ({ check: 'the clock, for its next second' }),
  pit: () => ({ check: 'the timer' }),
  vga: () => ({ check: 'the VGA, for its next picture' }),
};

/** What a guest that is still running polls; undefined where it does something else. */
export function explainPolling({ recent = [], registers }: Waiting): WaitFinding | undefined {
  const reads = recent.filter(({ write, space }) => !write && space !== 'halt');
  const [last] = reads;
  const looks = reads.reduce((sum, { count }) => sum + count, 0);
  if (last === undefined || looks < HABIT || reads.length > MOST_PLACES) return undefined;
  const distance = registers.rip - last.rip;
  // It has continued since: then it does something else now. An index register is written before each read.
  const others = recent.length - reads.length;
  const isLatest = recent[0] === last || (recent[1] === last && others === 1 && recent[0]?.write === true);
  if (!isLatest || distance > LOOP || distance < -LOOP) return undefined;
  const where = `${last.space === 'port' ? 'port' : 'address'} 0x${last.address.toString(16)}`;
  if (last.device !== undefined) {
    const known = polled[last.device]?.(last.address);
    const what = known?.check ?? deviceText(last);
    return {
      check: `it polls ${where}: ${what}`,
      ...(known?.mistake !== undefined && { mistake: known.mistake }),
    };
  }
  const missing = missingAt(last.space === 'port' ? 'port' : 'memory', last.address);
  if (missing === undefined)
    return {
      check: `it polls ${where}, where nothing answers: it reads all ones forever`,
      mistake:
        'Give the machine a device there (--device MODULE), or let the guest give up after some tries.',
    };
  return {
    check: `it polls ${where}, ${missing.what}, where nothing answers: ${missing.instead}`,
    mistake:
      'Reads that nothing answers give all ones: a guest detects by them that there is no device (a status of 0xff), and gives up.',
  };
}

/** `the device ide, first ATA status: 0x50 ready`. */
function deviceText({ device, register, value }: RecentAccess): string {
  const reads = register === undefined ? '' : `, ${register}${value === undefined ? '' : `: ${value}`}`;
  return `the device ${device}${reads}`;
}

/** Zeros at and after an instruction: no code has this many. */
const ZEROS = 16;

/** Recognises a guest that executes memory full of zeros. Undefined where it executes other code. */
export function straysInto(state: {
  registers: Registers;
  system: SystemRegisters;
  memory: PhysicalMemory;
}): string | undefined {
  const at = linearRip(state.registers, state.system);
  const bytes = readLinear(state, at, ZEROS);
  if (bytes.length < ZEROS || bytes.some((byte) => byte !== 0)) return undefined;
  return `it executes memory full of zeros, at ${hex(at)}: it left its code`;
}

/** The longest loop that is shown, in instructions, and how far back it may begin, in bytes. */
const SHOWN = 6;
const BACK = 64n;

/** Where code stops. */
interface Stopped {
  readonly registers: Registers;
  readonly system: SystemRegisters;
  readonly memory: PhysicalMemory;
}

/** Instructions one after the other, from an address on; fewer where they cannot be read. */
function* codeFrom(state: Stopped, from: bigint, syntax: Syntax): Generator<Instruction> {
  const { registers, system } = state;
  const base = linearRip(registers, system) - registers.rip;
  for (let address = from; ; ) {
    const bytes = readLinear(state, base + address, MAX_LENGTH);
    if (bytes.length === 0) return;
    const one = disassemble(bytes, { code: codeSizeOf(system), address, syntax });
    if (one.encoding === undefined) return;
    yield one;
    address += BigInt(one.length);
  }
}

/** The small loop that a guest is in, which jumps back past the current instruction; undefined where it is in none. */
function loopAt(state: Stopped, syntax: Syntax): readonly Instruction[] | undefined {
  const { rip } = state.registers;
  let steps = 0;
  for (const { mnemonic, operands, address } of codeFrom(state, rip, syntax)) {
    if (++steps > SHOWN) return undefined;
    const [target] = operands;
    const jumps = /^(j|loop)/.test(mnemonic) && target?.kind === 'target';
    if (!jumps && !/^(jmp|ret|iret|hlt|sys|int)/.test(mnemonic)) continue;
    if (!jumps || target.address > rip || rip - target.address > BACK) {
      // A jump that is not taken every time may lie in the loop.
      if (jumps && mnemonic !== 'jmp') continue;
      return undefined;
    }
    const loop: Instruction[] = [];
    for (const one of codeFrom(state, target.address, syntax)) {
      loop.push(one);
      if (one.address >= address) return one.address === address ? loop : undefined;
      if (loop.length >= SHOWN) return undefined;
    }
    return undefined;
  }
  return undefined;
}

/** The loop that it goes round in, as text; undefined where it is in no small one. */
export function loopText(state: Stopped, syntax: Syntax = 'intel'): string | undefined {
  const loop = loopAt(state, syntax);
  const [first] = loop ?? [];
  if (loop === undefined || first === undefined) return undefined;
  if (loop.length === 1) return `it jumps to itself, at ${hex(first.address)}`;
  return `it goes round in a loop at ${hex(first.address)}: ${loop.map(({ text }) => text).join('; ')}`;
}

/**
 * An activity that could continue forever, in one line; undefined where none is found. @param memory the guest's memory, to read the code
 * that it executes
 */
export function waitLine(
  waiting: Waiting & {
    registers: Registers;
    system: SystemRegisters;
    /** What devices know of it. */
    remarks?: readonly string[];
  },
  memory?: PhysicalMemory,
  syntax?: Syntax,
): string | undefined {
  const storm = memory && stormText({ ...waiting, memory });
  if (storm !== undefined) return storm;
  const strays = memory && straysInto({ ...waiting, memory });
  if (strays !== undefined) return strays;
  const polling = explainPolling(waiting);
  if (polling !== undefined) return polling.check;
  const { recent = [], registers, remarks = [] } = waiting;
  if (remarks.length > 0) return undefined;
  const halts = recent.find(({ space }) => space === 'halt');
  if (halts !== undefined && recent[0] === halts)
    return 'it sleeps in HLT, and continues when an interrupt comes';
  const loop = memory && loopText({ ...waiting, memory }, syntax);
  if ((registers.rflags & 0x200n) !== 0n) return loop;
  return loop === undefined
    ? 'it runs with interrupts off: none can reach it'
    : `${loop}, with interrupts off: none can reach it`;
}
