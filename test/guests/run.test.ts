/**
 * Every guest of guests/ meets the expectations of its guest.json when a user runs it only by its name, with the same
 * results on both engines: console, outcome, registers at the end, and the exits one by one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noKvm } from '../support.js';
import { type GuestFile, noCompiler, readGuestImage, readGuests, rebuildGuest } from './catalogue.js';
import { type GuestRun, runGuest } from './running.js';

/** Exits that depend on the monitor, and not on the guest's actions. */
const monitors = new Set(['interrupted', 'interruptWindow']);

/**
 * A VGA's input status depends on the beam's position. Guests that do not wait for it also read it, to reset the
 * attribute flip-flop.
 */
const BEAM = ['in 0x3da ', 'in 0x3ba '];

/**
 * On KVM time is wall-clock time, on the software CPU it is the count of instructions. A guest that polls the time
 * polls as often as it can: accesses to these ports are left out where they are its clock.
 */
const clocks: Record<string, readonly string[]> = {
  // The BIOS polls for a key after each interrupt, also a timer's.
  'boot-game': ['out 0xb105 ', 'in 0x60 ', 'out 0x20 ', 'halt'],
  'fat-shell': ['out 0xb105 ', 'in 0x60 ', 'out 0x20 ', 'halt'],
  // On a busy host the BIOS's timer ticks while it runs.
  'disk-reader': ['out 0x20 '],
  rtc: ['out 0x70 ', 'in 0x71 '],
  'vga-typing': ['in 0x64 '],
};

const END_OF_INTERRUPT = 'out 0x20 1 × 1: 20';

/**
 * The exits that do not depend on time. With interrupts from devices, the moments and the number of these also depend
 * on it: whether the guest runs or already sleeps, how many interrupts it ends, and between which accesses the
 * handler's own come. Accesses to one address keep their order.
 */
function ofTheGuest({ exits }: GuestRun, { name, irqchip }: GuestFile): string[] {
  const clock = [...BEAM, ...(clocks[name] ?? [])];
  const own = exits.filter((exit) => !monitors.has(exit) && !clock.some((access) => exit.startsWith(access)));
  if (irqchip === undefined) return own;
  const place = (exit: string) => exit.split(' ', 2).join(' ');
  return own
    .filter((exit) => exit !== 'halt' && exit !== END_OF_INTERRUPT)
    .sort((a, b) => (place(a) < place(b) ? -1 : Number(place(a) > place(b))));
}

/** A KVM without VMX or SVM lets ring 3 see the host's RFLAGS.IF, which SYSCALL keeps in R11. */
const HOSTS_IF = 0x200n;

function registersOf({ outcome: { registers } }: GuestRun, { name }: GuestFile) {
  return name === 'rings-long' ? { ...registers, r11: registers.r11 & ~HOSTS_IF } : registers;
}

function assertAlike(guest: GuestFile, ours: GuestRun, theirs: GuestRun): void {
  assert.equal(ours.outcome.kind, theirs.outcome.kind);
  assert.equal(ours.console, theirs.console);
  // A guest that never ends is stopped at another place each time.
  if (ours.outcome.kind !== 'timeout') assert.deepEqual(registersOf(ours, guest), registersOf(theirs, guest));
  const [mine, other] = [ofTheGuest(ours, guest), ofTheGuest(theirs, guest)];
  const first = mine.findIndex((exit, at) => exit !== other[at]);
  const at = first >= 0 ? first : mine.length;
  // Not all of them: there may be hundreds of thousands.
  assert.deepEqual(mine.slice(at, at + 5), other.slice(at, at + 5), `exit ${at} differs`);
}

describe('the guests', { skip: noKvm }, () => {
  /** Guests that this host's KVM does not run completely by itself. */
  const helped: GuestFile[] = [];
  const guests = readGuests();

  for (const guest of guests) {
    test(`${guest.name}: ${guest.summary}`, () => {
      const bytes = readGuestImage(guest);
      const found = runGuest(guest, bytes, { engine: 'auto', coalesce: false });
      assert.deepEqual(found.unmet, []);
      const { engine, assistance } = found.outcome;
      // Several CPUs run on the software CPU, on any host.
      if (guest.cpus !== undefined) assert.equal(engine, 'soft');
      else if (engine === 'soft' || assistance !== undefined) helped.push(guest);
      assertAlike(guest, runGuest(guest, bytes, { engine: 'soft' }), found);
    });
    test(`${guest.name}, rebuilt`, { skip: noCompiler }, () => {
      const { bytes } = rebuildGuest(guest);
      // The runs of the previous tests.
      if (Buffer.compare(readGuestImage(guest), bytes) === 0) return;
      assert.deepEqual(runGuest(guest, bytes, { engine: 'soft' }).unmet, []);
    });
  }

  test('that KVM alone does not run on every host have `needs`, and no others', () => {
    const names = helped.map(({ name }) => name);
    const saying = guests.filter(({ needs }) => needs !== undefined).map(({ name }) => name);
    // A KVM with VMX or SVM needs no help.
    if (names.length > 0) assert.deepEqual(names, saying);
  });
});
