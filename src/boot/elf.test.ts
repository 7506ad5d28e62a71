import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../memory/index.js';
import { boot } from './boot.js';
import { ImageError } from './image.js';
import { parseImage } from './parse.js';

/** What an ELF file is made of; fields left out are those of a sound kernel. */
interface ElfParts {
  bits?: 32 | 64;
  machine?: number;
  type?: number;
  order?: number;
  entry?: bigint;
  phoff?: bigint;
  phentsize?: number;
  phnum?: number;
  segments?: Partial<Record<'type' | 'offset' | 'vaddr' | 'paddr' | 'filesz' | 'memsz', bigint>>[];
  /** Cut the file after so many bytes. */
  length?: number;
}

const CODE_OFFSET = 0x200;
const CODE = Uint8Array.of(0xb8, 42, 0, 0, 0, 0xf4); // mov eax, 42; hlt

/** Writes an ELF file byte by byte from the tables of the System V ABI, chapters 4 and 5. */
function elf(parts: ElfParts = {}): Uint8Array {
  const { bits = 64, segments = [{}] } = parts;
  const wide = bits === 64;
  const file = new Uint8Array(CODE_OFFSET + CODE.length);
  file.set(CODE, CODE_OFFSET);
  const view = new DataView(file.buffer);
  let at = 0;
  const half = (value: number) => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const word = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const address = (value: bigint) => {
    if (wide) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(value), true);
    at += wide ? 8 : 4;
  };
  const headerSize = wide ? 64 : 52;
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, parts.order ?? 1, 1]);
  at = 16;
  half(parts.type ?? 2); // e_type
  half(parts.machine ?? (wide ? 62 : 3)); // e_machine
  word(1); // e_version
  address(parts.entry ?? 0x10_0000n); // e_entry
  address(parts.phoff ?? BigInt(headerSize)); // e_phoff
  address(0n); // e_shoff
  word(0); // e_flags
  half(headerSize); // e_ehsize
  half(parts.phentsize ?? (wide ? 56 : 32)); // e_phentsize
  half(parts.phnum ?? segments.length); // e_phnum
  at = headerSize;
  for (const given of segments) {
    const header = {
      type: 1n,
      offset: BigInt(CODE_OFFSET),
      vaddr: given.paddr ?? 0x10_0000n,
      paddr: 0x10_0000n,
      filesz: BigInt(CODE.length),
      memsz: given.filesz ?? BigInt(CODE.length),
      ...given,
    };
    word(Number(header.type));
    if (wide) word(5); // p_flags
    address(header.offset);
    address(header.vaddr);
    address(header.paddr);
    address(header.filesz);
    address(header.memsz);
    if (!wide) word(5);
    address(4096n); // p_align
  }
  return file.slice(0, parts.length ?? file.length);
}

/** Asserts that a file is refused with words that name it. */
function refuses(bytes: Uint8Array, message: RegExp, hint = /./): void {
  assert.throws(
    () => parseImage(bytes, 'kernel.elf'),
    (error: unknown) => {
      assert.ok(error instanceof ImageError);
      assert.equal(error.code, 'EIMAGE');
      assert.match(error.message, /^kernel\.elf: /);
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      return true;
    },
  );
}

describe('an ELF file', () => {
  for (const bits of [32, 64] as const) {
    test(`of ${bits} bits gives its segments and entry`, () => {
      const { format, segments, entry } = parseImage(
        elf({ bits, entry: 0x10_0001n, segments: [{}, { paddr: 0x20_0000n, filesz: 0n, memsz: 8192n }] }),
        'k',
      );
      assert.equal(format, `elf${bits}`);
      assert.equal(entry, 0x10_0001);
      assert.deepEqual(
        segments.map((s) => [s.address, [...s.bytes], s.memorySize]),
        [
          [0x10_0000, [...CODE], CODE.length],
          [0x20_0000, [], 8192],
        ],
      );
    });

    test(`of ${bits} bits is loaded at physical addresses, and its entry moves along`, () => {
      const { segments, entry } = parseImage(
        elf({ bits, entry: 0xc010_0002n, segments: [{ vaddr: 0xc010_0000n, paddr: 0x10_0000n }] }),
        'k',
      );
      assert.equal(segments[0]?.address, 0x10_0000);
      assert.equal(entry, 0x10_0002);
    });

    test(`of ${bits} bits that is cut off anywhere is refused`, () => {
      const whole = elf({ bits });
      for (let length = 4; length < whole.length; length++) {
        assert.throws(() => parseImage(whole.slice(0, length), 'k'), ImageError, `${length} bytes`);
      }
    });
  }

  test('of the top of the address space keeps every bit of its entry', () => {
    const high = 0xffff_ffff_8000_0000n;
    const { entry } = parseImage(
      elf({ entry: high + 3n, segments: [{ vaddr: high, paddr: 0x10_0000n }] }),
      'k',
    );
    assert.equal(entry, 0x10_0003);
  });

  test('of the top of the address space that names no physical address is explained, and goes where --load says', () => {
    const high = 0xffff_ffff_8010_0000n;
    const image = parseImage(elf({ entry: high + 3n, segments: [{ paddr: high }] }), 'k');
    using memory = GuestMemory.create([{ address: 0, size: 0x20_0000 }]);
    assert.throws(() => boot(memory, image), {
      message: /at 0xffffffff80100000 is linked for the higher half.*p_paddr is p_vaddr/,
      hint: /AT\(.*--load 0x100000/,
    });
    assert.equal(boot(memory, image, { load: 0x10_0000 }).entry, 0x10_0003);
    assert.deepEqual(memory.readBytes(0x10_0000, CODE.length), CODE);
  });

  test('with a physical entry, as Linux has it, is taken at its word', () => {
    const { entry } = parseImage(
      elf({ entry: 0x10_0004n, segments: [{ vaddr: 0xffff_ffff_8000_0000n, paddr: 0x10_0000n }] }),
      'k',
    );
    assert.equal(entry, 0x10_0004);
  });

  test('skips program headers that load nothing', () => {
    const notes = { type: 4n, paddr: 0n };
    const empty = { filesz: 0n, memsz: 0n, paddr: 0n };
    assert.equal(parseImage(elf({ segments: [notes, empty, {}] }), 'k').segments.length, 1);
  });

  test('of another CPU is refused with the CPU’s name', () => {
    refuses(elf({ machine: 183 }), /AArch64.*offset 0x12/, /gcc -m64/);
    refuses(elf({ machine: 243 }), /RISC-V/);
    refuses(elf({ bits: 32, machine: 40 }), /32-bit ARM/, /gcc -m32/);
    refuses(elf({ machine: 0x1234 }), /machine 4660/);
    refuses(elf({ bits: 32, machine: 62 }), /x32/);
    refuses(elf({ bits: 64, machine: 3 }), /is for 32-bit x86, not for 64-bit x86/);
    refuses(elf({ order: 2 }), /big-endian.*offset 0x5/);
    refuses(elf({ order: 7 }), /unknown byte order 7/);
  });

  test('that is no linked program is refused with the way to link it', () => {
    refuses(elf({ type: 1 }), /not linked \(ET_REL\)/, /ld -o/);
    refuses(elf({ type: 3 }), /position-independent.*ET_DYN/, /-no-pie/);
    refuses(elf({ type: 4 }), /core dump/);
    refuses(elf({ type: 99 }), /unknown type 99/);
  });

  test('with a dynamic section is refused where it needs a library; an interpreter without one is accepted', () => {
    const dynamic = (tag: number) => {
      const file = elf({ segments: [{}, { type: 2n, offset: 0x180n, filesz: 32n }, { type: 3n }] });
      file[0x180] = tag;
      return file;
    };
    // DT_NEEDED is 1, DT_HASH 4.
    refuses(dynamic(1), /dynamically linked.*DT_NEEDED.*offset 0x78/, /-static/);
    for (const tag of [0, 4]) assert.equal(parseImage(dynamic(tag), 'k').segments.length, 1);
  });

  test('with a damaged header is refused with the place', () => {
    const badClass = elf();
    badClass[4] = 9;
    refuses(badClass, /class is 9.*offset 0x4/);
    refuses(elf({ length: 5 }), /cut off: the file ends after 5 bytes/);
    refuses(elf({ length: 63 }), /needs 64 bytes, the file has 63/);
    refuses(elf({ phentsize: 32 }), /program headers of 32 bytes where ELF has 56.*offset 0x36/);
    refuses(elf({ phnum: 0xffff }), /65535 or more program headers/);
    refuses(elf({ phoff: 500n }), /program headers at 0x1f4 need a file of 556 bytes, it has 518/);
    refuses(elf({ phoff: 2n ** 64n - 1n }), /program headers at 0xffffffffffffffff/);
  });

  test('without anything to load is refused', () => {
    refuses(elf({ segments: [] }), /no segment to load \(no PT_LOAD/);
    refuses(elf({ segments: [{ type: 4n }] }), /no segment to load/);
  });

  test('whose segments make no sense is refused with the segment', () => {
    refuses(
      elf({ segments: [{ filesz: 6n, memsz: 5n }] }),
      /segment 0 \(program header at offset 0x40\) has 6 bytes.*room for 5/,
    );
    refuses(
      elf({ segments: [{ filesz: 7n }] }),
      /segment 0.*needs a file of 519 bytes, it has 518/,
      /cut off/,
    );
    refuses(elf({ segments: [{ offset: 2n ** 64n - 1n }] }), /needs a file of 18446744073709551621 bytes/);
    refuses(
      elf({ segments: [{ vaddr: 0x10_0000n, paddr: 0xffff_ffff_8000_0000n }] }),
      /physical address 0xffffffff80000000/,
      /AT\(/,
    );
    refuses(
      elf({ segments: [{ memsz: 2n ** 63n }] }),
      /wants 9223372036854775808 bytes at the physical address 0x100000/,
    );
    refuses(
      elf({ segments: [{ memsz: 0x2000n }, { paddr: 0x10_1fffn }] }),
      /segments 0 and 1 overlap: the one ends at 0x101fff, the other starts at 0x101fff/,
    );
    refuses(elf({ entry: 0x10_0006n }), /entry 0x100006 is in no segment \(offset 0x18\)/, /ENTRY/);
  });

  test('of random damage is refused with an ImageError or stays inside guest memory', () => {
    const size = 0x8000;
    const sound = [
      elf({ entry: 0x1000n, segments: [{ paddr: 0x1000n, memsz: 0x1000n }] }),
      elf({ bits: 32, entry: 0x1000n, segments: [{ paddr: 0x1000n }, { paddr: 0x3000n, memsz: 64n }] }),
    ];
    const bytes = fc.tuple(fc.nat(0x140), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)));
    const mutation = fc.record({
      which: fc.nat(1),
      flips: fc.array(bytes, { maxLength: 8 }),
      length: fc.option(fc.nat(0x206)),
    });
    fc.assert(
      fc.property(mutation, ({ which, flips, length }) => {
        const file = sound[which]!.slice(0, length ?? undefined);
        for (const [at, value] of flips) if (at < file.length) file[at] = value;
        using memory = GuestMemory.create([{ address: 0, size: 4 * size }]);
        // The engine area before RAM and the memory after RAM must stay zero.
        const all = new Uint8Array(memory.buffer);
        const start = memory.regions[0]!.offset;
        try {
          boot(memory, parseImage(file, 'k'), { mode: file[4] === 2 ? 'auto' : 'protected' });
        } catch (error) {
          // A file that lost its magic number is a flat image: 16-bit code then.
          assert.ok(error instanceof ImageError, String(error));
        }
        assert.ok(all.subarray(start - 4096, start).every((byte) => byte === 0));
        assert.ok(all.subarray(start + 4 * size).every((byte) => byte === 0));
      }),
      { numRuns: 300 },
    );
  });

  const gcc = spawnSync('gcc', ['--version']).status === 0;
  for (const [bits, format] of [
    ['-m16', 'elf32'],
    ['-m32', 'elf32'],
    ['-m64', 'elf64'],
  ] as const) {
    test(`that gcc ${bits} links is understood`, { skip: gcc ? false : 'no gcc on this machine' }, (t) => {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'boot-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const source = path.join(folder, 'k.c');
      const out = path.join(folder, 'k');
      writeFileSync(
        source,
        'char room[5000] = {1}; char zero[9000]; void _start(void) { zero[0] = room[0]; }',
      );
      const flags = [
        '-static',
        '-no-pie',
        '-fno-pie',
        '-nostdlib',
        '-ffreestanding',
        '-fno-asynchronous-unwind-tables',
      ];
      const done = spawnSync('gcc', [
        bits,
        ...flags,
        '-Wl,-Ttext=0x8000',
        '-Wl,-Tdata=0x9000',
        source,
        '-o',
        out,
      ]);
      assert.equal(done.status, 0, String(done.stderr));
      const image = parseImage(readFileSync(out), 'k');
      assert.equal(image.format, format);
      assert.equal(image.entry, 0x8000);
      const data = image.segments.find((s) => s.address <= 0x9000 && 0x9000 < s.address + s.memorySize)!;
      assert.equal(data.bytes[0x9000 - data.address], 1);
      assert.ok(data.memorySize >= data.bytes.length + 9000 - 4096);
    });
  }
});
