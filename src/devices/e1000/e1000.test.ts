/**
 * The 82540EM: registers, EEPROM, rings, filters and offloads, as Intel's manual describes them; and a hostile driver.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import type { NetworkPort } from '../contract/index.js';
import { PciBus } from '../pci/index.js';
import { TestInputs, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { E1000 } from './e1000.js';
import { Register } from './registers.js';

const BASE = 0xe000_0000;
const MAC = Uint8Array.of(0x52, 0x54, 0, 0xab, 0xcd, 0xef);
const RX_RING = 0x1000;
const TX_RING = 0x2000;
const BUFFERS = 0x8000;
const RING = 8;

/** A card with a driver's rings set up. */
function rig({ takesLarge = false } = {}) {
  const memory = GuestMemory.create([{ address: 0, size: 0x4_0000 }]);
  const [sent, waiting] = [[] as Uint8Array[], [] as Uint8Array[]];
  const port: NetworkPort = {
    mac: MAC,
    takesLarge,
    transmit: (frame) => void sent.push(frame.slice()),
    frames: {
      get available() {
        return waiting.length > 0;
      },
      read: () => waiting.shift(),
    },
  };
  const bus = new PciBus();
  const card = new E1000('e1000-0', port, bus, 3);
  const inputs = new TestInputs();
  card.attach({ ...testHost({ memory }), inputs });
  card.config.write(0x10, 4, BASE);
  card.config.write(4, 2, 6);
  const write = (register: number, value: number) => card.writeMemory(BASE + register, 4, value);
  const read = (register: number) => card.readMemory(BASE + register, 4);
  write(Register.rdbal, RX_RING);
  write(Register.rdlen, RING * 16);
  write(Register.tdbal, TX_RING);
  write(Register.tdlen, RING * 16);
  for (let i = 0; i < RING; i++) memory.write32(RX_RING + 16 * i, BUFFERS + 0x1000 * i);
  write(Register.rctl, 0x8002);
  write(Register.tctl, 2);
  write(Register.rdt, RING - 1);
  const descriptor = (index: number, words: readonly number[]) => {
    for (const [i, word] of words.entries()) memory.write32(TX_RING + 16 * index + 4 * i, word >>> 0);
  };
  return { memory, sent, waiting, card, inputs, write, read, descriptor };
}

const frameTo = (to: ArrayLike<number>, length = 60) => {
  const frame = new Uint8Array(length);
  frame.set(Uint8Array.from(to));
  frame[12] = 8;
  return frame;
};

describe('an 82540EM', () => {
  test('has its address in the EEPROM, by both ways to read it, with the checksum BABA', () => {
    const { read, write } = rig();
    const words = Array.from({ length: 64 }, (_, address) => {
      write(Register.eerd, (address << 8) | 1);
      assert.equal(read(Register.eerd) & 0x10, 0x10);
      return read(Register.eerd) >>> 16;
    });
    assert.deepEqual(words.slice(0, 3), [0x5452, 0xab00, 0xefcd]);
    assert.equal(words.reduce((sum, word) => sum + word, 0) & 0xffff, 0xbaba);
    // Microwire, as a driver drives its lines: start, read, address, and 16 bits out (8254x 5.2).
    const clocked = (bit: number) => {
      write(Register.eecd, 2 | (bit << 2));
      write(Register.eecd, 3 | (bit << 2));
      write(Register.eecd, 2 | (bit << 2));
    };
    write(Register.eecd, 0);
    write(Register.eecd, 2);
    for (const bit of [1, 1, 0, 0, 0, 0, 0, 0, 1]) clocked(bit);
    let word = 0;
    for (let i = 0; i < 16; i++) {
      write(Register.eecd, 3);
      word = (word << 1) | ((read(Register.eecd) >> 3) & 1);
      write(Register.eecd, 2);
    }
    assert.equal(word, 0xab00);
  });

  test('takes frames to its address and broadcasts, and no others', () => {
    const { waiting, inputs, memory, read } = rig();
    waiting.push(frameTo([2, 0, 0, 0, 0, 1]), frameTo(MAC), frameTo([255, 255, 255, 255, 255, 255], 1514));
    inputs.look();
    assert.equal(read(Register.rdh), 2);
    assert.equal(memory.read16(RX_RING + 8), 64, 'with the check sequence');
    assert.equal(memory.read16(RX_RING + 16 + 8), 1518);
    assert.equal(memory.readBytes(RX_RING + 12, 1)[0]! & 3, 3, 'done, end of packet');
    assert.deepEqual(memory.readBytes(BUFFERS, 6), MAC);
    assert.equal(read(Register.icr) & 0x80, 0x80);
    assert.equal(read(Register.icr), 0);
  });

  test('stores frames until there are descriptors', () => {
    const { waiting, inputs, read, write } = rig();
    for (let i = 0; i < RING + 2; i++) waiting.push(frameTo(MAC));
    inputs.look();
    assert.deepEqual([read(Register.rdh), waiting.length], [RING - 1, 3]);
    write(Register.rdt, 1);
    assert.deepEqual([read(Register.rdh), waiting.length], [1, 1]);
  });

  test('gathers a frame and inserts its checksum', () => {
    const { memory, sent, write, read, descriptor } = rig();
    memory.writeBytes(BUFFERS, frameTo([1, 2, 3, 4, 5, 6], 14));
    memory.writeBytes(BUFFERS + 100, Uint8Array.of(0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7, 0, 0));
    // The example of RFC 1071, 3: the sum is DDF2.
    descriptor(0, [BUFFERS, 0, 14, 14 << 8]);
    descriptor(1, [BUFFERS + 100, 0, (0x0d << 24) | (22 << 16) | 10, 14 << 8]);
    write(Register.tdt, 2);
    assert.equal(sent.length, 1);
    assert.deepEqual([...sent[0]!.subarray(22)], [0x22, 0x0d]);
    assert.equal(memory.readBytes(TX_RING + 16 + 12, 1)[0]! & 1, 1);
    assert.equal(read(Register.tdh), 2);
  });

  for (const takesLarge of [false, true])
    test(`divides a large segment${takesLarge ? ' only where its port accepts no large ones' : ''}`, () => {
      const { memory, sent, write, descriptor } = rig({ takesLarge });
      const headers = new Uint8Array(54);
      headers.set([0x45], 14);
      headers[26] = 10;
      headers[46] = 0x50;
      headers[47] = 0x19;
      memory.writeBytes(BUFFERS, headers);
      memory.writeBytes(
        BUFFERS + 54,
        Uint8Array.from({ length: 2500 }, (_, i) => i),
      );
      descriptor(0, [
        (33 << 16) | (24 << 8) | 14,
        (50 << 8) | 34,
        (0x27 << 24) | 2500,
        (1000 << 16) | (54 << 8),
      ]);
      descriptor(1, [BUFFERS, 0, (0x2d << 24) | (1 << 20) | 2554, 3 << 8]);
      write(Register.tdt, 2);
      assert.deepEqual(
        sent.map(({ length }) => length),
        takesLarge ? [2554] : [1054, 1054, 554],
      );
      for (const [i, frame] of sent.entries()) {
        const view = new DataView(frame.buffer);
        assert.equal(view.getUint16(16), frame.length - 14, 'the length of IP');
        assert.equal(view.getUint32(38), 1000 * i, 'the sequence number');
        assert.equal(frame[47], i === sent.length - 1 ? 0x19 : 0x10, 'FIN and PSH only in the last');
        let sum = 0;
        for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
        assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff, 'the checksum of IP');
      }
    });

  test('continues in a new card with half a frame to send, and with one that needs more descriptors', () => {
    const [before, after] = [rig(), rig()];
    before.memory.writeBytes(BUFFERS, frameTo([1, 2, 3, 4, 5, 6], 20));
    // No end of the packet yet.
    before.descriptor(0, [BUFFERS, 0, 20, 0]);
    before.write(Register.tdt, 1);
    before.write(Register.rdt, 1);
    // Two buffers of 2,048 bytes, where one is free.
    before.waiting.push(frameTo(MAC, 3000));
    before.write(Register.rctl, 0x8022);
    before.inputs.look();
    assert.deepEqual([before.sent.length, before.waiting.length, before.read(Register.rdh)], [0, 0, 0]);
    after.memory.writeBytes(0, before.memory.readBytes(0, 0x4_0000));
    after.card.load(JSON.parse(JSON.stringify(before.card.save())));
    after.memory.writeBytes(BUFFERS + 100, Uint8Array.of(7, 8, 9));
    after.descriptor(1, [BUFFERS + 100, 0, (1 << 24) | 3, 0]);
    after.write(Register.tdt, 2);
    assert.deepEqual(
      after.sent.map((frame) => [frame.length, ...frame.subarray(20)]),
      [[23, 7, 8, 9]],
    );
    after.write(Register.rdt, 4);
    assert.equal(after.read(Register.rdh), 2);
  });

  test('survives 100,000 random accesses of a driver, its rings anywhere', () => {
    const { card, memory, waiting, inputs } = rig();
    const random = randomNumbers(7);
    const registers = Object.values(Register);
    for (let i = 0; i < 100_000; i++) {
      const register = registers[random() % registers.length]!;
      const value = random() % 2 ? random() : random() & 0xffff;
      if (random() % 3) card.writeMemory(BASE + register, 4, value);
      else card.readMemory(BASE + register, 4);
      if (random() % 4 === 0) memory.write32((random() % 0x1_0000) & ~3, random());
      if (random() % 8 === 0 && waiting.length < 64) {
        const frame = frameTo(random() % 2 ? MAC : [random()], 14 + (random() % 2000));
        waiting.push(frame);
        inputs.look();
      }
    }
    assert.ok(JSON.stringify(card.save()).length < 512 * 1024);
    card.writeMemory(BASE, 4, 1 << 26);
    assert.equal(card.readMemory(BASE + Register.ims, 4), 0);
  });
});

describe('as any device', () => {
  testAnyDevice(({ output, input }) => {
    const port: NetworkPort = {
      transmit: output,
      frames: {
        get available() {
          return input.available;
        },
        read: () => {
          const byte = input.read();
          return byte < 0 ? undefined : new Uint8Array(byte);
        },
      },
    };
    return new E1000('e1000-0', port, new PciBus(), 3);
  });
});
