/** Interrupts on the real CPU: controllers and timer as devices and inside KVM, and a guest's mistakes with them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Mode, parseImage } from '../../src/boot/index.js';
import type { ByteSource, Device, DeviceHost } from '../../src/devices/contract/index.js';
import { DebugExit, KeyboardController, Pic8259, Pit8254, Serial16550 } from '../../src/devices/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { Machine } from '../../src/machine/index.js';
import { createMachine, hostMachine } from '../../src/runtime/index.js';
import { compileTestGuest, noCompiler, readGuestImage, readGuests } from '../guests/catalogue.js';
import { tickAccount } from '../guests/tick-account.js';
import { holdings, noKvm } from '../support.js';

const kinds = ['user', 'split', 'kernel'] as const;
const skip = noKvm || noCompiler;

/** A machine with the chips as devices, and references to them. */
function chips(guest: string, mode: Mode, devices: Device[] = []) {
  const bytes = compileTestGuest(guest, mode === 'reset' ? 'real' : mode);
  return chipsFor(bytes, mode, devices);
}

function chipsFor(bytes: Uint8Array, mode: Mode, devices: Device[] = []) {
  const [pic, pit] = [new Pic8259(), new Pit8254()];
  const machine = new Machine({
    engine: kvmEngine(),
    image: parseImage(bytes, 'guest'),
    mode,
    memory: 2 ** 21,
    devices: [pic, pit, new DebugExit(), ...devices],
  });
  return { machine, pic, pit };
}

/** 16-bit code for address 0: bytes by their encodings in SDM 2. */
const out = (port: number, ...values: number[]) => values.flatMap((value) => [0xb0, value, 0xe6, port]);
const [sti, hlt, cli] = [0xfb, 0xf4, 0xfa];
const picInit = (mask: number) => [
  ...out(0x20, 0x11),
  ...out(0x21, 0x20, 4, 1, mask),
  ...out(0xa0, 0x11),
  ...out(0xa1, 0x28, 2, 1, 0xff),
];
const pitInit = (count: number) => [...out(0x43, 0x34), ...out(0x40, count & 0xff, count >> 8)];

function run(code: number[], options = { timeoutMs: 60_000 }) {
  const { machine } = chipsFor(new Uint8Array(code), 'real');
  using _ = machine;
  return machine.run(options);
}

describe('the guests with interrupts', { skip: noKvm }, () => {
  for (const guest of readGuests().filter(({ name }) => /^(tick-|serial-irq|nmi)/.test(name))) {
    for (const irqchip of kinds) {
      test(`${guest.name} prints the same with --irqchip ${irqchip}`, () => {
        let console = '';
        const waiting = [...Buffer.from(guest.input ?? '')];
        const input: ByteSource = {
          get available() {
            return waiting.length > 0;
          },
          read: () => waiting.shift() ?? -1,
        };
        using machine = createMachine({
          image: readGuestImage(guest),
          mode: guest.mode,
          memory: guest.memory,
          irqchip,
          input,
          output: (bytes) => {
            console += Buffer.from(bytes).toString('latin1');
          },
        });
        const outcome = machine.run({ timeoutMs: 60_000 });
        assert.equal(outcome.kind, 'halted', outcome.reason);
        assert.equal(console, guest.expect.console);
      });
    }
  }
});

describe('an interrupt from before the guest set up its interrupt controller', () => {
  for (const [engine, irqchip] of [
    ['kvm', 'user'],
    ['kvm', 'split'],
    ['kvm', 'kernel'],
    ['soft', 'user'],
  ] as const) {
    test(`is delivered nevertheless: keys, on ${engine}, --irqchip ${irqchip}`, {
      skip: engine === 'kvm' && noKvm,
    }, () => {
      const guest = readGuests().find(({ name }) => name === 'keyboard-irq')!;
      const keyboard = new KeyboardController();
      keyboard.type('Hi\x1b');
      let console = '';
      using machine = createMachine({
        engine,
        irqchip,
        image: readGuestImage(guest),
        mode: guest.mode,
        devices: [keyboard],
        output: (bytes) => {
          console += Buffer.from(bytes).toString();
        },
      });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'reset');
      assert.equal(console, 'Hi');
    });
  }
});

describe('a timer of 1 kHz', { skip }, () => {
  for (const [guest, mode] of [
    ['ticks-halt', 'real'],
    ['ticks-busy', 'real'],
    ['ticks-ring3', 'long'],
  ] as const) {
    test(`loses no tick in a second of ${guest}`, (t) => {
      const { machine, pic, pit } = chips(guest, mode);
      using _ = machine;
      assert.equal(machine.run({ timeoutMs: 1000 }).kind, 'timeout');
      assert.equal(pit.save().counters[0]!.count, 1193);
      const { due, counted, owed, lost } = tickAccount(machine, pic, pit);
      t.diagnostic(`${due} periods, ${counted} ticks counted, ${owed} owed`);
      assert.equal(lost, 0);
      assert.ok(counted > 0);
    });
  }
});

describe('a guest that halts', { skip: noKvm }, () => {
  test('with interrupts off is at its end', () => {
    const { kind, reason } = run([cli, hlt]);
    assert.deepEqual(
      [kind, reason],
      ['halted', 'the guest executed HLT with interrupts off (RFLAGS.IF = 0)'],
    );
  });

  test('with interrupts on and no controller set up is at its end, with the reason', () => {
    const { kind, reason } = run([sti, hlt]);
    assert.equal(kind, 'halted');
    assert.match(reason, /not initialized/);
  });

  test('with an incomplete initialization is at its end', () => {
    for (const words of [[], [0x20], [0x20, 4]]) {
      const { kind, reason } = run([...out(0x20, 0x11), ...out(0x21, ...words), ...pitInit(1193), sti, hlt]);
      assert.equal(kind, 'halted', `after ICW1 and ${words.length} words`);
      assert.match(reason, /not initialized/);
    }
  });

  test('with every line masked is at its end, even while the timer runs', () => {
    const { kind, reason } = run([...picInit(0xff), ...pitInit(1193), sti, hlt]);
    assert.equal(kind, 'halted');
    assert.match(reason, /masked/);
  });

  test('with a line open but no timer set is at its end', () => {
    assert.match(run([...picInit(0xfe), sti, hlt]).reason, /nothing|no device/);
  });

  test('after a tick whose handler sent no EOI is at its end, and the line is named', () => {
    // Vector 0x20 → 0000:0000, where the code starts: push/pop have no effect, and the second HLT is inside the
    // handler.
    const handler = [0xcf];
    const code = [
      ...[0xeb, 0x01, ...handler],
      ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x70],
      ...[0xc7, 0x06, 0x80, 0x00, 0x02, 0x05, 0xc7, 0x06, 0x82, 0x00, 0x00, 0x00],
      ...picInit(0xfe),
      ...pitInit(1193),
      ...[sti, hlt, 0xeb, 0xfd],
    ];
    const { machine } = chipsFor(atAddress(0x500, code), 'real');
    using _ = machine;
    const { kind, reason } = machine.run({ timeoutMs: 60_000 });
    assert.equal(kind, 'halted');
    assert.match(reason, /IRQ 0 is still in service/);
  });

  for (const irqchip of kinds) {
    test(`forever with interrupts off ends, with --irqchip ${irqchip}`, () => {
      using machine = createMachine({ image: new Uint8Array([cli, hlt]), mode: 'real', irqchip });
      assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
    });

    test(`and waits for input ends by its timeout, or when it is stopped, with --irqchip ${irqchip}`, async () => {
      const image = parseImage(readGuestImage(guestCalled('serial-irq')), 'serial-irq');
      await using machine = await hostMachine({ image, mode: 'real', irqchip });
      assert.equal((await machine.run({ timeoutMs: 50 })).kind, 'timeout');
      for (let i = 0; i < 20; i++) {
        const running = machine.run();
        await machine.stop();
        assert.equal((await running).kind, 'stopped');
      }
    });

    test(`is woken by typed bytes, one after another, with --irqchip ${irqchip}`, async () => {
      const image = parseImage(readGuestImage(guestCalled('serial-irq')), 'serial-irq');
      await using machine = await hostMachine({ image, mode: 'real', irqchip });
      let heard = () => {};
      let console = '';
      machine.onOutput((bytes) => {
        console += Buffer.from(bytes).toString('latin1');
        heard();
      });
      const running = machine.run({ timeoutMs: 60_000 });
      for (const letter of 'terrarium') {
        const echoed = new Promise<void>((resolve) => {
          heard = resolve;
        });
        await machine.send(Buffer.from(letter));
        await echoed;
      }
      await machine.send(Buffer.from('q'));
      assert.equal((await running).kind, 'halted');
      assert.equal(console, 'terrarium');
    });
  }

  test('uses almost no time of the host: a second of sleep is a few milliseconds of work', () => {
    const { machine } = chipsFor(readGuestImage(guestCalled('serial-irq')), 'real', [
      new Serial16550({ output: () => {}, input: { available: false, read: () => -1 } }),
    ]);
    using _ = machine;
    const before = process.cpuUsage();
    assert.equal(machine.run({ timeoutMs: 1000 }).kind, 'timeout');
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 500_000, `${(user + system) / 1000} ms of CPU time`);
  });
});

describe('a guest that misuses interrupts', { skip }, () => {
  /** A device whose line is up from the start and never falls. */
  const stuck: Device = { name: 'stuck', attach: (host: DeviceHost) => host.line(5).set(true) };

  test('and its level-triggered line that never falls are ended by the timeout', () => {
    const { machine } = chips('interrupt-storm', 'real', [stuck]);
    using _ = machine;
    do assert.equal(machine.run({ timeoutMs: 200 }).kind, 'timeout');
    while (machine.memory.read32(0x500) <= 10);
  });

  test('with the shortest count gets at most 5,000 ticks a second', () => {
    const bytes = compileTestGuest('ticks-halt', 'real');
    // pit_init's two bytes of the count.
    const low = Buffer.from(bytes).indexOf(Buffer.from([0xb0, 0xa9, 0xe6, 0x40]));
    assert.ok(low > 0);
    bytes[low + 1] = 1;
    bytes[low + 5] = 0;
    const { machine, pit } = chipsFor(bytes, 'real');
    using _ = machine;
    machine.run({ timeoutMs: 200 });
    const ticks = machine.memory.read32(0x500);
    const milliseconds = pit.save().counters[0]!.elapsed / 1193.182;
    assert.ok(ticks <= 5 * milliseconds, `${ticks} ticks in ${milliseconds} ms`);
  });

  test('with a count of 0 gets 18 ticks a second: not none, and no storm', () => {
    const bytes = compileTestGuest('ticks-halt', 'real');
    const low = Buffer.from(bytes).indexOf(Buffer.from([0xb0, 0xa9, 0xe6, 0x40]));
    bytes[low + 1] = 0;
    bytes[low + 5] = 0;
    const { machine, pic, pit } = chipsFor(bytes, 'real');
    using _ = machine;
    machine.run({ timeoutMs: 200 });
    assert.equal(pit.save().counters[0]!.count, 65_536);
    const { due, counted, lost } = tickAccount(machine, pic, pit);
    // 200 ms hold three of them.
    assert.ok(due >= 3 && counted > 0, `${counted} of ${due} ticks`);
    assert.equal(lost, 0);
  });

  test('is run to its limit of exits', () => {
    const { machine } = chips('ticks-halt', 'real');
    using _ = machine;
    const outcome = machine.run({ maxExits: 100 });
    assert.deepEqual([outcome.kind, outcome.exits], ['limit', 100]);
  });
});

describe('the clock of a machine', { skip }, () => {
  test('stops between runs: no ticks follow for a pause', async () => {
    const { machine, pit } = chips('ticks-halt', 'real');
    using _ = machine;
    machine.run({ timeoutMs: 20 });
    const before = pit.save().counters[0]!.elapsed;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(pit.save().counters[0]!.elapsed, before);
  });
});

describe('a machine with controllers in the kernel', { skip: noKvm }, () => {
  test('leaves nothing behind, 20 times', () => {
    const once = () => {
      using machine = createMachine({ image: new Uint8Array([cli, hlt]), mode: 'real', irqchip: 'kernel' });
      machine.run({ timeoutMs: 1000 });
    };
    once();
    const { fds } = holdings();
    for (let i = 0; i < 20; i++) once();
    assert.equal(holdings().fds, fds);
  });
});

function guestCalled(name: string) {
  const guest = readGuests().find((other) => other.name === name);
  assert.ok(guest);
  return guest;
}

/** An image of code for an address in the first segment, with a jump to it at 0. */
function atAddress(address: number, code: number[]): Uint8Array {
  const bytes = new Uint8Array(address + code.length);
  bytes.set([0xe9, (address - 3) & 0xff, (address - 3) >> 8]);
  bytes.set(code, address);
  return bytes;
}
