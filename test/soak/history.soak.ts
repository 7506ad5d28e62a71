/**
 * Random walks through the past: over each guest of the catalogue, and over a boot of Linux. Each visited moment is the
 * same as in an uninterrupted run, in registers and RAM. 10,000 walks each, or as many as the time allows.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { History } from '../../src/debug/index.js';
import type { Machine } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { debian, noDebian } from '../firmware/systems.js';
import { initialFiles } from '../firmware/userspace.js';
import { noCompiler, readGuestImage, readGuests } from '../guests/catalogue.js';
import { optionsOf, readBy } from '../guests/running.js';
import { soakSeconds } from './duration.js';

const WALKS = 10_000;
/** Moments with known states from an uninterrupted run. */
const MOMENTS = 64;
const LONGEST = 2_000_000;

const anywhere = (below: number) => Math.floor(Math.random() * below);

/** Checksums of pages: states of one machine share most of their pages. */
const known = new WeakMap<Uint8Array, string>();

/** A hash of registers and all RAM. */
function hashOf(machine: Machine): string {
  const { cpus, memory } = machine.save();
  const hash = createHash('sha256');
  const { registers, system, fpu } = cpus[0]!;
  const text = JSON.stringify([registers, system], (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  hash.update(text);
  if (fpu !== undefined) hash.update(fpu);
  for (const number of [...memory.pages.keys()].sort((a, b) => a - b)) {
    const page = memory.pages.get(number)!;
    let sum = known.get(page);
    if (sum === undefined) {
      sum = createHash('sha256').update(page).digest('base64');
      known.set(page, sum);
    }
    hash.update(`${number} ${sum}`);
  }
  return hash.digest('hex');
}

/** @param make makes the machine, always the same one */
function walks(make: () => Machine, longest: number, seconds: number): number {
  using whole = make();
  whole.run({ maxInstructions: longest, timeoutMs: 600_000 });
  const length = whole.cycleTime!.instructions;
  const moments = [...new Set(Array.from({ length: MOMENTS }, () => 1 + anywhere(length)))].sort(
    (a, b) => a - b,
  );
  using fresh = make();
  const sights = moments.map((at) => {
    const left = at - fresh.cycleTime!.instructions;
    if (left > 0) fresh.run({ maxInstructions: left, timeoutMs: 600_000 });
    return { at, hash: hashOf(fresh) };
  });
  using machine = make();
  const history = new History(machine);
  history.run({ maxInstructions: longest, timeoutMs: 600_000 });
  const end = performance.now() + 1000 * seconds;
  let done = 0;
  for (; done < WALKS && performance.now() < end; done++) {
    const { at, hash } = sights[anywhere(sights.length)]!;
    // Before that, to another moment, near or far.
    if (done % 3 === 0) history.goTo(Math.max(0, at - anywhere(done % 2 === 0 ? 50 : at)));
    assert.ok(history.goTo(at));
    // An instruction that counts as several has no moments within it.
    if (machine.cycleTime!.instructions === at)
      assert.equal(hashOf(machine), hash, `walk ${done}, instruction ${at}`);
  }
  return done;
}

describe('walks through the past of a guest', { skip: noCompiler }, () => {
  const guests = readGuests();
  for (const guest of guests)
    test(guest.name, (t) => {
      const make = () =>
        createMachine({ ...optionsOf(guest, readGuestImage(guest)), ...readBy(guest), engine: 'soft' });
      const done = walks(make, LONGEST, (soakSeconds * 2) / 3 / guests.length);
      t.diagnostic(`${done} walks`);
      assert.ok(done > 0);
    });
});

test('walks through a boot of Debian’s kernel', { skip: noDebian }, (t) => {
  const image = new Uint8Array(readFileSync(debian!.kernel));
  const files = initialFiles(readFileSync(debian!.busybox));
  const make = () =>
    createMachine({
      engine: 'soft',
      image,
      as: 'linux64',
      append: 'console=ttyS0 nokaslr panic=-1',
      beside: { initrds: [{ text: 'init', bytes: files }] },
    });
  const done = walks(make, 300_000_000, soakSeconds / 3);
  t.diagnostic(`${done} walks`);
  assert.ok(done > 0);
});
