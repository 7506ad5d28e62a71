/**
 * Every guest of guests/ does what its guest.json promises where a user runs it, with no more said than its name, and the
 * same on both engines: console, outcome, registers at the end, and the exits one by one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noKvm } from '../support.js';
import { type GuestFile, noCompiler, readGuestImage, readGuests, rebuildGuest } from './catalogue.js';
import { type GuestRun, runGuest } from './running.js';

/** Exits that say how the monitor came by, and not what the guest did. */
const monitors = new Set(['interrupted', 'interruptWindow']);

/** A VGA's input status says where the beam is. Also a guest that does not wait for it reads it, to reset the attribute flip-flop. */
const BEAM = ['in 0x3da ', 'in 0x3ba '];

/**
 * On KVM time is the world's, on the software CPU it is the count of instructions. A guest that asks again and again
 * whether it is time asks as often as it has time for: accesses to these ports are left out where they are its clock.
 */
const clocks: Record<string, readonly string[]> = {
  // The BIOS asks for a key after each interrupt, a timer's too.
  'boot-game': ['out 0xb105 ', 'in 0x60 ', 'out 0x20 ', 'halt'],
  'fat-shell': ['out 0xb105 ', 'in 0x60 ', 'out 0x20 ', 'halt'],
  // On a busy host the BIOS's timer ticks while it runs.
  'disk-reader': ['out 0x20 '],
  rtc: ['out 0x70 ', 'in 0x71 '],
  'vga-typing': ['in 0x64 '],
};

const END_OF_INTERRUPT = 'out 0x20 1 × 1: 20';

/**
 * The exits without what is a matter of time. Where devices interrupt a guest that is also when and how often they do:
 * whether it still runs or sleeps already, how many interrupts it ends, and between which accesses the handler's own come.
 * Those to one address keep their order.
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
  // A guest that never ends is somewhere else each time.
  if (ours.outcome.kind !== 'timeout') assert.deepEqual(registersOf(ours, guest), registersOf(theirs, guest));
  const [mine, other] = [ofTheGuest(ours, guest), ofTheGuest(theirs, guest)];
  const first = mine.findIndex((exit, at) => exit !== other[at]);
  const at = first >= 0 ? first : mine.length;
  // Not all of them: there may be hundreds of thousands.
  assert.deepEqual(mine.slice(at, at + 5), other.slice(at, at + 5), `exit ${at} differs`);
}

describe('the guests', { skip: noKvm }, () => {
  /** Those that this host's KVM does not run all by itself. */
  const helped: GuestFile[] = [];
  const guests = readGuests();

  for (const guest of guests) {
    test(`${guest.name}: ${guest.summary}`, () => {
      const bytes = readGuestImage(guest);
      const found = runGuest(guest, bytes, { engine: 'auto', coalesce: false });
      assert.deepEqual(found.unmet, []);
      const { engine, assistance } = found.outcome;
      // Several CPUs are the software CPU's, on any host.
      if (guest.cpus !== undefined) assert.equal(engine, 'soft');
      else if (engine === 'soft' || assistance !== undefined) helped.push(guest);
      assertAlike(guest, runGuest(guest, bytes, { engine: 'soft' }), found);
    });
    test(`${guest.name}, rebuilt`, { skip: noCompiler }, () => {
      const { bytes } = rebuildGuest(guest);
      // What the tests before have run.
      if (Buffer.compare(readGuestImage(guest), bytes) === 0) return;
      assert.deepEqual(runGuest(guest, bytes, { engine: 'soft' }).unmet, []);
    });
  }

  test('that KVM alone does not run on every host say so in `needs`, and no others', () => {
    const names = helped.map(({ name }) => name);
    const saying = guests.filter(({ needs }) => needs !== undefined).map(({ name }) => name);
    // A KVM with VMX or SVM needs no help.
    if (names.length > 0) assert.deepEqual(names, saying);
  });
});
