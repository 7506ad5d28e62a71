/**
 * `replay A --against B`: where two recorded runs begin to differ, and why.
 *
 * @module
 */

import type { MachineSpec } from '../../../config/index.js';
import { DebugSession, type Difference, divergenceOf, originText, type Run } from '../../../debug/index.js';
import { ConfigError } from '../../../errors.js';
import { createMachine } from '../../../runtime/index.js';
import { SymbolTable } from '../../../symbols/index.js';
import type { Terra } from '../../../terra/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { say } from '../../frontend/standard-output.js';

/** A recording by its file's name. */
export interface Recording {
  file: string;
  terra: Terra;
}

/** Says where they begin to differ; ends with status 1 where they do. */
export function compare(one: Recording, other: Recording, asked: MachineSpec): void {
  using left = repeated(one, asked);
  using right = repeated(other, asked);
  const found = divergenceOf(left, right);
  if (found === undefined) {
    const [a, b] = [left, right].map(({ session }) => session.history()!.last);
    const [short, long] = a! <= b! ? [one, other] : [other, one];
    say(
      a === b
        ? `the same run: ${count(a!)} instructions\n`
        : `the same run for ${count(Math.min(a!, b!))} instructions; then ${short.file} ends, and ${long.file} goes on\n`,
    );
    process.exitCode = ExitStatus.ok;
    return;
  }
  const { same, differences, at } = found;
  if (same === undefined) say(`they differ from the beginning, at instruction ${count(at)}\n`);
  else {
    left.session.goTo(same);
    const { pc } = left.session.here();
    const place = left.symbols.locate(pc) ?? '';
    say(
      `the same for ${count(same)} instructions, up to 0x${pc.toString(16)}  ${place}`.trimEnd().concat('\n'),
    );
    say(`then they differ:\n`);
  }
  for (const difference of differences.slice(0, 8)) say(`  ${textOf(difference)}\n`);
  const [first] = differences;
  for (const [{ file }, { session }] of [
    [one, left],
    [other, right],
  ] as const) {
    session.goTo(at);
    say(`in ${file}: ${originOf(session, first!, at)}\n`);
  }
  process.exitCode = ExitStatus.expectationFailed;
}

function repeated(
  { file, terra }: Recording,
  asked: MachineSpec,
): Run & Disposable & { symbols: SymbolTable } {
  const { spec, image, state, record, end } = terra;
  if (record === undefined || end === undefined)
    throw new ConfigError(`${file} is a snapshot, not a recording`, 'recordings come from run --record');
  const machine = createMachine({
    ...{ ...spec, ...asked, image, engine: 'soft', clock: 'instructions' },
    inputs: { replay: record },
  });
  try {
    machine.load(state);
    const left = end.instructions - machine.cycleTime!.instructions;
    const symbols = new SymbolTable(image);
    const session = new DebugSession(machine, {
      history: {},
      run: { maxInstructions: Math.max(1, left) },
      symbols: () => symbols,
    });
    if (left > 0) session.resume();
    return { machine, session, symbols, [Symbol.dispose]: () => machine[Symbol.dispose]() };
  } catch (error) {
    machine[Symbol.dispose]();
    throw error;
  }
}

function originOf(session: DebugSession, difference: Difference, at: number): string {
  const place =
    difference.kind === 'register'
      ? difference
      : ({ kind: 'memory', address: difference.address, size: 1 } as const);
  return originText(session.origin(place), at);
}

function textOf({ values: [a, b], ...place }: Difference): string {
  const name = place.kind === 'register' ? place.name : `byte at 0x${place.address.toString(16)}`;
  return `${name}: 0x${a.toString(16)} and 0x${b.toString(16)}`;
}

const count = (value: number) => value.toLocaleString('en');
