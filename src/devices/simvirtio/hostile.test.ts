/** Properties that hold for every order of accesses, and for all values that a driver writes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { randomNumbers } from '../../random.js';
import type { AccessSize } from '../contract/index.js';
import { consoleBackend, echoBackend, sinkBackend } from './backends.js';
import {
  DeviceStatus,
  deviceAddress,
  type Notification,
  notifications,
  Register,
  SIMVIRTIO_BASE,
} from './layout.js';
import { bytesInQueue, ConsumerEnd, circBufferPop, circBufferPush, ProducerEnd } from './queue.js';
import { Bench, MockDriver } from './testing.js';

const seeds = fc.integer({ min: 1, max: 0xffffffff });

/** A queue of the seed: control words and `maxlen` bytes. */
function queue(maxlen: number) {
  return { control: new Uint32Array(new SharedArrayBuffer(8)), buffer: new Uint8Array(maxlen) };
}

/** The three devices of a machine, and the output of their console. */
function hostileBench(notification: Notification) {
  const printed: number[] = [];
  const backends = [consoleBackend((bytes) => printed.push(...bytes)), echoBackend(), sinkBackend()];
  return { bench: new Bench(notification, backends), printed };
}

const interesting = Object.values(Register);

/** One write of a hostile driver, mostly to an existing register, and a run of the devices. */
function lie(bench: Bench, random: () => number): void {
  const size = (1 << (random() % 3)) as AccessSize;
  const device = deviceAddress(random() % 3);
  const aimed = random() % 4 !== 0;
  const offset = aimed ? interesting[random() % interesting.length]! : random() % (4096 - size);
  const address = random() % 32 === 0 ? SIMVIRTIO_BASE + (random() % 96) : device + offset;
  const small = random() % 2 === 0 ? random() % 20 : random();
  bench.write(address, size, small % 2 ** (8 * size));
  bench.service();
}

describe('the circular buffer', () => {
  test('returns the pushed bytes in order, and is full and empty like a list of maxlen − 1', () => {
    const commands = fc.array(fc.oneof(fc.nat(255), fc.constant(-1)), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), commands, (maxlen, list) => {
        const shared = queue(maxlen);
        const model: number[] = [];
        for (const command of list) {
          if (command < 0) assert.equal(circBufferPop(shared), model.shift() ?? -1);
          else {
            const room = model.length < maxlen - 1;
            assert.equal(circBufferPush(shared, command), room);
            if (room) model.push(command);
          }
          assert.equal(bytesInQueue(shared.control[0]!, shared.control[1]!, maxlen), model.length);
        }
      }),
    );
  });

  test('loses, doubles and reorders nothing between a pushing driver and a device that takes any amount', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 33 }), (seed, maxlen) => {
        const random = randomNumbers(seed);
        const shared = queue(maxlen);
        const device = new ConsumerEnd(shared);
        const got: number[] = [];
        let sent = 0;
        while (got.length < 500) {
          if (random() % 2 === 0) {
            if (circBufferPush(shared, sent & 0xff)) sent++;
          } else {
            device.look();
            device.drain((bytes) => {
              const taken = random() % (bytes.length + 1);
              got.push(...bytes.subarray(0, taken));
              return taken;
            });
          }
        }
        assert.deepEqual(
          got,
          Array.from(got, (_, i) => i & 0xff),
        );
      }),
    );
  });

  test('… nor between a device that gives any amount and a popping driver', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 33 }), (seed, maxlen) => {
        const random = randomNumbers(seed);
        const shared = queue(maxlen);
        const device = new ProducerEnd(shared);
        const got: number[] = [];
        let sent = 0;
        while (got.length < 500) {
          if (random() % 2 === 0) {
            const byte = circBufferPop(shared);
            if (byte >= 0) got.push(byte);
          } else {
            device.look();
            device.fill((room) => {
              const given = random() % (room.length + 1);
              for (let i = 0; i < given; i++) room[i] = sent++ & 0xff;
              return given;
            });
          }
        }
        assert.deepEqual(
          got,
          Array.from(got, (_, i) => i & 0xff),
        );
      }),
    );
  });
});

for (const notification of notifications) {
  describe(`SIMVIRTIO by ${notification}, with random accesses`, () => {
    test('echoes every byte once and in order for all orders of driver and device', () => {
      fc.assert(
        fc.property(seeds, fc.integer({ min: 2, max: 20 }), (seed, maxlen) => {
          const random = randomNumbers(seed);
          const bench = new Bench(notification, [sinkBackend(), echoBackend()], maxlen);
          const driver = new MockDriver(bench, 1, maxlen);
          bench.run(driver.handshake());
          const sent = Array.from({ length: 200 }, () => random() & 0xff);
          const got: number[] = [];
          const sending = driver.send(sent);
          const receiving = driver.receive(sent.length, got);
          for (let turns = 0; got.length < sent.length; turns++) {
            assert.ok(turns < 100_000, 'the driver waits forever');
            const who = random() % 3;
            if (who === 0) sending.next();
            else if (who === 1) receiving.next();
            else bench.service();
          }
          assert.deepEqual(got, sent);
        }),
        { numRuns: 60 },
      );
    });

    test('survives 100,000 random accesses of every size, and works after a reset', () => {
      const random = randomNumbers(7);
      const { bench, printed } = hostileBench(notification);
      for (let i = 0; i < 100_000; i++) lie(bench, random);
      assert.ok(JSON.stringify(bench.device.save()).length < 64 * 1024);
      // No more than a queue of 16 elements holds, per run.
      assert.ok(printed.length <= 15 * 100_000);
      const driver = new MockDriver(bench, 1);
      bench.run(driver.resetDevice());
      bench.run(driver.handshake());
      const got: number[] = [];
      bench.run(driver.send([1, 2, 3]));
      bench.run(driver.receive(3, got));
      assert.deepEqual(got, [1, 2, 3]);
    });

    test('continues as before, after any writes, in a new machine that took memory and state', () => {
      fc.assert(
        fc.property(seeds, fc.nat(400), (seed, before) => {
          const random = randomNumbers(seed);
          const [old, fresh] = [hostileBench(notification), hostileBench(notification)];
          for (let i = 0; i < 3; i++) old.bench.run(new MockDriver(old.bench, i).handshake());
          for (let i = 0; i < before; i++) lie(old.bench, random);
          const { regions } = old.bench.memory;
          for (const { address, size } of regions)
            fresh.bench.memory.writeBytes(address, old.bench.memory.readBytes(address, size));
          fresh.bench.device.load(JSON.parse(JSON.stringify(old.bench.device.save())));
          old.printed.length = 0;
          const further = random();
          for (const { bench } of [old, fresh]) {
            const same = randomNumbers(further);
            for (let i = 0; i < 200; i++) lie(bench, same);
          }
          assert.deepEqual(fresh.printed, old.printed);
          assert.deepEqual(fresh.bench.device.save(), old.bench.device.save());
          for (const { address, size } of regions) {
            const [is, was] = [fresh, old].map(({ bench }) => bench.memory.readBytes(address, size));
            assert.ok(Buffer.compare(is!, was!) === 0, `the region at 0x${address.toString(16)}`);
          }
        }),
        { numRuns: 40 },
      );
    });

    test('restores indexes that are outside the queue, and continues', () => {
      const bench = new Bench(notification, [echoBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      bench.run(driver.send([1, 2, 3]));
      const head = driver.read32(Register.txHead);
      for (const lie of [16, 17, 0x7fffffff, 0x80000000, 0xffffffff]) {
        driver.write(Register.txHead, 4, lie);
        bench.service();
        assert.equal(driver.read32(Register.txHead), head);
        driver.write(Register.rxTail, 4, lie);
        bench.service();
        assert.equal(driver.read32(Register.rxTail), 0);
      }
      bench.run(driver.send([4]));
      const got: number[] = [];
      bench.run(driver.receive(4, got));
      assert.deepEqual(got, [1, 2, 3, 4]);
    });

    test('ignores a driver’s writes to read-only fields', () => {
      const bench = new Bench(notification, [echoBackend()]);
      const driver = new MockDriver(bench);
      bench.run(driver.handshake());
      bench.run(driver.send([1]));
      bench.write(SIMVIRTIO_BASE, 2, 0xffff);
      bench.write(SIMVIRTIO_BASE + 8, 4, 0xdead0000);
      driver.write(Register.magic, 4, 0);
      driver.write(Register.maxQueueLength, 2, 0);
      driver.write(Register.deviceStatus, 1, DeviceStatus.reset);
      driver.write(Register.txTail, 4, 0xffffffff);
      driver.write(Register.rxHead, 4, 0xffffffff);
      bench.service();
      if (notification === 'exits') {
        assert.equal(driver.deviceStatus, DeviceStatus.ready);
        assert.equal(driver.read32(Register.magic), 0x74726976);
        assert.equal(bench.memory.read16(SIMVIRTIO_BASE), 1);
      }
      assert.equal(bench.device.counts[0]!.phase, 'ready');
      bench.run(driver.resetDevice());
      assert.equal(driver.read32(Register.magic), 0x74726976);
      bench.run(driver.handshake());
      assert.equal(bench.memory.read16(SIMVIRTIO_BASE), 1);
      assert.equal(bench.memory.read64(SIMVIRTIO_BASE + 8), BigInt(deviceAddress(0)));
    });

    test('is found and reset after any writes of its driver in any phase', () => {
      const random = randomNumbers(11);
      for (let life = 0; life < 200; life++) {
        const bench = new Bench(notification, [echoBackend()]);
        const driver = new MockDriver(bench);
        const start = driver.handshake();
        for (let i = random() % 20; i > 0; i--) {
          start.next();
          bench.service();
        }
        for (let i = 0; i < 40; i++) {
          driver.write((random() % 35) * 4, 4, random() % 2 === 0 ? random() : random() % 17);
          if (random() % 3 === 0) bench.service();
        }
        bench.service();
        bench.run(driver.resetDevice());
        bench.service();
        assert.equal(driver.read32(Register.magic), 0x74726976);
        bench.run(driver.handshake());
        assert.equal(bench.memory.read16(SIMVIRTIO_BASE), 1);
      }
    });

    test('waits for a driver that never answers, and does nothing meanwhile', () => {
      const bench = new Bench(notification, [sinkBackend()]);
      const driver = new MockDriver(bench);
      driver.push('R'.charCodeAt(0));
      bench.service();
      const before = JSON.stringify(bench.device.save());
      for (let i = 0; i < 1000; i++) bench.service();
      assert.equal(JSON.stringify(bench.device.save()), before);
    });
  });
}
