/** What other loaders do with a kernel: multiboot's header, a disk's boot sector, the higher half, what firmware leaves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../memory/index.js';
import { boot } from './boot.js';
import type { Image } from './image.js';
import { parseImage } from './parse.js';

const MIB = 1024 * 1024;
const machine = (size = 16 * MIB) => GuestMemory.create([{ address: 0, size }]);

/** A file with the header of the specification's 3.1 at an offset, HLT all around. */
function multiboot(flags: number, addresses: readonly number[] = [], offset = 0x40): Uint8Array {
  const file = new Uint8Array(0x1000).fill(0xf4);
  const view = new DataView(file.buffer);
  const words = [0x1badb002, flags, -(0x1badb002 + flags), ...addresses];
  for (const [i, word] of words.entries()) view.setUint32(offset + 4 * i, word >>> 0, true);
  return file;
}

describe('a multiboot kernel', () => {
  const addresses = [0x10_0040, 0x10_0000, 0x10_0800, 0x10_2000, 0x10_0010];

  test('with addresses goes where they say, and starts as the specification’s 3.2 and 3.3 say', () => {
    using memory = machine();
    memory.view(0x10_0800, 0x1800).fill(0x55);
    const plan = boot(memory, parseImage(multiboot(0x1_0000, addresses), 'kernel'));
    assert.equal(plan.mode, 'protected');
    assert.equal(plan.entry, 0x10_0010);
    assert.deepEqual([memory.read8(0x10_0000), memory.read8(0x10_07ff)], [0xf4, 0xf4]);
    assert.ok(
      memory.view(0x10_0800, 0x1800).every((byte) => byte === 0),
      'from load_end_addr to bss_end_addr',
    );
    const { registers, system } = plan.state;
    assert.equal(registers.rax, 0x2badb002n);
    assert.equal(system.cr0 & 0x8000_0001n, 1n, 'PE set, PG clear');
    assert.equal(registers.rflags & 0x2_0200n, 0n, 'IF and VM clear');
    const information = Number(registers.rbx);
    assert.equal(memory.read32(information) & 0x41, 0x41, 'memory and its map');
    assert.deepEqual([memory.read32(information + 4), memory.read32(information + 8)], [639, 15 * 1024]);
    const entries: [number, number, number][] = [];
    const [length, at] = [memory.read32(information + 44), memory.read32(information + 48)];
    for (let entry = at; entry < at + length; entry += memory.read32(entry) + 4)
      entries.push([
        Number(memory.read64(entry + 4)),
        Number(memory.read64(entry + 12)),
        memory.read32(entry + 20),
      ]);
    assert.deepEqual(entries, [
      [0, 0x9_fc00, 1],
      [0x9_fc00, 0x400, 2],
      [0xf_0000, 0x1_0000, 2],
      [MIB, 15 * MIB, 1],
    ]);
    const string = (address: number) => {
      const bytes = memory.view(address, 32);
      return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString();
    };
    assert.equal(string(memory.read32(information + 16)), 'kernel');
    assert.equal(string(memory.read32(information + 64)), 'Terrarium');
  });

  test('in a 64-bit file starts in 32 bits, unless long mode is asked for', () => {
    const image: Image = {
      format: 'elf64',
      name: 'k',
      segments: [{ address: MIB, bytes: Uint8Array.of(0xf4), memorySize: 1 }],
      entry: MIB,
      loader: { protocol: 'multiboot', offset: 0, flags: 0 },
    };
    using memory = machine();
    assert.equal(boot(memory, image).mode, 'protected');
    assert.equal(boot(memory, image, { mode: 'protected' }).state.registers.rax, 0x2badb002n);
    const long = boot(memory, image, { mode: 'long' });
    assert.deepEqual([long.mode, long.state.registers.rax], ['long', 0n]);
  });

  test('is found by its checksum in the first 8 KiB, at multiples of 4, and nowhere else', () => {
    const wrong = multiboot(0x1_0000, addresses);
    wrong[0x48]! ^= 1;
    assert.equal(parseImage(wrong, 'k').loader, undefined);
    assert.equal(parseImage(multiboot(0x1_0000, addresses, 0x42), 'k').loader, undefined);
    const late = new Uint8Array(16384);
    late.set(multiboot(0x1_0000, addresses).subarray(0x40, 0x60), 8192);
    assert.equal(parseImage(late, 'k').loader, undefined);
    // Without addresses a flat file has no load address: it is read as before.
    assert.equal(parseImage(multiboot(0), 'k').loader, undefined);
  });

  test('with a header that lies is refused, with the field', () => {
    const refused: [Uint8Array, RegExp][] = [
      [multiboot(0x1_0008, addresses), /requires features.*0x10008/],
      [multiboot(0x1_0000, [0x10_0040, 0x20_0000, 0, 0, 0x20_0000]), /further apart/],
      [multiboot(0x1_0000, [0x10_0041, 0x10_0000, 0, 0, 0x10_0000]), /further apart/],
      [multiboot(0x1_0000, [0x10_0040, 0x10_0000, 0x11_0000, 0, 0x10_0000]), /load_end_addr.*65536 bytes/],
      [multiboot(0x1_0000, [0x10_0040, 0x10_0000, 0, 0, 0x20_0000]), /entry_addr 0x200000 is outside/],
      [multiboot(0x1_0000, [], 0xff0), /cut off/],
    ];
    for (const [file, why] of refused) assert.throws(() => parseImage(file, 'k'), why);
  });
});

describe('a disk', () => {
  const disk = (size: number) => {
    const image = new Uint8Array(size).fill(0xf4);
    image.set([0x55, 0xaa], 510);
    return image;
  };

  test('of a floppy’s size, or larger than real mode’s memory, has its boot sector loaded and no more', () => {
    for (const size of [1440 * 1024, 360 * 1024, 8 * MIB]) {
      using memory = machine();
      const { segments } = boot(memory, disk(size));
      assert.deepEqual(segments, [{ address: 0x7c00, size: 512 }]);
      assert.equal(memory.read8(0x7c00 + 512), 0);
    }
  });

  test('that is a boot sector with code after it is loaded completely', () => {
    using memory = machine();
    assert.deepEqual(boot(memory, disk(4096)).segments, [{ address: 0x7c00, size: 4096 }]);
  });
});

describe('a kernel of the higher half', () => {
  const image = (virtual: boolean): Image => ({
    format: 'elf32',
    name: 'kernel.elf',
    segments: [
      { address: 0xc010_0000, bytes: Uint8Array.of(0xf4), memorySize: 4096 },
      { address: 0xc010_2000, bytes: Uint8Array.of(1), memorySize: 4096 },
    ],
    entry: 0xc010_0000,
    virtual,
  });

  test('without physical addresses is explained, and goes where --load says', () => {
    using memory = machine();
    assert.throws(() => boot(memory, image(true)), {
      message: /linked for the higher half.*p_paddr is p_vaddr/,
      hint: /AT\(ADDR\(\.text\) - OFFSET\).*--load 0x100000/,
    });
    const plan = boot(memory, image(true), { load: MIB });
    assert.equal(plan.entry, MIB);
    assert.deepEqual([memory.read8(MIB), memory.read8(MIB + 0x2000)], [0xf4, 1]);
  });

  test('that names them, or fits as it is, is not moved', () => {
    using memory = machine();
    assert.throws(() => boot(memory, image(false), { load: MIB }), /cannot be moved/);
    const low = { ...image(true), segments: [{ address: MIB, bytes: Uint8Array.of(0xf4), memorySize: 1 }] };
    assert.throws(() => boot(memory, low, { load: 2 * MIB }), /cannot be moved/);
  });
});

describe('what firmware leaves', () => {
  const kernel: Image = {
    format: 'elf32',
    name: 'k',
    segments: [{ address: MIB, bytes: Uint8Array.of(0xf4), memorySize: 1 }],
    entry: MIB,
  };

  test('is the BIOS data area: memory, screen, serial port', () => {
    using memory = machine();
    boot(memory, kernel);
    // As xv6 and JOS read them; Ralf Brown's MEMORY.LST.
    assert.equal(memory.read16(0x413), 639);
    assert.equal(memory.read16(0x40e), 0x9fc0);
    assert.equal(memory.read16(0x400), 0x3f8);
    assert.deepEqual([memory.read8(0x449), memory.read16(0x44a), memory.read8(0x484)], [3, 80, 24]);
    using small = machine(64 * 1024);
    boot(small, { ...kernel, segments: [{ ...kernel.segments[0]!, address: 0x8000 }], entry: 0x8000 });
    assert.deepEqual([small.read16(0x413), small.read16(0x40e)], [64, 0]);
  });

  test('is a vector table whose places say which interrupt nothing serves', () => {
    using memory = machine();
    const sector = new Uint8Array(512);
    sector.set([0x55, 0xaa], 510);
    boot(memory, sector);
    for (const vector of [0, 0x10, 0x13, 0xff]) {
      assert.equal(memory.read32(4 * vector), 0xf000_d000 + vector);
      assert.equal(memory.read8(0xf_d000 + vector), 0xf4);
    }
  });

  test('is not there for a guest that has the bottom of memory to itself, or that starts at the reset vector', () => {
    for (const image of [Uint8Array.of(0xf4), new Uint8Array(0x1_0000).fill(0x90)]) {
      using memory = machine();
      boot(memory, image);
      assert.ok(memory.view(0x100, 0x400).every((byte) => byte === 0));
    }
  });
});
