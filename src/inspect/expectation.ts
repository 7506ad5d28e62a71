import { TerrariumError } from '../errors.js';
import type { GuestMemory } from '../memory/index.js';
import { nearestNames } from '../nearest.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { findRegister, type RegisterView, registerViewNames } from '../x86/index.js';
import { escapeBytes, parseNumber, parseString } from './values.js';

/** An expectation that cannot be parsed: the message names the error in it. */
export class ExpectationError extends TerrariumError {
  constructor(text: string, problem: string, hint: string) {
    super('EEXPECT', `the expectation '${text}' ${problem}`, { hint });
  }
}

/** The facts about a run's end. */
export interface ExpectationSubject {
  registers: Registers;
  system: SystemRegisters;
  memory: GuestMemory;
  /** What the guest wrote to its console. */
  console?: Uint8Array | undefined;
  exits?: number | undefined;
  /** The outcome's kind, such as `halted`. */
  outcome?: string | undefined;
  /** The guest's exit code, where it set one. */
  code?: number | undefined;
}

/** One expected property of a run's end, as `parseExpectation` returns it. */
export interface Expectation {
  /** The text as it was written. */
  readonly text: string;
  /** True where the expectation reads `ExpectationSubject.console`, so that it must be kept. */
  readonly needsConsole: boolean;
  readonly check: (subject: ExpectationSubject) => { ok: boolean; found: string; expected: string };
}

export interface ExpectationResult {
  ok: boolean;
  text: string;
  found: string;
  expected: string;
}

const outcomes = [
  'halted',
  'exited',
  'reset',
  'poweredOff',
  'panicked',
  'shutdown',
  'stopped',
  'limit',
  'timeout',
  'engineError',
];
const otherNames = ['mem', 'mem8', 'mem16', 'mem32', 'mem64', 'console', 'exits', 'outcome', 'code'];
const EXAMPLES = `write rax=42, al=0x2a, zf=1, mem64[0x400]=42, mem[0x400]="text", console="Hello\\n", console~="Hello", exits=7, exits<=7, exits>1, outcome=halted or code=3`;
const NUMBERS = 'numbers are written 42, -1, 0x2a or 0b101010';
const STRINGS = 'strings are in double quotes, with the escapes \\n, \\r, \\t, \\0, \\\\, \\" and \\x41';

/**
 * Reads one expectation: `NAME=VALUE`, where the name is a register or a part of one (`rax`, `eax`, `ax`, `ah`, `r8d`),
 * `rip`, `rflags` or one flag (`zf`), a segment's selector (`cs`), a control register (`cr0`), `mem8[ADDRESS]` to
 * `mem64[ADDRESS]`, `mem[ADDRESS]` with a string, `console` with a string (`=` for all of it, `~=` for a part),
 * `exits` (`=`, `<=`, `<`, `>=`, `>`), `outcome` or `code`, the guest's own exit code. Negative numbers are two's
 * complement of the register's or memory's size.
 * @throws ExpectationError
 */
export function parseExpectation(text: string): Expectation {
  const split = /^\s*([a-z][a-z0-9]*)\s*(?:\[([^\]]*)\])?\s*(~?=|[<>]=?)\s*(.*?)\s*$/is.exec(text);
  if (split === null) throw new ExpectationError(text, 'is not NAME=VALUE', EXAMPLES);
  const name = split[1]!.toLowerCase();
  const [, , place, operator, value] = split as unknown as [
    string,
    string,
    string | undefined,
    string,
    string,
  ];
  if (operator === '~=' && name !== 'console') {
    throw new ExpectationError(text, "has '~=', which only console accepts", "use '='");
  }
  if (/[<>]/.test(operator) && name !== 'exits') {
    throw new ExpectationError(text, `has '${operator}', which only exits accepts`, "use '='");
  }
  if (place !== undefined && !name.startsWith('mem')) {
    throw new ExpectationError(text, `has an address, but '${name}' is not memory`, EXAMPLES);
  }
  const needsConsole = name === 'console';
  const check = parseCheck(text, name, place, operator, value);
  return { text, needsConsole, check };
}

export function checkExpectation(expectation: Expectation, subject: ExpectationSubject): ExpectationResult {
  return { text: expectation.text, ...expectation.check(subject) };
}

function parseCheck(
  text: string,
  name: string,
  place: string | undefined,
  operator: string,
  value: string,
): Expectation['check'] {
  const register = findRegister(name);
  if (register !== undefined) return registerCheck(register, numberOf(text, value, register.bits));
  switch (name) {
    case 'mem8':
    case 'mem16':
    case 'mem32':
    case 'mem64': {
      const bits = Number(name.slice(3)) as 8 | 16 | 32 | 64;
      return memoryCheck(bits, addressOf(text, place), numberOf(text, value, bits));
    }
    case 'mem':
      return memoryBytesCheck(addressOf(text, place), stringOf(text, value));
    case 'console':
      return consoleCheck(stringOf(text, value), operator === '~=');
    case 'exits':
      return exitsCheck(numberOf(text, value, 53), operator);
    case 'outcome':
      return outcomeCheck(text, value);
    case 'code':
      return codeCheck(numberOf(text, value, 8));
    default: {
      const near = nearestNames(name, [...registerViewNames, ...otherNames]);
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : EXAMPLES;
      throw new ExpectationError(
        text,
        `names '${name}', which is neither a register nor another known name`,
        hint,
      );
    }
  }
}

/** A number that fits `bits`, signed or unsigned, as an unsigned one. */
function numberOf(text: string, value: string, bits: number): bigint {
  const number = parseNumber(value);
  if (number === undefined)
    throw new ExpectationError(text, `has the value '${value}', which is not a number`, NUMBERS);
  if (number >= 1n << BigInt(bits) || number < -(1n << BigInt(bits - 1))) {
    throw new ExpectationError(
      text,
      `has the value ${value}, which does not fit ${bits} bit${bits === 1 ? '' : 's'}`,
      NUMBERS,
    );
  }
  return BigInt.asUintN(bits, number);
}

function addressOf(text: string, place: string | undefined): number {
  if (place === undefined) {
    throw new ExpectationError(text, 'has no address', 'write it in brackets: mem64[0x400]=42');
  }
  const address = parseNumber(place.trim());
  if (address === undefined || address < 0n || address > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ExpectationError(
      text,
      `has the address '${place}'`,
      `addresses are guest physical; ${NUMBERS}`,
    );
  }
  return Number(address);
}

function stringOf(text: string, value: string): Uint8Array {
  const bytes = parseString(value);
  if (bytes === undefined)
    throw new ExpectationError(text, `has the value ${value}, which is not a string`, STRINGS);
  return bytes;
}

const showNumber = (value: bigint) => (value < 10n ? String(value) : `${value} (0x${value.toString(16)})`);

function registerCheck(register: RegisterView, expected: bigint): Expectation['check'] {
  return ({ registers, system }) => {
    const found = register.read(registers, system);
    return { ok: found === expected, found: showNumber(found), expected: showNumber(expected) };
  };
}

function memoryCheck(bits: 8 | 16 | 32 | 64, address: number, expected: bigint): Expectation['check'] {
  return ({ memory }) => {
    if (!memory.contains(address, bits / 8)) {
      return { ok: false, found: 'no memory at that address', expected: showNumber(expected) };
    }
    const found =
      bits === 64
        ? memory.read64(address)
        : BigInt(
            bits === 8
              ? memory.read8(address)
              : bits === 16
                ? memory.read16(address)
                : memory.read32(address),
          );
    return { ok: found === expected, found: showNumber(found), expected: showNumber(expected) };
  };
}

function memoryBytesCheck(address: number, expected: Uint8Array): Expectation['check'] {
  return ({ memory }) => {
    const text = escapeBytes(expected);
    if (!memory.contains(address, expected.length)) {
      return { ok: false, found: 'no memory at that address', expected: text };
    }
    const found = memory.readBytes(address, expected.length);
    return { ok: indexOf(found, expected) === 0, found: escapeBytes(found), expected: text };
  };
}

/** How many bytes of a console that differs are shown: enough to see the difference, few enough for a terminal. */
const SHOWN = 256;

function consoleCheck(expected: Uint8Array, anywhere: boolean): Expectation['check'] {
  return ({ console }) => {
    const text = `${anywhere ? 'somewhere ' : ''}${shorten(expected)}`;
    if (console === undefined) return { ok: false, found: 'the console was not kept', expected: text };
    const ok = anywhere
      ? indexOf(console, expected) >= 0
      : console.length === expected.length && indexOf(console, expected) === 0;
    return { ok, found: shorten(console), expected: text };
  };
}

function shorten(bytes: Uint8Array): string {
  if (bytes.length <= SHOWN) return escapeBytes(bytes);
  return `${escapeBytes(bytes.subarray(0, SHOWN))}… (${bytes.length} bytes)`;
}

/** Comparisons of counts, and their names. */
const comparisons: Readonly<Record<string, [holds: (a: bigint, b: bigint) => boolean, words: string]>> = {
  '=': [(a, b) => a === b, ''],
  '<=': [(a, b) => a <= b, 'at most '],
  '<': [(a, b) => a < b, 'fewer than '],
  '>=': [(a, b) => a >= b, 'at least '],
  '>': [(a, b) => a > b, 'more than '],
};

function exitsCheck(expected: bigint, operator: string): Expectation['check'] {
  const [holds, words] = comparisons[operator]!;
  return ({ exits }) => ({
    ok: exits !== undefined && holds(BigInt(exits), expected),
    found: exits === undefined ? 'not counted' : String(exits),
    expected: `${words}${expected}`,
  });
}

function outcomeCheck(text: string, expected: string): Expectation['check'] {
  if (!outcomes.includes(expected)) {
    const near = nearestNames(expected, outcomes);
    const hint =
      near.length > 0 ? `did you mean ${near.join(' or ')}?` : `outcomes are ${outcomes.join(', ')}`;
    throw new ExpectationError(text, `has the outcome '${expected}'`, hint);
  }
  return ({ outcome }) => ({ ok: outcome === expected, found: outcome ?? 'unknown', expected });
}

function codeCheck(expected: bigint): Expectation['check'] {
  return ({ code }) => ({
    ok: code !== undefined && BigInt(code) === expected,
    found: code === undefined ? 'the guest set none' : String(code),
    expected: String(expected),
  });
}

/** The first offset of `part` in `bytes`, -1 if there is none. Takes time in proportion to the two lengths' sum. */
function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const text = (from: Uint8Array) => {
    let result = '';
    // In pieces, since a call has a limit on its arguments.
    for (let i = 0; i < from.length; i += 8192) result += String.fromCharCode(...from.subarray(i, i + 8192));
    return result;
  };
  return text(bytes).indexOf(text(part));
}
