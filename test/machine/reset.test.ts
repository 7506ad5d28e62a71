/** A machine that logs its writes is reset, and saved again, with only the written pages. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { DeviceHost } from '../../src/devices/contract/index.js';
import { TerrariumError } from '../../src/errors.js';
import type { Machine, MachineState } from '../../src/machine/index.js';
import { dirtyPages, GuestMemory, PAGE_SIZE } from '../../src/memory/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { hashOf } from '../guests/all-inputs.js';
import { readGuestImage, readGuests } from '../guests/catalogue.js';
import { optionsOf, readBy } from '../guests/running.js';
import { noKvm } from '../support.js';

const engines = [
  ['kvm', noKvm],
  ['soft', false],
] as const;

/** A machine; undefined where the engine cannot run the mode or this many CPUs on this host. */
function made(options: MachineOptions): Machine | undefined {
  // On KVM several CPUs use the kernel's controllers, whose state is not read.
  if (options.engine === 'kvm' && (options.cpus ?? 1) > 1) return undefined;
  try {
    return createMachine(options);
  } catch (error) {
    if (error instanceof TerrariumError && error.code === 'ELIMIT') return undefined;
    throw error;
  }
}

/** The whole memory, all regions. */
const ramOf = ({ memory }: Machine) =>
  Buffer.concat(memory.regions.map((region) => Buffer.from(memory.bytesOf(region))));

/** The pages that were written and are not in the log. */
function missed(machine: Machine, state: MachineState): number[] {
  const logged = machine.writtenPages.since(state.memory)!;
  return dirtyPages(machine.memory, state.memory).filter((page) => !logged.has(page));
}

for (const [engine, skip] of engines) {
  describe(`a machine on ${engine} that logs its writes`, { skip }, () => {
    for (const guest of readGuests()) {
      test(`goes back after any run of ${guest.name}, and does the same again`, (t) => {
        let console = '';
        const options: MachineOptions = {
          ...optionsOf(guest, readGuestImage(guest)),
          ...readBy(guest),
          engine,
          output: (bytes) => {
            console += Buffer.from(bytes).toString('latin1');
          },
        };
        using machine = made(options);
        if (machine === undefined)
          return t.skip(
            'KVM cannot run its mode here, or its several CPUs with the machine’s own controllers',
          );
        const cut = machine.clock.alarm('the end of this piece', () => machine.stop());
        const piece = () => {
          cut.at(machine.clock.now() + 20e6);
          const outcome = machine.run({ maxExits: 200 });
          cut.cancel();
          return outcome;
        };
        if (guest.irqchip === 'kernel' || machine.devices.some(({ save }) => save === undefined))
          return t.skip('its state cannot be saved');
        const state = machine.logWrites();
        const before = ramOf(machine);
        const first = piece();
        const told = console;
        assert.deepEqual(missed(machine, state), []);
        machine.load(state);
        assert.ok(before.equals(ramOf(machine)));
        assert.deepEqual(machine.save().memory.pages, state.memory.pages);
        // Its input has been read; and the host's time advances.
        if (guest.input !== undefined || guest.keys !== undefined || engine === 'kvm') return;
        console = '';
        assert.equal(piece().kind, first.kind);
        assert.equal(console, told);
      });
    }

    // again: inc dword [edi]; add edi, 1000h; out 80h, al; jmp again, from 20_0000h on.
    const image = parseImage(
      Uint8Array.of(0xbf, 0, 0, 0x20, 0, 0xff, 0x07, 0x81, 0xc7, 0, 0x10, 0, 0, 0xe6, 0x80, 0xeb, 0xf4),
      'writer',
    );
    const writer = (config: Partial<MachineOptions> = {}) =>
      createMachine({ engine, image, mode: 'protected', ...config });

    test('reads only the written pages', () => {
      using machine = writer();
      const state = machine.logWrites();
      const one = [...state.memory.pages.keys()].length;
      for (const count of [1, 7, 3]) {
        assert.equal(machine.run({ maxExits: count }).kind, 'limit');
        const written = [...machine.writtenPages.since(state.memory)!].sort((a, b) => a - b);
        assert.deepEqual(
          written.filter((page) => page >= 0x200),
          Array.from({ length: count }, (_, page) => 0x200 + page),
        );
        // And only tables that the CPU writes by itself.
        assert.ok(written.length <= count + 4, written.join());
        const later = machine.save();
        assert.equal(later.memory.pages.size, one + count);
        // A page that is the same is shared.
        for (const [page, bytes] of state.memory.pages)
          if (!written.includes(page)) assert.equal(later.memory.pages.get(page), bytes);
        machine.load(state);
        assert.deepEqual([...machine.writtenPages.since(state.memory)!], []);
      }
    });

    test('goes to any of its states, forward and back, and to a cloned one', () => {
      using machine = writer();
      const states = [machine.logWrites()];
      const hashes = [hashOf(machine)];
      for (let n = 0; n < 6; n++) {
        machine.run({ maxExits: 5 });
        states.push(machine.save());
        hashes.push(hashOf(machine));
      }
      for (const to of [0, 6, 2, 2, 5, 1, 3, 0, 4]) {
        machine.load(to % 2 === 0 ? states[to]! : structuredClone(states[to]!));
        assert.equal(hashOf(machine), hashes[to], `state ${to}`);
        machine.run({ maxExits: 1 + to });
      }
      // Without the log all pages are looked at.
      machine.endLog();
      machine.run({ maxExits: 9 });
      machine.load(states[3]!);
      assert.equal(hashOf(machine), hashes[3]);
      // Another machine begins with a state of this one.
      using other = writer();
      other.logWrites();
      other.load(states[5]!);
      assert.equal(hashOf(other), hashes[5]);
      other.load(states[1]!);
      assert.equal(hashOf(other), hashes[1]);
    });

    test('includes devices’ writes: by accesses, views, and bytes that they keep', () => {
      let host: DeviceHost | undefined;
      let held: Uint8Array | undefined;
      const device = {
        name: 'writer',
        ports: [{ first: 0x80, count: 1 }],
        attach: (given: DeviceHost) => {
          host = given;
          held = given.memory.hold(0x30_0000, 1);
        },
        writePort: () => {
          const { memory } = host!;
          memory.write8(0x31_0000, 1);
          memory.write64(0x31_1ffc, 1n);
          memory.writeBytes(0x31_4ffe, Uint8Array.of(1, 2, 3));
          memory.view(0x31_8000, 0x2000).fill(5);
          assert.equal(memory.peek(0x32_0000, 1)[0], 0);
          held![0]! += 1;
        },
        save: () => ({}),
        load: () => {},
      };
      using machine = writer({ devices: [device] });
      const state = machine.logWrites();
      const before = ramOf(machine);
      for (let round = 0; round < 3; round++) {
        machine.run({ maxExits: 1 });
        assert.deepEqual(missed(machine, state), []);
        const written = machine.writtenPages.since(state.memory)!;
        for (const page of [0x300, 0x310, 0x311, 0x312, 0x314, 0x315, 0x318, 0x319])
          assert.ok(written.has(page), page.toString(16));
        assert.ok(!written.has(0x320) && !written.has(0x31a));
        machine.load(state);
        assert.ok(before.equals(ramOf(machine)));
      }
    });
  });
}

describe('the log of writes from outside', () => {
  test('is shared by all users of the memory, and off in the next machine that gets it', () => {
    const memory = GuestMemory.create([{ address: 0, size: 3 * PAGE_SIZE }]);
    const other = GuestMemory.attach(memory.wasm, memory.regions);
    memory.write8(0, 1);
    memory.hostWrites.log(true);
    other.write8(PAGE_SIZE, 1);
    other.writeBytes(3 * PAGE_SIZE - 1, Uint8Array.of(1));
    assert.deepEqual([...memory.hostWrites.take()], [1, 2]);
    assert.deepEqual([...memory.hostWrites.take()], []);
    const { wasm } = memory;
    memory.release(true);
    const next = GuestMemory.create([{ address: 0, size: 3 * PAGE_SIZE }]);
    assert.equal(next.wasm, wasm);
    assert.equal(next.hostWrites.on, false);
    next.release(false);
  });
});

describe('a display adapter’s 16 MiB', () => {
  for (const [engine, skip] of engines)
    test(`count as written where they were written, on ${engine}`, { skip }, () => {
      // 32-bit code: a dot in the third MiB of the frame buffer, and one through the VGA's planes, by the window at A0000.
      const at = 0x10_0000;
      const u32 = (value: number) => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
      const code = [
        ...[0xc7, 0x05, ...u32(0xe030_0000), ...u32(0x12345678)],
        // Sequencer register 2, the map mask: only plane 0. Then A0000 is not RAM.
        ...[0x66, 0xba, 0xc4, 0x03, 0x66, 0xb8, 0x02, 0x01, 0x66, 0xef],
        ...[0x66, 0xba, 0xce, 0x03, 0x66, 0xb8, 0x06, 0x05, 0x66, 0xef],
        ...[0xc6, 0x05, ...u32(0xa_0000), 0x5a, 0xfa, 0xf4],
      ];
      using machine = createMachine({
        engine,
        machine: 'pc',
        vga: true,
        mode: 'protected',
        load: at,
        entry: at,
        image: parseImage(Uint8Array.from(code), 'code'),
      });
      const state = machine.logWrites();
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.deepEqual(missed(machine, state), []);
      const logged = machine.writtenPages.since(state.memory)!;
      assert.ok(logged.size < 256, `${logged.size} pages`);
      const after = machine.save();
      machine.load(state);
      assert.deepEqual(dirtyPages(machine.memory, state.memory), []);
      machine.load(after);
      assert.deepEqual(dirtyPages(machine.memory, after.memory), []);
      assert.equal(machine.memory.read32(0xe030_0000), 0x12345678);
    });
});
