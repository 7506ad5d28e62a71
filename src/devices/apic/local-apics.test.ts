import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IoApic, LocalApics } from '../index.js';
import { TestClock, testHost } from '../test-host.js';
import { IO, PAGE } from './testing.js';

describe('several local APICs', () => {
  /** Three enabled ones; `as` makes the accesses of one processor. */
  function three() {
    const heard: string[] = [];
    const apics = new LocalApics();
    const current = { cpu: 0 };
    const cpus = [0, 1, 2].map((cpu) => ({
      taskPriority: 0,
      nmi: () => void heard.push(`NMI ${cpu}`),
      init: () => void heard.push(`INIT ${cpu}`),
      startUp: (page: number) => void heard.push(`start ${cpu} at ${page}`),
    }));
    const host = testHost({ clock: new TestClock(), cpus, reset: (how) => void heard.push(how) });
    Object.defineProperty(host, 'currentCpu', { get: () => current.cpu });
    apics.attach(host);
    const as = (cpu: number) => {
      current.cpu = cpu;
      return {
        read: (offset: number) => apics.readMemory(PAGE + offset, 4),
        write: (offset: number, value: number) => apics.writeMemory(PAGE + offset, 4, value),
      };
    };
    for (const cpu of [0, 1, 2]) as(cpu).write(0xf0, 0x1ff);
    /** The APICs that have something pending; they take it. */
    const taken = (ends = true) =>
      [0, 1, 2]
        .filter((cpu) => apics.pending(cpu))
        .map((cpu) => {
          const vector = apics.acknowledge(cpu);
          if (ends) as(cpu).write(0xb0, 0);
          return `${cpu}: ${vector}`;
        });
    const send = (low: number, to = 0, from = 0) => {
      const { write } = as(from);
      write(0x310, (to << 24) >>> 0);
      write(0x300, low);
    };
    return { apics, cpus, as, heard, taken, send };
  }

  test('have a number each, and each answers its own processor', () => {
    const { as } = three();
    assert.deepEqual(
      [0, 1, 2].map((cpu) => as(cpu).read(0x20)),
      [0, 0x0100_0000, 0x0200_0000],
    );
    as(1).write(0xd0, 0x0f00_0000);
    assert.deepEqual([as(0).read(0xd0), as(1).read(0xd0)], [0, 0x0f00_0000]);
  });

  // SDM 3A 11.6.1: the delivery mode in bits 10-8, the destination mode in bit 11, a shorthand in bits 19-18.
  test('interrupt the named one, all with FFh, or those of a shorthand', () => {
    const { send, taken } = three();
    send(0x4041, 2);
    assert.deepEqual(taken(), ['2: 65']);
    send(0x4042, 0xff, 1);
    assert.deepEqual(taken(), ['0: 66', '1: 66', '2: 66']);
    send(0x44_0053, 0, 1);
    assert.deepEqual(taken(), ['1: 83']);
    send(0x88_0064, 0, 1);
    assert.deepEqual(taken(), ['0: 100', '1: 100', '2: 100']);
    send(0xcc_0075, 0, 1);
    assert.deepEqual(taken(), ['0: 117', '2: 117']);
    send(0x4080, 7);
    assert.deepEqual(taken(), []);
  });

  test('interrupt those of a logical destination, in the flat and in the cluster model', () => {
    const { as, send, taken } = three();
    for (const cpu of [0, 1, 2]) as(cpu).write(0xd0, (1 << (24 + cpu)) >>> 0);
    send(0x4841, 0b110);
    assert.deepEqual(taken(), ['1: 65', '2: 65']);
    for (const cpu of [0, 1, 2]) {
      as(cpu).write(0xe0, 0x0fff_ffff);
      as(cpu).write(0xd0, [0x1100_0000, 0x1200_0000, 0x2100_0000][cpu]!);
    }
    send(0x4852, 0x13);
    assert.deepEqual(taken(), ['0: 82', '1: 82']);
    send(0x4863, 0x21);
    assert.deepEqual(taken(), ['2: 99']);
  });

  test('give an interrupt of lowest priority to the one with the lowest processor priority, the first of equals', () => {
    const { as, send, taken } = three();
    for (const cpu of [0, 1, 2]) as(cpu).write(0xd0, (1 << (24 + cpu)) >>> 0);
    as(0).write(0x80, 0x20);
    send(0x4941, 0b111);
    assert.deepEqual(taken(false), ['1: 65']);
    send(0x4951, 0b111);
    assert.deepEqual(taken(), ['2: 81'], 'the second serves 41h, and no EOI has come');
  });

  test('pass on NMI, INIT and start-up interrupts; INIT to the first processor resets the machine', () => {
    const { as, heard, send } = three();
    send(0x4400, 1);
    as(2).write(0x80, 0x30);
    send(0xc_4500);
    send(0xc_4608);
    assert.deepEqual(heard.splice(0), ['NMI 1', 'INIT 1', 'INIT 2', 'start 1 at 8', 'start 2 at 8']);
    assert.deepEqual([as(2).read(0x80), as(2).read(0xf0), as(2).read(0x20)], [0, 0xff, 0x0200_0000]);
    // The INIT level de-assert does nothing (SDM 3A 11.6.1).
    send(0x8500, 1);
    assert.deepEqual(heard, []);
    send(0x4500, 0, 1);
    assert.match(heard.join(), /INIT interrupt to CPU 0/);
  });

  test('take messages and redirected lines that name them', () => {
    const { apics, as, taken } = three();
    assert.equal(apics.message(0xfee0_2000, 0x45), true);
    assert.deepEqual(taken(), ['2: 69']);
    const io = new IoApic(apics);
    for (const [register, value] of [
      [0x10 + 2 * 4 + 1, 0x0100_0000],
      [0x10 + 2 * 4, 0x51],
    ] as const) {
      io.writeMemory(IO, 4, register);
      io.writeMemory(IO + 0x10, 4, value);
    }
    io.setPin(4, true);
    assert.deepEqual(taken(false), ['1: 81']);
    assert.equal(as(1).read(0x120), 0x2_0000);
  });
});
