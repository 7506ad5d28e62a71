/** Linux's boot protocol, by the kernel's Documentation/arch/x86/boot.rst and its own header files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import { type BootOptions, boot } from '../boot.js';
import type { Image } from '../image.js';
import { parseImage } from '../parse.js';
import { fileWith, textAt, words } from './testing.js';

const MIB = 1024 * 1024;
const machine = (size = 64 * MIB) => GuestMemory.create([{ address: 0, size }]);

interface Fields {
  version?: number;
  loadFlags?: number;
  entry32?: number;
  xloadFlags?: number;
  preferred?: number;
  relocatable?: number;
  initSize?: number;
  initrdMax?: number;
  commandLineMax?: number;
  sectors?: number;
  paragraphs?: number;
}

const KERNEL = 8192;

/** A bzImage whose kernel is 8 KiB of HLT. */
function bzImage({ sectors = 3, ...fields }: Fields = {}, kernel = KERNEL): Uint8Array {
  const setup = ((sectors || 4) + 1) * 512;
  const file = fileWith(setup + kernel, 0x1fe, [0x55, 0xaa, 0xeb, 0x66]);
  const view = new DataView(file.buffer);
  view.setUint8(0x1f1, sectors);
  view.setUint32(0x1f4, fields.paragraphs ?? KERNEL / 16, true);
  file.set(words(0x53726448), 0x202);
  view.setUint16(0x206, fields.version ?? 0x20f, true);
  view.setUint8(0x211, fields.loadFlags ?? 1);
  view.setUint32(0x214, fields.entry32 ?? MIB, true);
  view.setUint32(0x22c, fields.initrdMax ?? 0x7fff_ffff, true);
  view.setUint8(0x234, fields.relocatable ?? 1);
  view.setUint16(0x236, fields.xloadFlags ?? 3, true);
  view.setUint32(0x238, fields.commandLineMax ?? 2047, true);
  view.setBigUint64(0x258, BigInt(fields.preferred ?? 16 * MIB), true);
  view.setUint32(0x260, fields.initSize ?? 4 * MIB, true);
  return file;
}

const start = (memory: GuestMemory, file: Uint8Array, options: BootOptions & { as?: Image['kind'] } = {}) =>
  boot(memory, parseImage(file, 'vmlinuz', options.as), options);

describe('a Linux kernel', () => {
  test('starts by its 64-bit entry: segments, identity map, zero page', () => {
    using memory = machine();
    const { mode, entry, state } = start(memory, bzImage(), { append: 'console=ttyS0' });
    assert.deepEqual([mode, entry], ['long', 16 * MIB + 0x200]);
    const { registers, system } = state;
    // "cs must be __BOOT_CS and ds, es, ss __BOOT_DS; interrupt must be disabled; rsi the base address of boot_params"
    assert.deepEqual(
      [system.cs.selector, system.cs.l, system.ds.selector, system.es.selector, system.ss.selector],
      [0x10, true, 0x18, 0x18, 0x18],
    );
    assert.equal(registers.rflags & 0x200n, 0n);
    const gdt = Number(system.gdt.base);
    assert.deepEqual(
      [memory.read64(gdt + 0x10), memory.read64(gdt + 0x18)],
      [0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn],
    );
    const page = Number(registers.rsi);
    assert.equal(textAt(memory, memory.read32(page + 0x228)), 'console=ttyS0');
    for (const address of [0, page, entry, 0xffe0_0000])
      assert.equal(walk(memory, system.cr3, address), address);
  });

  test('starts by its 32-bit entry: flat segments, no paging, ESI at the zero page', () => {
    using memory = machine();
    const { mode, entry, state } = start(memory, bzImage(), { as: 'linux32' });
    const { registers, system } = state;
    assert.deepEqual([mode, entry, system.cr0 & 0x8000_0001n], ['protected', 16 * MIB, 1n]);
    assert.deepEqual(
      [system.cs.selector, system.cs.db, system.cs.limit, system.ds.selector],
      [0x10, true, 0xffff_ffff, 0x18],
    );
    // "ebp, edi and ebx must be zero"
    assert.deepEqual([registers.rbp, registers.rdi, registers.rbx], [0n, 0n, 0n]);
    assert.equal(memory.read32(Number(registers.rsi) + 0x202), 0x53726448);
  });

  test('starts by its 16-bit entry: segments at the setup code, CS 20h above', () => {
    using memory = machine();
    const initrds = [{ text: 'i', bytes: new Uint8Array(100) }];
    const { mode, entry, state } = start(memory, bzImage(), { as: 'linux16', append: 'quiet', initrds });
    const { registers, system } = state;
    const base = system.ds.selector * 16;
    assert.deepEqual([mode, entry, base], ['real', base + 0x200, 0x1_0000]);
    assert.deepEqual([system.cs.selector, registers.rip], [(base >> 4) + 0x20, 0n]);
    for (const one of [system.es, system.fs, system.gs, system.ss]) assert.equal(one.selector * 16, base);
    const heapEnd = memory.read16(base + 0x224) + 0x200;
    assert.equal(registers.rsp, BigInt(heapEnd));
    assert.equal(memory.read8(base + 0x211) & 0x81, 0x81);
    assert.equal(textAt(memory, memory.read32(base + 0x228)), 'quiet');
    assert.ok(memory.read32(base + 0x228) >= base + heapEnd);
    assert.deepEqual([memory.read32(base + 0x21c), memory.read32(base + 0x214)], [100, 16 * MIB]);
  });

  test('a zImage goes to 64 KiB, its setup code above it, and its command line is told in the old way', () => {
    using memory = machine();
    const old = bzImage({ version: 0x201, loadFlags: 0, sectors: 0 });
    const { mode, state } = start(memory, old, { append: 'auto' });
    assert.equal(mode, 'real');
    const base = state.system.ds.selector * 16;
    assert.deepEqual([memory.read8(0x1_0000), base], [0xf4, 0x9_0000]);
    assert.equal(memory.read16(base + 0x20), 0xa33f);
    assert.equal(textAt(memory, base + memory.read16(base + 0x22)), 'auto');
  });

  test('initial file systems lie in a row, each at a multiple of 4, as high as the kernel allows', () => {
    using memory = machine();
    const initrds = [5, 8, 3].map((length, n) => ({
      text: `${n}`,
      bytes: new Uint8Array(length).fill(n + 1),
    }));
    for (const initrdMax of [0x7fff_ffff, 40 * MIB - 1]) {
      const { state } = start(memory, bzImage({ initrdMax }), { initrds });
      const page = Number(state.registers.rsi);
      const [at, size] = [memory.read32(page + 0x218), memory.read32(page + 0x21c)];
      assert.deepEqual([at % 4096, size], [0, 20]);
      assert.equal(at, Math.min(64 * MIB, initrdMax + 1) - 4096);
      assert.deepEqual(
        [...memory.readBytes(at, 20)],
        [1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 0],
      );
    }
  });

  test('leaves the choice of its entry to what it has', () => {
    const entryOf = (fields: Fields) => {
      const { loader } = parseImage(bzImage(fields), 'k');
      return loader?.protocol === 'linux' ? [loader.entry, loader.load] : [];
    };
    assert.deepEqual(entryOf({}), [64, 16 * MIB]);
    assert.deepEqual(entryOf({ xloadFlags: 0 }), [32, 16 * MIB]);
    assert.deepEqual(entryOf({ version: 0x20b }), [32, 16 * MIB]);
    assert.deepEqual(entryOf({ relocatable: 0 }), [64, MIB]);
    assert.deepEqual(entryOf({ version: 0x203 }), [32, MIB]);
    assert.deepEqual(entryOf({ version: 0x200 }), [16, MIB]);
    // iPXE: loaded high, and started only in real mode.
    assert.deepEqual(entryOf({ version: 0x207, entry32: 0 }), [16, MIB]);
    assert.throws(() => parseImage(bzImage({ version: 0x207, entry32: 0 }), 'k', 'linux32'), /code32_start/);
  });

  test('what cannot be is refused with the field', () => {
    using memory = machine(32 * MIB);
    const refused: [Uint8Array, BootOptions & { as?: Image['kind'] }, RegExp][] = [
      [bzImage({ initSize: 0xffff_ffff }), {}, /unpacks itself to 0x1000000–0x100fffffe/],
      [bzImage({ initSize: 17 * MIB }), {}, /--memory 33M|at least 33M/],
      [bzImage({ preferred: 2 ** 40 }), {}, /not in guest memory/],
      [bzImage({ commandLineMax: 3 }), { append: 'long' }, /4 bytes, and the kernel takes 3 at most/],
      [bzImage({ xloadFlags: 0 }), { as: 'linux64' }, /no 64-bit entry/],
      [bzImage({ loadFlags: 0 }), { as: 'linux32' }, /zImage/],
      [bzImage({ version: 0x100 }), {}, /boot protocol 0x100/],
      [bzImage({ paragraphs: KERNEL / 16 + 1 }), {}, /cut off/],
      [bzImage({ paragraphs: 0xffff_ffff }), {}, /cut off/],
      [bzImage({ sectors: 255 }).subarray(0, 8192), {}, /131072 bytes of setup/],
      [
        bzImage(),
        { initrds: [{ text: 'i', bytes: new Uint8Array(28 * MIB) }] },
        /no room for the initial file system, 29360128 bytes/,
      ],
      [
        bzImage({ initrdMax: 4095 }),
        { initrds: [{ text: 'i', bytes: new Uint8Array(8) }] },
        /no room for the initial file system/,
      ],
      [bzImage(), { modules: [{ text: 'm', bytes: new Uint8Array(8) }] }, /no modules of its loader/],
      [bzImage(), { mode: 'protected' }, /64-bit entry, and not in protected mode.*/],
      [fileWith(4096, 0, []), { as: 'linux' }, /no 'HdrS'/],
    ];
    for (const [file, options, why] of refused)
      assert.throws(
        () => start(memory, file, options),
        (error: Error & { hint?: string }) => {
          assert.match(`${error.message} ${error.hint}`, why);
          return true;
        },
      );
    assert.ok(memory.readBytes(0, 32 * MIB).every((byte) => byte === 0));
  });

  test('cut anywhere, or with any field changed, it is started or refused with an error message', () => {
    using memory = machine(32 * MIB);
    const random = randomNumbers(3);
    const whole = bzImage();
    const counts = { started: 0, refused: 0 };
    for (let n = 0; n < 5000; n++) {
      const file = n % 2 === 0 ? whole.slice(0, 1 + random(whole.length)) : whole.slice();
      const view = new DataView(file.buffer);
      if (n % 2 === 1)
        for (let k = 0; k <= random(3); k++)
          view.setUint32(0x1f1 + random(0x264 - 0x1f1), random(2) ? 0xffff_ffff : random(2 ** 32), true);
      try {
        boot(
          memory,
          parseImage(file, 'k', (['linux', 'linux16', 'linux32', 'linux64'] as const)[random(4)]),
          { append: 'x' },
        );
        counts.started++;
      } catch (error) {
        assert.match((error as Error).constructor.name, /^(ImageError|ConfigError)$/, (error as Error).stack);
        counts.refused++;
      }
    }
    assert.ok(counts.started > 100 && counts.refused > 2000, JSON.stringify(counts));
  });
});

/** Where 4-level tables lead an address to. */
function walk(memory: GuestMemory, cr3: bigint, address: number): number {
  let table = Number(cr3);
  for (const shift of [39, 30, 21]) {
    const entry = memory.read64(table + 8 * (Math.floor(address / 2 ** shift) % 512));
    assert.equal(entry & 3n, 3n);
    if (entry & 0x80n) return Number(entry & ~0x1f_ffffn) + (address % 2 ** shift);
    table = Number(entry & 0xf_ffff_ffff_f000n);
  }
  return assert.fail('no large page');
}

test('the zero page is as the kernel’s own header files have it', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-zero-page-'));
  try {
    using memory = machine();
    const initrds = [{ text: 'i', bytes: new Uint8Array(64) }];
    const frameBuffer = {
      address: 0xb8000,
      pitch: 160,
      width: 80,
      height: 25,
      bits: 16,
      kind: 'text' as const,
    };
    const options = { initrds, append: 'a b', frameBuffer, rsdp: 0xf_1230 };
    const { state } = start(memory, bzImage(), options);
    writeFileSync(path.join(folder, 'page'), memory.readBytes(Number(state.registers.rsi), 4096));
    writeFileSync(path.join(folder, 'read.c'), READER);
    try {
      execFileSync('gcc', ['-o', 'read', 'read.c'], { cwd: folder, stdio: 'pipe' });
    } catch (error) {
      t.skip(`no asm/bootparam.h to compile with: ${(error as Error).message.split('\n')[0]}`);
      return;
    }
    const found = execFileSync('./read', ['page'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
    const expected = [
      'header 53726448 protocol 20f loader ff vid_mode ffff sentinel 0 boot_flag aa55',
      `initrd ${(64 * MIB - 4096).toString(16)} 40 command line ${memory.read32(Number(state.registers.rsi) + 0x228).toString(16)}`,
      'code32_start 1000000 rsdp f1230 alt_mem_k fc00 ext_mem_k fc00',
      'screen mode 3 cols 80 lines 25 vga 1 points 16',
      'e820 4: 0+9fc00=1 9fc00+400=2 f0000+10000=2 100000+3f00000=1',
    ];
    assert.deepEqual(found, expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const READER = `#include <asm/bootparam.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct boot_params p;
    FILE *f = fopen(argv[1], "rb");
    if (fread(&p, sizeof p, 1, f) != 1) return 1;
    printf("header %x protocol %x loader %x vid_mode %x sentinel %x boot_flag %x\\n", p.hdr.header, p.hdr.version,
           p.hdr.type_of_loader, p.hdr.vid_mode, p.sentinel, p.hdr.boot_flag);
    printf("initrd %x %x command line %x\\n", p.hdr.ramdisk_image, p.hdr.ramdisk_size, p.hdr.cmd_line_ptr);
    printf("code32_start %x rsdp %llx alt_mem_k %x ext_mem_k %x\\n", p.hdr.code32_start, p.acpi_rsdp_addr, p.alt_mem_k,
           p.screen_info.ext_mem_k);
    printf("screen mode %d cols %d lines %d vga %d points %d\\n", p.screen_info.orig_video_mode,
           p.screen_info.orig_video_cols, p.screen_info.orig_video_lines, p.screen_info.orig_video_isVGA,
           p.screen_info.orig_video_points);
    printf("e820 %d:", p.e820_entries);
    for (int i = 0; i < p.e820_entries; i++)
        printf(" %llx+%llx=%x", p.e820_table[i].addr, p.e820_table[i].size, p.e820_table[i].type);
    printf("\\n");
    return 0;
}
`;
