/** Guests that mean no good to the software CPU: each ends in words or can be stopped at once, and can go on from there. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../src/boot/index.js';
import { createMachine, hostMachine } from '../src/host/index.js';

/** A stop is felt within this; on a host whose processors are busy elsewhere a thread may wait as long again. */
const LATE_MS = 50;

const image = (code: readonly number[]) => parseImage(Uint8Array.from(code), 'code');
const guest = (code: readonly number[]) =>
  createMachine({ engine: 'soft', image: image(code), mode: 'real', memory: 0x10000 });

function end(code: readonly number[]) {
  using machine = guest(code);
  return machine.run({ timeoutMs: 1000 });
}

/** 16-bit code that never ends. */
const endless: Record<string, number[]> = {
  'a tight loop': [0xeb, 0xfe],
  // mov sp, 0x8000; ud2, whose vector is 0:0, where this begins
  'exceptions without end': [0xbc, 0x00, 0x80, 0x0f, 0x0b],
  // adds 1 to the immediate of the instruction behind it: mov ax, 0; mov ds, ax; inc word [cs:next+1]; mov bx, imm; jmp
  'code that changes itself': [0x2e, 0xff, 0x06, 0x06, 0x00, 0xbb, 0x00, 0x00, 0xeb, 0xf6],
  'an access to a device for ever': [0xe6, 0x80, 0xeb, 0xfc],
};

describe('a guest that never ends', () => {
  for (const [name, code] of Object.entries(endless)) {
    test(`${name}: its time runs out, and it goes on from there`, () => {
      using machine = guest(code);
      machine.run({ timeoutMs: 20 });
      for (let times = 0; times < 3; times++) {
        const started = performance.now();
        const outcome = machine.run({ timeoutMs: 20 });
        assert.equal(outcome.kind, 'timeout', outcome.reason);
        const late = performance.now() - started - 20;
        assert.ok(late < LATE_MS * 2, `${late} ms late`);
      }
    });
  }

  test('rep with a huge count, 4,294,967,295 rounds of one instruction: the same', () => {
    // mov ecx, -1; xor esi, esi; rep lodsb; jmp
    const code = [0xb9, 0xff, 0xff, 0xff, 0xff, 0x31, 0xf6, 0xf3, 0xac, 0xeb, 0xf5];
    using machine = createMachine({
      engine: 'soft',
      image: image(code),
      mode: 'protected',
      memory: 256 * 1024 * 1024,
    });
    let count = 0x1_0000_0000n;
    for (let times = 0; times < 3; times++) {
      const started = performance.now();
      const { kind, registers } = machine.run({ timeoutMs: 20 });
      assert.equal(kind, 'timeout');
      const late = performance.now() - started - 20;
      assert.ok(late < LATE_MS * 2, `${late} ms late`);
      assert.ok(registers.rcx < count, 'it goes on from where it was');
      count = registers.rcx;
    }
  });

  test('fills the code cache without end: each turn runs code that was never there', () => {
    // mov di, 0x2000; fill: mov [di], ax as inc-like bytes; call; ret: writes B8 imm16 C3 at a place that moves on.
    const code = [
      ...[0xbf, 0x00, 0x20], // mov di, 0x2000
      ...[0xc6, 0x05, 0xb8], // again: mov byte [di], 0xb8
      ...[0x89, 0x5d, 0x01], // mov [di+1], bx
      ...[0xc6, 0x45, 0x03, 0xc3], // mov byte [di+3], 0xc3
      ...[0xff, 0xd7], // call di
      0x43, // inc bx
      ...[0x83, 0xc7, 0x05], // add di, 5
      ...[0x81, 0xff, 0x00, 0xe0], // cmp di, 0xe000
      ...[0x72, 0xea], // jb again
      ...[0xeb, 0xe5], // jmp start
    ];
    using machine = guest(code);
    const outcome = machine.run({ timeoutMs: 500 });
    assert.equal(outcome.kind, 'timeout', outcome.reason);
    assert.equal(
      machine.memory.wasm.buffer.byteLength,
      machine.memory.buffer.byteLength,
      'and takes no memory',
    );
  });

  test('is stopped from another thread at once, whatever it does', async () => {
    for (const code of Object.values(endless)) {
      await using machine = await hostMachine({
        engine: 'soft',
        image: image(code),
        mode: 'real',
        memory: 0x10000,
      });
      const running = machine.run();
      await new Promise((resolve) => setTimeout(resolve, 30));
      const started = performance.now();
      await machine.stop();
      assert.equal((await running).kind, 'stopped');
      assert.ok(performance.now() - started < LATE_MS * 4, `${performance.now() - started} ms`);
    }
  });
});

describe('a guest that cannot go on', () => {
  test('halts for ever', () => {
    assert.equal(end([0xfa, 0xf4]).kind, 'halted');
  });

  test('jumps outside of RAM', () => {
    assert.equal(end([0xea, 0x00, 0x00, 0x00, 0xf0]).kind, 'engineError');
  });

  test('runs off the end of RAM into a hole', () => {
    // jmp 0x0fff:0x000e, whose NOPs (RAM is zero: add [bx+si], al) lead over 64 KiB
    assert.equal(end([0xea, 0x0e, 0x00, 0xff, 0x0f]).kind, 'engineError');
  });

  test('nests exceptions until nothing is left to deliver them', () => {
    // lidt with a limit of 0: the first exception cannot be delivered, nor the double fault after it
    assert.equal(end([0x0f, 0x01, 0x1e, 0x10, 0x00, 0x0f, 0x0b]).kind, 'shutdown');
  });

  test('sets every reserved bit of CR4', () => {
    // mov eax, -1; mov cr4, eax: #GP, whose vector leads to 0:0, where it comes again: its time runs out
    const { kind } = end([0x66, 0xb8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x22, 0xe0, 0xf4]);
    assert.ok(['timeout', 'shutdown', 'engineError'].includes(kind), kind);
  });
});
