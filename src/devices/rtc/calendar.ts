/**
 * The clock's registers as a calendar: seconds since 1970 as registers 0 to 9 and the century's, in binary
 * or BCD and in 12 or 24 hours, and back.
 *
 * @module
 */

/** How the registers are written: bits DM and 24/12 of register B. */
export interface Notation {
  binary: boolean;
  hours24: boolean;
}

/** The registers that hold time and date (MC146818A, table 3; the century is a PC's, in its RAM). */
export const Time = {
  seconds: 0,
  minutes: 2,
  hours: 4,
  weekday: 6,
  day: 7,
  month: 8,
  year: 9,
  century: 0x32,
} as const;

const PM = 0x80;

function pack(value: number, { binary }: Notation): number {
  return binary ? value : Math.floor(value / 10) * 16 + (value % 10);
}

function unpack(byte: number, { binary }: Notation): number {
  return binary ? byte : (byte >> 4) * 10 + (byte & 15);
}

/** Hours in the notation: bit 7 is PM, and 12 comes before 1. */
export function packHours(hours: number, notation: Notation): number {
  if (notation.hours24) return pack(hours, notation);
  return pack(hours % 12 === 0 ? 12 : hours % 12, notation) | (hours >= 12 ? PM : 0);
}

export function unpackHours(byte: number, notation: Notation): number {
  if (notation.hours24) return unpack(byte, notation);
  return (unpack(byte & 0x7f, notation) % 12) + (byte & PM ? 12 : 0);
}

/** Writes the registers for a time in whole seconds since 1970, UTC. */
export function writeTime(registers: Uint8Array, seconds: number, notation: Notation): void {
  const date = new Date(seconds * 1000);
  const put = (register: number, value: number) => {
    registers[register] = pack(value, notation);
  };
  put(Time.seconds, date.getUTCSeconds());
  put(Time.minutes, date.getUTCMinutes());
  registers[Time.hours] = packHours(date.getUTCHours(), notation);
  // Sunday is 1.
  put(Time.weekday, date.getUTCDay() + 1);
  put(Time.day, date.getUTCDate());
  put(Time.month, date.getUTCMonth() + 1);
  put(Time.year, date.getUTCFullYear() % 100);
  // The century is always BCD, regardless of register B: only a BIOS uses it.
  registers[Time.century] = pack(Math.floor(date.getUTCFullYear() / 100) % 100, {
    ...notation,
    binary: false,
  });
}

/**
 * Whole seconds since 1970 of the registers' date and time. A date that does not exist overflows: 31 June is 1 July.
 */
export function readTime(registers: Uint8Array, notation: Notation): number {
  const get = (register: number) => unpack(registers[register]!, notation);
  const century = unpack(registers[Time.century]!, { ...notation, binary: false });
  const year = century * 100 + get(Time.year);
  const date = Date.UTC(
    2000,
    get(Time.month) - 1,
    get(Time.day),
    unpackHours(registers[Time.hours]!, notation),
    get(Time.minutes),
    get(Time.seconds),
  );
  // Date.UTC treats years below 100 as those of the twentieth century.
  const moved = new Date(date);
  moved.setUTCFullYear(moved.getUTCFullYear() - 2000 + year);
  return Math.floor(moved.getTime() / 1000);
}

/** True where an alarm's byte matches any value (MC146818A: "don't care" codes C0 to FF). */
export function isAny(byte: number): boolean {
  return byte >= 0xc0;
}

/** True where the time matches the alarm in registers 1, 3 and 5. */
export function matchesAlarm(registers: Uint8Array, seconds: number, notation: Notation): boolean {
  const date = new Date(seconds * 1000);
  const matches = (alarm: number, value: number) => isAny(alarm) || alarm === value;
  return (
    matches(registers[1]!, pack(date.getUTCSeconds(), notation)) &&
    matches(registers[3]!, pack(date.getUTCMinutes(), notation)) &&
    matches(registers[5]!, packHours(date.getUTCHours(), notation))
  );
}
