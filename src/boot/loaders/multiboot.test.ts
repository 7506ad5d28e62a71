/** Multiboot 1 and 2, by what their specifications (0.6.96 and 2.0) say of headers and of information. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import { type BootOptions, type BootPlan, boot } from '../boot.js';
import type { Image } from '../image.js';
import { parseImage } from '../parse.js';
import type { FrameBuffer } from './loader.js';
import { fileWith, textAt, words } from './testing.js';

const MIB = 1024 * 1024;
const machine = (size = 16 * MIB) => GuestMemory.create([{ address: 0, size }]);
const TEXT: FrameBuffer = { address: 0xb8000, pitch: 160, width: 80, height: 25, bits: 16, kind: 'text' };

/** A multiboot 1 kernel of 4 KiB at 1 MiB, with more after its addresses. */
function one(
  flags = 0x1_0000,
  addresses: readonly number[] = [0x10_0040, MIB, 0, 0, MIB],
  ...video: number[]
) {
  return fileWith(4096, 0x40, words(0x1badb002, flags, -(0x1badb002 + flags), ...addresses, ...video));
}

type Tag = [type: number, flags: number, ...content: number[]];
const ADDRESSES: Tag = [2, 0, 0x10_0040, MIB, 0, 0];
const ENTRY: Tag = [3, 0, MIB];

/** A multiboot 2 kernel of 4 KiB at 1 MiB, with these tags and the one that ends them. */
function two(...tags: readonly Tag[]): Uint8Array {
  const bytes = [...tags, [0, 0] as Tag].flatMap(([type, flags, ...content]) => {
    const size = 8 + 4 * content.length;
    return words(type | (flags << 16), size, ...content, ...(size % 8 === 0 ? [] : [0]));
  });
  const length = 16 + bytes.length;
  return fileWith(4096, 0x40, [...words(0xe85250d6, 0, length, -(0xe85250d6 + length)), ...bytes]);
}

const modules = [
  { text: 'first arguments of it', bytes: Uint8Array.of(1, 2, 3) },
  { text: 'empty', bytes: new Uint8Array() },
  { text: 'large', bytes: new Uint8Array(3 * MIB).fill(7) },
];

const start = (memory: GuestMemory, file: Uint8Array, options: BootOptions = {}): BootPlan =>
  boot(memory, parseImage(file, 'kernel'), options);

describe('multiboot 1', () => {
  test('modules lie on pages above the kernel, in their order, with their arguments', () => {
    using memory = machine();
    const { state } = start(memory, one(), { modules });
    const information = Number(state.registers.rbx);
    assert.equal(memory.read32(information) & 8, 8);
    const [count, list] = [memory.read32(information + 20), memory.read32(information + 24)];
    assert.equal(count, 3);
    let before = MIB + 4096 - 1;
    for (const [n, { text, bytes }] of modules.entries()) {
      const [address, end, string] = [0, 4, 8].map((at) => memory.read32(list + 16 * n + at)) as [
        number,
        number,
        number,
      ];
      assert.equal(address % 4096, 0);
      assert.ok(address > before, `${address} lies after what was before`);
      assert.equal(end - address, bytes.length);
      assert.deepEqual(memory.readBytes(address, bytes.length), bytes);
      assert.equal(textAt(memory, string), text);
      before = address;
    }
  });

  test('the command line is the kernel’s name and what --append says', () => {
    using memory = machine();
    const line = (options: BootOptions) => {
      const information = Number(start(memory, one(), options).state.registers.rbx);
      return textAt(memory, memory.read32(information + 16));
    };
    assert.equal(line({}), 'kernel');
    assert.equal(line({ append: 'quiet  x=1' }), 'kernel quiet  x=1');
    assert.throws(() => line({ append: 'a\0b' }), /character 0/);
  });

  test('the frame buffer is the machine’s, and a wish for another one is told of', () => {
    using memory = machine();
    const graphics = one(0x1_0004, undefined, 0, 1024, 768, 32);
    const wished = start(memory, graphics, { frameBuffer: TEXT });
    const information = Number(wished.state.registers.rbx);
    assert.equal(memory.read32(information) & (1 << 12), 1 << 12);
    assert.deepEqual(
      [memory.read64(information + 88), memory.read32(information + 96), memory.read32(information + 100)],
      [0xb8000n, 160, 80],
    );
    assert.deepEqual([memory.read32(information + 104), memory.read16(information + 108)], [25, 0x0210]);
    assert.deepEqual(wished.notes, [
      'the kernel asks for a screen in graphics mode of 1024 × 768 × 32: it gets text of 80 × 25',
    ]);
    assert.match(start(memory, graphics).notes[0]!, /no screen/);
    assert.deepEqual(start(memory, one(0x1_0004, undefined, 1, 80, 25, 0), { frameBuffer: TEXT }).notes, []);
    assert.deepEqual(start(memory, one(), { frameBuffer: TEXT }).notes, []);
  });

  test('information that is too large for low memory lies above the kernel', () => {
    using memory = machine();
    const many = Array.from({ length: 1000 }, (_, n) => ({
      text: `${n} ${'x'.repeat(1000)}`,
      bytes: Uint8Array.of(n & 255),
    }));
    const { registers } = start(memory, one(), { modules: many }).state;
    const list = memory.read32(Number(registers.rbx) + 24);
    assert.ok(Number(registers.rbx) >= MIB);
    const last = list + 16 * 999;
    assert.equal(memory.read8(memory.read32(last)), 999 & 255);
    assert.equal(textAt(memory, memory.read32(last + 8)), many[999]!.text);
  });

  test('what does not fit is refused before a byte of memory changes', () => {
    using memory = machine(2 * MIB);
    const large = [{ text: 'large', bytes: new Uint8Array(MIB) }];
    assert.throws(
      () => start(memory, one(), { modules: large }),
      /no room for the module 'large', 1048576 bytes/,
    );
    assert.ok(memory.readBytes(0, 2 * MIB).every((byte) => byte === 0));
    assert.throws(() => start(memory, one(), { initrds: large }), /modules, and no initial file system/);
    assert.throws(() => boot(memory, Uint8Array.of(0xf4), { modules: large }), /takes no --module/);
    assert.throws(() => boot(memory, Uint8Array.of(0xf4), { append: 'x' }), /takes no --append/);
  });

  test('a header that lies is refused, with the field', () => {
    const refused: [Uint8Array, RegExp][] = [
      [one(0x1_0000, [0x10_0040, MIB, 0, MIB + 1, MIB]), /bss_end_addr 0x100001 is before the end/],
      [one(0x1_0004, undefined, 2, 0, 0, 0), /mode_type 2/],
      [one(0x1_0004, undefined, 0xffff_ffff, 0, 0, 0), /mode_type 4294967295/],
      [
        fileWith(8192, 8192 - 44, words(0x1badb002, 0x1_0004, -(0x1badb002 + 0x1_0004))),
        /video fields are cut off/,
      ],
      [
        fileWith(9000, 8192 - 28, words(0x1badb002, 0x1_0000, -(0x1badb002 + 0x1_0000))),
        /address fields are cut off/,
      ],
    ];
    for (const [file, why] of refused) assert.throws(() => parseImage(file, 'k'), why);
    assert.throws(() => parseImage(fileWith(4096, 0, []), 'k', 'multiboot'), /no multiboot header/);
    assert.throws(
      () => parseImage(one(0, []), 'k', 'multiboot'),
      /no addresses, and the file is no ELF file/,
    );
  });
});

describe('multiboot 2', () => {
  /** The tags of the information, by type. */
  function tagsOf(memory: GuestMemory, plan: BootPlan): Map<number, { at: number; size: number }[]> {
    const base = Number(plan.state.registers.rbx);
    assert.equal(plan.state.registers.rax, 0x36d76289n);
    assert.equal(base % 8, 0);
    const tags = new Map<number, { at: number; size: number }[]>();
    const total = memory.read32(base);
    for (let at = base + 8; ; ) {
      const [type, size] = [memory.read32(at), memory.read32(at + 4)];
      tags.set(type, [...(tags.get(type) ?? []), { at, size }]);
      if (type === 0) {
        assert.deepEqual([size, at + 8 - base], [8, total], 'the last tag ends the information');
        return tags;
      }
      at += Math.ceil(size / 8) * 8;
    }
  }

  test('tells in tags what multiboot 1 tells in fields', () => {
    using memory = machine();
    const plan = start(memory, two(ADDRESSES, ENTRY), { modules, append: 'a=1 b', frameBuffer: TEXT });
    assert.deepEqual([plan.mode, plan.entry], ['protected', MIB]);
    const tags = tagsOf(memory, plan);
    const at = (type: number, n = 0) => tags.get(type)![n]!.at + 8;
    assert.equal(textAt(memory, at(1)), 'a=1 b');
    assert.equal(textAt(memory, at(2)), 'Terrarium');
    assert.deepEqual([memory.read32(at(4)), memory.read32(at(4) + 4)], [639, 15 * 1024]);
    assert.deepEqual(
      [memory.read32(at(6)), memory.read32(at(6) + 4), tags.get(6)![0]!.size],
      [24, 0, 16 + 24 * 4],
    );
    const last = at(6) + 8 + 24 * 3;
    assert.deepEqual(
      [memory.read64(last), memory.read64(last + 8), memory.read32(last + 16)],
      [BigInt(MIB), BigInt(15 * MIB), 1],
    );
    assert.equal(tags.get(3)!.length, 3);
    for (const [n, { text, bytes }] of modules.entries()) {
      const address = memory.read32(at(3, n));
      assert.equal(memory.read32(at(3, n) + 4) - address, bytes.length);
      assert.deepEqual(memory.readBytes(address, bytes.length), bytes);
      assert.equal(textAt(memory, at(3, n) + 8), text);
    }
    assert.deepEqual(
      [memory.read64(at(8)), memory.read32(at(8) + 8), memory.read16(at(8) + 20)],
      [0xb8000n, 160, 0x0210],
    );
    assert.equal(tags.has(21), false);
  });

  test('a kernel that could be moved hears where it lies', () => {
    using memory = machine();
    const plan = start(memory, two(ADDRESSES, ENTRY, [10, 1, 0, 0xffff_ffff, 4096, 0]));
    assert.equal(memory.read32(tagsOf(memory, plan).get(21)![0]!.at + 8), MIB);
  });

  test('asks for what there is, or says that it could do without', () => {
    for (const tag of [
      [1, 0, 1, 2, 3, 4, 6, 21],
      [1, 1, 99],
      [4, 0, 2],
      [5, 0, 1024, 768, 32],
      [6, 0],
      [7, 0],
      [8, 1, 0],
      [77, 1],
    ] as Tag[])
      assert.equal(parseImage(two(ADDRESSES, ENTRY, tag), 'k').loader?.protocol, 'multiboot2');
    using memory = machine();
    const console = two(ADDRESSES, ENTRY, [4, 0, 1]);
    assert.throws(() => start(memory, console), /requires a console.*--vga|requires a console/);
    assert.equal(start(memory, console, { frameBuffer: TEXT }).mode, 'protected');
  });

  test('a header that lies is refused, with the tag', () => {
    const damaged = (at: number, value: number) => {
      const file = two(ADDRESSES, ENTRY);
      new DataView(file.buffer).setUint32(0x40 + at, value, true);
      return file;
    };
    const refused: [Uint8Array, RegExp][] = [
      [two(ADDRESSES, ENTRY, [77, 0]), /type 77 at offset 0x[0-9a-f]+ requires a feature/],
      [two(ADDRESSES, ENTRY, [1, 0, 99]), /unknown type 99/],
      [two(ADDRESSES), /addresses, and no entry/],
      [two(ADDRESSES, [3, 0, 5]), /entry_addr 0x5 is outside/],
      [two([2, 0, 0x10_0040, 0x20_0000, 0, 0], ENTRY), /further apart/],
      [damaged(20, 7), /type 2 at offset 0x50 has 7 bytes/],
      [damaged(20, 0xffff_fff8), /type 2 at offset 0x50 has 4294967288 bytes/],
      [damaged(44, 0xffff_ffff), /has 4294967295 bytes/],
    ];
    for (const [file, why] of refused) assert.throws(() => parseImage(file, 'k', 'multiboot2'), why);
    const length = 0xffff_0000;
    const long = fileWith(4096, 0x40, words(0xe85250d6, 0, length, -(0xe85250d6 + length)));
    assert.throws(() => parseImage(long, 'k', 'multiboot2'), /its length is 4294901760 bytes/);
  });
});

test('headers with random fields are started or refused with a reason', () => {
  using memory = machine(4 * MIB);
  const random = randomNumbers(7);
  const extremes = [
    0,
    1,
    4,
    0x40,
    0xfff,
    0x1000,
    MIB,
    MIB + 0x40,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_f000,
    0xffff_ffff,
  ];
  const other = (usual: number) =>
    random(4) > 0 ? usual : random(3) === 0 ? random(2 ** 32) : extremes[random(extremes.length)]!;
  const counts = { started: 0, refused: 0 };
  for (let n = 0; n < 20_000; n++) {
    const [header, load, loadEnd, bssEnd, entry] = [0x10_0040, MIB, 0, 0, MIB].map(other) as [
      number,
      number,
      number,
      number,
      number,
    ];
    const file =
      n % 2 === 0
        ? one(
            0x1_0000 | random(8),
            [header, load, loadEnd, bssEnd, entry],
            ...[random(3), 80, 25, 0].map(other),
          )
        : two(
            [2, 0, header, load, loadEnd, bssEnd],
            [3, 0, entry],
            [random(12), random(2), ...[1024, 768, 32].map(other)],
          );
    let image: Image;
    try {
      image = parseImage(file, 'k');
      boot(memory, image, { frameBuffer: TEXT });
      counts.started++;
    } catch (error) {
      assert.match((error as Error).constructor.name, /^(ImageError|ConfigError)$/, (error as Error).stack);
      counts.refused++;
    }
  }
  assert.ok(counts.started > 50 && counts.refused > 1000, JSON.stringify(counts));
});
