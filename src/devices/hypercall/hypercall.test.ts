import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../../memory/index.js';
import type { DeviceHost } from '../contract/index.js';
import {
  FIRST_OWN_CALL,
  HYPERCALL_PORT,
  HYPERCALL_VERSION,
  HypercallClock,
  HypercallError,
  HypercallLimit,
  HypercallNumber,
  type HypercallOptions,
  HypercallStatus,
  Hypercalls,
  RequestBlock,
  targetOf,
} from '../index.js';
import { testHost } from '../test-host.js';
import { type MakeDevice, testAnyDevice } from '../testing.js';

const RAM = 0x20000;
const ROM = 0x40000;
const BLOCK = 0x100;
const BUFFER = 0x1000;
const { EAGAIN, EFAULT, EINVAL, ENOSYS, ok } = HypercallStatus;

/** A device with 128 KiB of RAM, a read-only page and all services of a host. */
function bench(options: HypercallOptions = {}) {
  const memory = GuestMemory.create([
    { address: 0, size: RAM },
    { address: ROM, size: 4096, readOnly: true },
  ]);
  const waiting: number[] = [];
  const seen = { output: '', log: [] as string[], exits: [] as number[] };
  let ticks = 0n;
  const device = new Hypercalls({
    output: (bytes) => {
      seen.output += Buffer.from(bytes).toString('latin1');
    },
    input: {
      get available() {
        return waiting.length > 0;
      },
      read: () => waiting.shift() ?? -1,
    },
    log: (text) => seen.log.push(text),
    clock: { unix: () => 1_700_000_000_000_000_000n, monotonic: () => ++ticks },
    random: (bytes) => bytes.set(Uint8Array.from(bytes, (_, i) => 0xa0 + (i & 0xf))),
    ...options,
  });
  device.attach(testHost({ memory, exit: (code) => void seen.exits.push(code) }));
  /** Fills the block at `at` and calls; returns status and result as the guest reads them. */
  const call = (number: number, args: (bigint | number)[] = [], at = BLOCK) => {
    memory.write32(at, number);
    memory.write32(at + 4, 0x7777);
    memory.write64(at + 8, 0x7777n);
    for (let i = 0; i < 4; i++) memory.write64(at + 16 + 8 * i, BigInt.asUintN(64, BigInt(args[i] ?? 0)));
    device.writePort(HYPERCALL_PORT, 4, at);
    return { status: memory.read32(at + 4) | 0, result: memory.read64(at + 8) };
  };
  const type = (text: string) => waiting.push(...Buffer.from(text));
  const text = (address: number, length: bigint | number) =>
    Buffer.from(memory.readBytes(address, Number(length))).toString('latin1');
  return { device, memory, seen, call, type, text, waiting };
}

describe('hypercalls', () => {
  test('report the version and the available calls', () => {
    assert.deepEqual(bench().call(HypercallNumber.version), {
      status: ok,
      result: (0b111_1111n << 32n) | BigInt(HYPERCALL_VERSION),
    });
    const device = new Hypercalls();
    const memory = GuestMemory.create([{ address: 0, size: 4096 }]);
    device.attach(testHost({ memory }));
    device.writePort(HYPERCALL_PORT, 4, 0);
    assert.equal(
      memory.read64(8) >> 32n,
      0b11_1001n,
      'version and exit, and time and random numbers, which are the machine’s',
    );
  });

  test('use the error numbers of Linux', () => {
    const { errno } = constants;
    assert.deepEqual(
      [EAGAIN, EFAULT, EINVAL, ENOSYS],
      [-errno.EAGAIN, -errno.EFAULT, -errno.EINVAL, -errno.ENOSYS],
    );
  });

  test('write to the console, at most 64 KiB a call', () => {
    const { call, memory, seen } = bench();
    memory.writeBytes(BUFFER, Buffer.from('hello\n'));
    assert.deepEqual(call(HypercallNumber.write, [BUFFER, 6]), { status: ok, result: 6n });
    assert.equal(seen.output, 'hello\n');
    assert.deepEqual(call(HypercallNumber.write, [BUFFER, 2n ** 64n - 1n]), { status: ok, result: 65536n });
    assert.deepEqual(call(HypercallNumber.write, [ROM, 4]), { status: ok, result: 4n }, 'ROM can be read');
    assert.deepEqual(call(HypercallNumber.write, [BUFFER, 0]), { status: ok, result: 0n });
  });

  test('read a line if there is one, and never wait', () => {
    const { call, type, text } = bench();
    assert.equal(call(HypercallNumber.readLine, [BUFFER, 80]).status, EAGAIN);
    type('Ad');
    assert.equal(call(HypercallNumber.readLine, [BUFFER, 80]).status, EAGAIN);
    type('a\nGrace\n');
    assert.deepEqual(call(HypercallNumber.readLine, [BUFFER, 80]), { status: ok, result: 4n });
    assert.equal(text(BUFFER, 4), 'Ada\n');
    assert.deepEqual(call(HypercallNumber.readLine, [BUFFER, 3]), { status: ok, result: 3n });
    assert.equal(text(BUFFER, 3), 'Gra', 'a small buffer gets the line in parts');
    assert.deepEqual(call(HypercallNumber.readLine, [BUFFER, 3]), { status: ok, result: 3n });
    assert.equal(text(BUFFER, 3), 'ce\n');
    assert.equal(call(HypercallNumber.readLine, [BUFFER, 0]).status, EINVAL);
  });

  test('take no more input than a line or a buffer, so that an invalid call loses none', () => {
    const { call, type, waiting } = bench();
    type('one\ntwo\n');
    call(HypercallNumber.readLine, [BUFFER, 80]);
    assert.equal(waiting.length, 4);
    for (const [address, length] of [[RAM, 80] as const, [ROM, 80] as const, [BLOCK, 80] as const])
      assert.notEqual(call(HypercallNumber.readLine, [address, length]).status, ok);
    assert.equal(waiting.length, 4);
    type('x'.repeat(10_000));
    call(HypercallNumber.readLine, [BUFFER, 80]);
    assert.deepEqual(call(HypercallNumber.readLine, [BUFFER, 10_000]), { status: ok, result: 4096n });
  });

  test("end the run with the guest's code, tell the time, give random bytes", () => {
    const { call, seen, text } = bench();
    call(HypercallNumber.exit, [0x12a]);
    assert.deepEqual(seen.exits, [0x2a]);
    assert.equal(call(HypercallNumber.time, [HypercallClock.unix]).result, 1_700_000_000_000_000_000n);
    assert.equal(call(HypercallNumber.time, [HypercallClock.monotonic]).result, 1n);
    assert.equal(call(HypercallNumber.time, [HypercallClock.monotonic]).result, 2n);
    assert.equal(call(HypercallNumber.time, [2]).status, EINVAL);
    assert.equal(call(HypercallNumber.time, [2n ** 63n]).status, EINVAL);
    assert.deepEqual(call(HypercallNumber.random, [BUFFER, 3]), { status: ok, result: 3n });
    assert.equal(text(BUFFER, 4), '\xa0\xa1\xa2\0');
    assert.equal(call(HypercallNumber.random, [BUFFER, 2n ** 40n]).result, BigInt(HypercallLimit.random));
  });

  test('log text that cannot control a terminal', () => {
    const { call, memory, seen } = bench();
    const bytes = Buffer.from('a\x1b[2Jb\nc\x9b\u202e ä\xff\n');
    memory.writeBytes(BUFFER, bytes);
    call(HypercallNumber.log, [BUFFER, bytes.length]);
    assert.deepEqual(seen.log, ['a\\x1b[2Jb\\nc\\x9b\\u{202e} äÿ']);
  });

  test('answer in the block, and at the port where the block is not in RAM', () => {
    const { device, memory, call } = bench();
    assert.equal(device.readPort(HYPERCALL_PORT, 4), 0);
    for (const block of [RAM, RAM - RequestBlock.size + 1, 0xffff_ffff, 0xffff_fff0, 0x8000_0000, ROM]) {
      device.writePort(HYPERCALL_PORT, 4, block);
      assert.equal(device.readPort(HYPERCALL_PORT, 4) | 0, EFAULT, block.toString(16));
    }
    assert.equal(memory.read64(ROM + 8), 0n, 'read-only memory stays as it is');
    assert.equal(device.readPort(HYPERCALL_PORT, 1), EFAULT & 0xff);
    assert.equal(call(7).status, ENOSYS);
    assert.equal(call(0xffff_ffff).status, ENOSYS);
    assert.equal(device.readPort(HYPERCALL_PORT, 4) | 0, ENOSYS);
    assert.equal(call(HypercallNumber.version, [], RAM - RequestBlock.size).status, ok, 'the last place');
    assert.equal(call(HypercallNumber.version, [], 0x203).status, ok, 'no alignment is required');
  });

  test('are made only by a write of 32 bits', () => {
    const { device, memory } = bench();
    memory.write32(BLOCK + 4, 0x7777);
    device.writePort(HYPERCALL_PORT, 1, BLOCK & 0xff);
    device.writePort(HYPERCALL_PORT, 2, BLOCK);
    assert.equal(memory.read32(BLOCK + 4), 0x7777);
  });

  test('refuse every buffer that the guest itself could not access', () => {
    const { call } = bench();
    const numbers = [HypercallNumber.write, HypercallNumber.random, HypercallNumber.log];
    for (const number of [...numbers, HypercallNumber.readLine]) {
      for (const [address, length] of [
        [RAM, 1],
        [RAM - 1, 2],
        [2n ** 32n + BigInt(BUFFER), 1],
        [2n ** 53n, 1],
        [2n ** 64n - 1n, 2],
        [-1, 1],
        [RAM - 8, 2n ** 64n - 1n],
      ] as const) {
        assert.deepEqual(
          call(number, [address, length]),
          { status: EFAULT, result: 0n },
          `${address} ${length}`,
        );
      }
    }
    assert.equal(call(HypercallNumber.random, [ROM, 1]).status, EFAULT);
    for (const at of [BLOCK - 1, BLOCK, BLOCK + RequestBlock.size - 1])
      assert.equal(call(HypercallNumber.random, [at, 2]).status, EINVAL);
    assert.equal(call(HypercallNumber.random, [BLOCK - 2, 2]).status, ok);
    assert.equal(call(HypercallNumber.random, [BLOCK + RequestBlock.size, 2]).status, ok);
  });

  test('read the block once: changes during the call have no effect', () => {
    const made = bench({
      calls: {
        64: {
          name: 'change my mind',
          handle(request, memory) {
            memory.write32(request.address, 65);
            memory.write64(request.address + RequestBlock.args, 99n);
            return request.args[0];
          },
        },
      },
    });
    assert.deepEqual(made.call(64, [7]), { status: ok, result: 7n });
  });

  test("support custom calls, with statuses for the guest's mistakes", () => {
    const { call } = bench({
      calls: {
        64: { name: 'add', handle: ({ args }) => args[0] + args[1] },
        65: { name: 'nothing', handle: () => undefined },
        66: {
          name: 'again',
          handle() {
            throw new HypercallError('EAGAIN');
          },
        },
        67: { name: 'peek', handle: ({ args }, memory) => memory.read32(Number(args[0])) },
        68: {
          name: 'fill',
          handle(request, memory) {
            const { address, length } = targetOf(memory, request, 16);
            memory.writeBytes(address, new Uint8Array(length).fill(7));
            return length;
          },
        },
        69: {
          name: 'broken',
          handle() {
            throw new RangeError('a mistake in TypeScript');
          },
        },
      },
    });
    assert.deepEqual(call(64, [2n ** 64n - 1n, 2]), { status: ok, result: 1n }, 'results are 64 bits');
    assert.deepEqual(call(65), { status: ok, result: 0n });
    assert.deepEqual(call(66), { status: EAGAIN, result: 0n });
    assert.deepEqual(call(67, [RAM]), { status: EFAULT, result: 0n });
    assert.deepEqual(call(68, [BUFFER, 100]), { status: ok, result: 16n });
    assert.throws(() => call(69), /a mistake in TypeScript/);
    const own = { name: 'mine', handle: () => 0 };
    for (const number of [FIRST_OWN_CALL - 1, 1, -1, 0.5, 2 ** 32])
      assert.throws(() => new Hypercalls({ calls: { [number]: own } }), { code: 'ECONFIG' });
  });

  test('refuse a saved state that no device saves', () => {
    const { device } = bench();
    for (const state of [null, [], {}, { status: 0 }, { status: 1, line: [] }, { status: 0, line: [256] }])
      assert.throws(() => device.load(state), { code: 'ESTATE' }, JSON.stringify(state));
    const long = { status: 0, line: new Array(HypercallLimit.readLine + 1).fill(0) };
    assert.throws(() => device.load(long), { code: 'ESTATE' });
    assert.deepEqual(device.save(), { status: 0, line: [] });
  });
});

describe('hypercalls from a hostile guest', () => {
  /** Addresses where something can go wrong: edges of RAM, of read-only memory, of the block, of the number range. */
  const place = fc.oneof(
    fc.constantFrom(0, BLOCK, BUFFER, RAM, ROM, ROM + 4096, 2 ** 31, 2 ** 32, 2 ** 53),
    fc.nat(RAM + 4096),
  );
  const address = fc
    .tuple(place, fc.integer({ min: -64, max: 64 }))
    .map(([at, near]) => BigInt.asUintN(64, BigInt(at) + BigInt(near)));
  const argument = fc.oneof(address, fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 64n));
  const request = fc.record({
    at: address.map((at) => Number(at & 0xffff_ffffn)),
    number: fc.oneof(fc.nat(8), fc.nat(0xffff_ffff)),
    args: fc.tuple(argument, argument, argument, argument),
    typed: fc.string({ maxLength: 20 }),
  });

  test('no request throws, hangs or writes anything but block and buffer', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        const { device, memory, type } = bench();
        for (const { at, number, args, typed } of requests) {
          type(typed);
          const inRam = at + RequestBlock.size <= RAM;
          if (inRam) {
            memory.write32(at, number);
            for (const [i, arg] of args.entries()) memory.write64(at + 16 + 8 * i, arg);
          }
          const before = memory.readBytes(0, RAM);
          device.writePort(HYPERCALL_PORT, 4, at);
          const after = memory.readBytes(0, RAM);
          const status = device.readPort(HYPERCALL_PORT, 4) | 0;
          assert.ok(Object.values(HypercallStatus).includes(status as never), String(status));
          assert.equal(status === EFAULT || inRam, true);
          const mayWrite = (i: number) => {
            if (inRam && i >= at + 4 && i < at + 16) return true;
            if (status !== ok) return false;
            const fills = number === HypercallNumber.readLine || number === HypercallNumber.random;
            return fills && BigInt(i) >= args[0] && BigInt(i) < args[0] + 4096n && i - Number(args[0]) < 4096;
          };
          for (let i = 0; i < RAM; i++) {
            if (before[i] !== after[i] && !mayWrite(i)) assert.fail(`byte ${i} changed`);
          }
        }
        assert.deepEqual(
          memory.readBytes(ROM, 4096).some((byte) => byte !== 0),
          false,
        );
      }),
      { numRuns: 100 },
    );
  });

  /** Like a guest that knows its blocks: half of its writes to the port are the address of one. */
  const made: MakeDevice = ({ output, input }) => {
    let ticks = 0n;
    const memory = GuestMemory.create([{ address: 0, size: RAM }]);
    const device = new Hypercalls({
      output,
      input,
      log: () => {},
      clock: { unix: () => ++ticks, monotonic: () => ++ticks },
      random: (bytes) => bytes.fill(4),
    });
    const calls = [0, 1, 2, 2, 2, 3, 4, 5, 6, 7];
    for (const [i, number] of calls.entries()) {
      memory.write32(i * 64, number);
      memory.write64(i * 64 + 16, number === 4 ? 1n : BigInt(BUFFER));
      memory.write64(i * 64 + 24, BigInt(1 + i * 5));
    }
    return Object.assign(Object.create(device) as Hypercalls, {
      attach: (host: DeviceHost) => device.attach({ ...host, memory }),
      readPort: (port: number, size: 1 | 2 | 4) => device.readPort(port, size),
      writePort: (port: number, size: 1 | 2 | 4, value: number) =>
        device.writePort(port, size, value % 2 === 0 ? (value % calls.length) * 64 : value),
      save: () => device.save(),
      load: (state: unknown) => device.load(state),
    });
  };
  testAnyDevice(made);
});

describe('the header for guests', () => {
  const header = readFileSync('guests/include/hypercall.h', 'utf8');
  const defined = (name: string) => Number(new RegExp(`#define ${name}\\s+\\(?(-?\\w+)`).exec(header)?.[1]);

  test('has the numbers of the device', () => {
    assert.equal(defined('PORT_HYPERCALL'), HYPERCALL_PORT);
    assert.equal(defined('HYPERCALL_FIRST_OWN'), FIRST_OWN_CALL);
    for (const [name, number] of Object.entries(HypercallNumber)) {
      const word = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
      assert.equal(defined(`HYPERCALL_${word}`), number, word);
    }
    for (const [name, status] of Object.entries(HypercallStatus)) {
      if (name !== 'ok') assert.equal(defined(`HYPERCALL_${name}`), status, name);
    }
    for (const [name, clock] of Object.entries(HypercallClock))
      assert.equal(defined(`HYPERCALL_CLOCK_${name.toUpperCase()}`), clock, name);
  });
});
