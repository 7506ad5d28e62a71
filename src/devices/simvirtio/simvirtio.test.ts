import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { consoleBackend, echoBackend, sinkBackend } from './backends.js';
import {
  DeviceStatus,
  DriverStatus,
  deviceAddress,
  notifications,
  Register,
  SIMVIRTIO_BASE,
  simvirtioRegions,
} from './layout.js';
import { simvirtio } from './notification.js';
import { Bench, MockDriver } from './testing.js';

/** The assignment's numbers: from its `#define`s and its text. */
const MAGIC = 0x74726976;
const ANA = 'Ana are mere';

function collector() {
  const bytes: number[] = [];
  return {
    backend: consoleBackend((chunk) => bytes.push(...chunk)),
    text: () => Buffer.from(bytes).toString(),
  };
}

function table(bench: Bench): number[] {
  const count = bench.memory.read16(SIMVIRTIO_BASE);
  return Array.from({ length: count }, (_, i) => Number(bench.memory.read64(SIMVIRTIO_BASE + 8 + 8 * i)));
}

for (const notification of notifications) {
  describe(`a SIMVIRTIO device, by ${notification}`, () => {
    test('starts in the state that the specification requires', () => {
      const bench = new Bench(notification, [sinkBackend()]);
      const driver = new MockDriver(bench);
      assert.equal(driver.read32(0x00), MAGIC);
      assert.equal(driver.read16(0x04), 16);
      assert.equal(driver.read8(0x06), 0x0);
      assert.equal(driver.read16(0x08), 0x8000);
      assert.deepEqual(
        [driver.read8(0x0a), driver.read8(0x0b), driver.read8(0x0c), driver.read8(0x0d)],
        [0, 1, 1, 0],
      );
      assert.deepEqual(
        [0x40, 0x44, 0x80, 0x84].map((offset) => driver.read32(offset)),
        [0, 0, 0, 0],
      );
      assert.equal(bench.memory.read16(SIMVIRTIO_BASE), 0);
    });

    test('does the handshake of the assignment step by step, then prints its input', () => {
      const { backend, text } = collector();
      const bench = new Bench(notification, [backend]);
      const driver = new MockDriver(bench);
      assert.ok(driver.push('R'.charCodeAt(0)));
      bench.service();
      assert.equal(driver.deviceStatus, 0x0);
      assert.equal(driver.driverStatus, 0x8000);
      assert.deepEqual([driver.read32(Register.txHead), driver.read32(Register.txTail)], [0, 0]);
      driver.driverStatus = 0x0;
      bench.service();
      assert.ok(driver.push('C'.charCodeAt(0)));
      bench.service();
      assert.equal(driver.deviceStatus, 0x2);
      assert.deepEqual(table(bench), [deviceAddress(0)]);
      driver.driverStatus = 0x4;
      bench.service();
      assert.equal(driver.deviceStatus, 0x4);
      bench.run(driver.send(Buffer.from(ANA)));
      assert.equal(text(), ANA);
    });

    test('treats the letters R and C as data once it is ready', () => {
      const { backend, text } = collector();
      const bench = new Bench(notification, [backend]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      bench.run(driver.send(Buffer.from('CRC')));
      assert.equal(text(), 'CRC');
      assert.equal(driver.deviceStatus, DeviceStatus.ready);
    });

    test('keeps the order of the handshake: C without an acknowledgement and OK without C do nothing', () => {
      const bench = new Bench(notification, [sinkBackend()]);
      const driver = new MockDriver(bench);
      driver.push('C'.charCodeAt(0));
      bench.service();
      assert.equal(driver.deviceStatus, DeviceStatus.reset);
      driver.driverStatus = DriverStatus.ok;
      bench.service();
      assert.equal(driver.driverStatus, DriverStatus.reset);
      driver.driverStatus = DriverStatus.ack;
      bench.service();
      driver.driverStatus = DriverStatus.ok;
      bench.service();
      assert.equal(driver.driverStatus, DriverStatus.ack);
      assert.deepEqual(table(bench), []);
      driver.driverStatus = DriverStatus.driver;
      bench.service();
      bench.run(driver.send(Buffer.from('xC')));
      bench.run(driver.waitFor(DeviceStatus.config));
    });

    test('replaces every unknown driver status by the old one', () => {
      const bench = new Bench(notification, [sinkBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      for (const status of [1, 2, 3, 5, 0x80, 0x4000, 0x8001, 0x8004, 0xffff, DriverStatus.ack]) {
        driver.driverStatus = status;
        bench.service();
        assert.equal(driver.driverStatus, DriverStatus.ok, status.toString(16));
        assert.equal(driver.deviceStatus, DeviceStatus.ready);
      }
      assert.equal(bench.device.counts[0]!.refused, 10);
    });

    test('is reset by its driver in every phase, and starts over', () => {
      const { backend, text } = collector();
      for (let accesses = 0; accesses < 40; accesses++) {
        const bench = new Bench(notification, [backend]);
        const driver = new MockDriver(bench);
        const life = (function* () {
          yield* driver.handshake();
          yield* driver.send(Buffer.from('lost'));
        })();
        for (let i = 0; i < accesses; i++) {
          life.next();
          bench.service();
        }
        bench.run(driver.resetDevice());
        assert.deepEqual(table(bench), []);
        const before = text();
        bench.run(driver.handshake());
        bench.run(driver.send(Buffer.from(ANA)));
        assert.equal(text(), before + ANA);
        assert.deepEqual(table(bench), [deviceAddress(0)]);
      }
    });

    test('reports the length of the selected queue, 0 where there is none', () => {
      const bench = new Bench(notification, [sinkBackend()]);
      const driver = new MockDriver(bench);
      for (const [selector, length] of [
        [1, 16],
        [2, 0],
        [255, 0],
        [0, 16],
      ] as const) {
        driver.write(Register.queueSelector, 1, selector);
        bench.service();
        assert.equal(driver.read8(Register.queueSelected), selector);
        assert.equal(driver.read16(Register.maxQueueLength), length);
      }
    });

    test('may have queues of another length than the other devices', () => {
      const bench = new Bench(notification, [sinkBackend(), sinkBackend(99)]);
      const drivers = [new MockDriver(bench), new MockDriver(bench, 1, 99)];
      assert.deepEqual(
        drivers.map((driver) => driver.read16(Register.maxQueueLength)),
        [16, 99],
      );
      bench.run(drivers[1]!.handshake());
      drivers[1]!.write(Register.txControl, 1, 0);
      let sent = 0;
      while (drivers[1]!.push(1)) sent++;
      assert.equal(sent, 98);
    });

    test('does not use a stopped queue', () => {
      const { backend, text } = collector();
      const bench = new Bench(notification, [backend, echoBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      driver.write(Register.txControl, 1, 0);
      for (let i = 0; i < 15; i++) assert.equal(driver.push(0x61 + i), true);
      assert.equal(driver.push(0x7a), false);
      bench.service();
      assert.equal(text(), '');
      driver.write(Register.txControl, 1, 1);
      bench.service();
      assert.equal(text(), 'abcdefghijklmno');
      const echo = new MockDriver(bench, 1);
      bench.run(echo.handshake());
      echo.write(Register.rxControl, 1, 0);
      bench.run(echo.send([7]));
      assert.equal(echo.pop(), -1);
      echo.write(Register.rxControl, 1, 1);
      bench.service();
      assert.equal(echo.pop(), 7);
    });

    test('makes its driver wait where its output is not read', () => {
      const bench = new Bench(notification, [echoBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      let sent = 0;
      for (let refused = 0; refused < 3; bench.service()) {
        if (driver.push(sent & 0xff)) sent++;
        else refused++;
      }
      // The capacity of the echo (docs/simvirtio.md), and of the two queues of 16 elements.
      assert.equal(sent, 4096 + 15 + 15);
      const got: number[] = [];
      bench.run(driver.receive(sent, got));
      assert.deepEqual(
        got,
        Array.from({ length: sent }, (_, i) => i & 0xff),
      );
      assert.equal(driver.pop(), -1);
    });

    test('works with nine others, each with its own handshake, in the order of the table', () => {
      const outputs = Array.from({ length: 10 }, collector);
      const bench = new Bench(
        notification,
        outputs.map(({ backend }) => backend),
      );
      const drivers = outputs.map((_, i) => new MockDriver(bench, i));
      const order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7];
      for (const i of order) bench.run(drivers[i]!.handshake());
      assert.deepEqual(table(bench), order.map(deviceAddress));
      for (const [i, driver] of drivers.entries()) bench.run(driver.send(Buffer.from(`device ${i}`)));
      assert.deepEqual(
        outputs.map(({ text }) => text()),
        order.map((_, i) => `device ${i}`),
      );
      bench.run(drivers[4]!.resetDevice());
      assert.deepEqual(table(bench), order.filter((i) => i !== 4).map(deviceAddress));
    });

    test('continues as before in a fresh machine that took its state', () => {
      const bench = new Bench(notification, [echoBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      for (let i = 0; i < 40; i++) {
        driver.push(i);
        bench.service();
      }
      const state = JSON.parse(JSON.stringify(bench.device.save()));
      const fresh = new Bench(notification, [echoBackend()]);
      for (const { address, size } of bench.memory.regions) {
        fresh.memory.writeBytes(address, bench.memory.readBytes(address, size));
      }
      fresh.device.load(state);
      const second = new MockDriver(fresh);
      const got: number[] = [];
      fresh.run(second.receive(40, got));
      assert.deepEqual(
        got,
        Array.from({ length: 40 }, (_, i) => i),
      );
      fresh.run(second.resetDevice());
    });

    test('refuses a state that is not its own', () => {
      const bench = new Bench(notification, [echoBackend()]);
      const good = bench.device.save() as { devices: object[]; table: number[] };
      const wrongDevices = [
        { phase: 'gone' },
        { accepted: 7 },
        { selected: 256 },
        { tx: { head: 16, tail: 0 } },
        { rx: { head: 0, tail: -1 } },
        { kept: [256] },
        { kept: new Array(5000).fill(0) },
      ].map((change) => ({ ...good, devices: [{ ...good.devices[0], ...change }] }));
      const wrong = [null, {}, [], { ...good, devices: [] }, { ...good, table: [1] }, ...wrongDevices];
      for (const state of wrong) {
        assert.throws(
          () => bench.device.load(state),
          { code: 'ESTATE' },
          JSON.stringify(state)?.slice(0, 80),
        );
      }
      assert.deepEqual(bench.device.save(), good);
    });
  });
}

describe('SIMVIRTIO on a machine', () => {
  test('has registers in read-only memory with exits, in plain memory with polling; buffers are plain memory', () => {
    const readOnly = (regions: ReturnType<typeof simvirtioRegions>) =>
      regions.filter((region) => region.readOnly).map(({ address }) => address);
    assert.deepEqual(readOnly(simvirtioRegions('exits', 2)), [SIMVIRTIO_BASE, 0xd0010000, 0xd0020000]);
    assert.deepEqual(readOnly(simvirtioRegions('polling', 2)), []);
  });

  test('refuses an invalid number of devices or queue length', () => {
    const none = { code: 'ECONFIG' };
    assert.throws(() => simvirtio('exits', { backends: [] }), none);
    assert.throws(() => simvirtio('polling', { backends: Array.from({ length: 11 }, sinkBackend) }), none);
    for (const maxQueueLength of [0, 1, 1.5, -1, 16385, Number.NaN]) {
      assert.throws(() => simvirtio('exits', { backends: [sinkBackend()], maxQueueLength }), none);
    }
  });
});
