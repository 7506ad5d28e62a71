/** An image is only read, from every kind of bytes: slices of Node's Buffers share memory where other arrays copy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createMachine } from '../../src/runtime/index.js';
import { root } from '../support.js';

test('an image in a Buffer that shares its memory puts the same bytes into RAM, and is not changed', () => {
  const file = readFileSync(path.join(root, 'guests/multiboot/multiboot.elf'));
  const shared = Buffer.concat([Buffer.alloc(64, 0xaa), file]).subarray(64);
  const ram = [new Uint8Array(file), shared].map((bytes) => {
    using machine = createMachine({ image: bytes, engine: 'soft', vga: true });
    return Buffer.from(machine.memory.view(0x100000, 0x10000));
  });
  assert.ok(ram[0]!.equals(ram[1]!));
  assert.ok(shared.equals(file));
});
