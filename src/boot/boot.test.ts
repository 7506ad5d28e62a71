import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError, type TerrariumError } from '../errors.js';
import { GuestMemory } from '../memory/index.js';
import type { Segment } from '../x86/index.js';
import { registerNames, segmentNames } from '../x86/index.js';
import { type BootOptions, boot } from './boot.js';
import { type Image, ImageError } from './image.js';
import { modes } from './modes.js';
import { parseImage } from './parse.js';

const MIB = 1024 * 1024;
const HLT = Uint8Array.of(0xf4);
const machine = (size = 16 * MIB) => GuestMemory.create([{ address: 0, size }]);

/** An image of `size` bytes, each with the value of its offset, with a boot signature if asked for. */
function bytes(size: number, signature = false): Uint8Array {
  const image = Uint8Array.from({ length: size }, (_, i) => i & 0xff);
  if (signature) image.set([0x55, 0xaa], 510);
  return image;
}

function elfImage(format: 'elf32' | 'elf64', address = MIB, memorySize = 4096): Image {
  return { format, name: 'kernel.elf', segments: [{ address, bytes: HLT, memorySize }], entry: address };
}

function refuses(
  memory: GuestMemory,
  image: Image | Uint8Array,
  options: BootOptions,
  kind: typeof ImageError | typeof ConfigError,
  message: RegExp,
  hint = /./,
): void {
  assert.throws(
    () => boot(memory, image, options),
    (error: unknown) => {
      assert.ok(error instanceof kind, String(error));
      assert.match((error as TerrariumError).message, message);
      assert.match((error as TerrariumError).hint ?? '', hint);
      return true;
    },
  );
}

describe('auto mode', () => {
  const cases: [what: string, image: Image | Uint8Array, mode: string, entry: number][] = [
    ['an ELF64 kernel in long mode', elfImage('elf64'), 'long', MIB],
    ['an ELF32 kernel in protected mode', elfImage('elf32'), 'protected', MIB],
    ['a boot sector at 7C00 in real mode', bytes(512, true), 'real', 0x7c00],
    ['a disk image by its boot sector', bytes(1440 * 512, true), 'real', 0x7c00],
    ['64 KiB with a boot signature as a disk', bytes(65536, true), 'real', 0x7c00],
    ['64 KiB at the reset vector', bytes(65536), 'reset', 0xffff0],
    ['64 KiB that the linker ended after the jump at the reset vector', bytes(65536 - 11), 'reset', 0xffff0],
    ['an image that ends before the reset vector in real mode', bytes(65536 - 16), 'real', 0],
    ['anything else in real mode', HLT, 'real', 0],
  ];
  for (const [what, image, mode, entry] of cases) {
    test(`starts ${what}`, () => {
      using memory = machine();
      const plan = boot(memory, image);
      assert.equal(plan.mode, mode);
      assert.equal(plan.entry, entry);
    });
  }

  test('is the default, and an unknown mode is refused with the list', () => {
    using memory = machine();
    assert.deepEqual(boot(memory, HLT, { mode: 'auto' }), boot(memory, HLT));
    const options = { mode: 'flat' } as unknown as BootOptions;
    refuses(memory, HLT, options, ConfigError, /no mode 'flat'/, /auto, reset, real, protected/);
  });
});

describe('an image', () => {
  test('lies in memory byte for byte', () => {
    using memory = machine();
    const image = bytes(70_000);
    boot(memory, image, { mode: 'real', load: 0x2_0001 });
    assert.deepEqual(memory.readBytes(0x2_0001, 70_000), image);
    boot(memory, bytes(100), { mode: 'reset' });
    assert.deepEqual(
      memory.readBytes(MIB - 112, 100),
      bytes(100),
      'the reset vector begins 16 bytes below 1 MiB',
    );
    boot(memory, bytes(MIB), { mode: 'reset' });
    assert.deepEqual(memory.readBytes(0, MIB), bytes(MIB));
  });

  test('finds its .bss zero, for any old content of memory', () => {
    using memory = machine();
    memory.view(MIB, 3 * MIB).fill(0xff);
    boot(memory, elfImage('elf64', MIB, 2 * MIB));
    assert.equal(memory.read8(MIB), 0xf4);
    assert.ok(memory.readBytes(MIB + 1, 2 * MIB - 1).every((byte) => byte === 0));
    assert.equal(memory.read8(3 * MIB), 0xff);
  });

  test('that is empty is refused', () => {
    assert.throws(
      () => parseImage(new Uint8Array(0), 'kernel.bin'),
      /^ImageError: kernel\.bin: the image is empty/,
    );
  });

  test('that does not fit is refused with both sizes and what would be enough', () => {
    using memory = machine(64 * 1024);
    const big = bytes(70_000);
    refuses(
      memory,
      big,
      {},
      ImageError,
      /image of 70000 bytes .*guest memory has 65536 bytes \(64K\)/,
      /--memory 72K/,
    );
    refuses(
      memory,
      elfImage('elf32'),
      {},
      ImageError,
      /^kernel\.elf: the segment of 4096 bytes at 0x100000–0x100fff is not in guest memory/,
      /at least 1028K/,
    );
    refuses(
      memory,
      elfImage('elf64', 2 ** 40),
      {},
      ImageError,
      /0x10000000000/,
      /no machine has that much.*link it lower/,
    );
    refuses(memory, HLT, { load: 0x1_0000 }, ImageError, /at 0x10000–0x10000 is not in guest memory/);
    using split = GuestMemory.create([
      { address: 0, size: 4096 },
      { address: MIB, size: MIB },
    ]);
    refuses(
      split,
      bytes(5000),
      {},
      ImageError,
      /guest memory is at 0x0–0xfff, 0x100000–0x1fffff/,
      /wholly in one region/,
    );
  });

  test('moves with load only where it is flat and not at the reset vector', () => {
    using memory = machine();
    const moved = boot(memory, bytes(512, true), { load: 0x8000 });
    assert.equal(moved.entry, 0x8000);
    assert.equal(boot(memory, HLT, { mode: 'long', load: MIB }).entry, MIB);
    refuses(
      memory,
      elfImage('elf64'),
      { load: 0 },
      ConfigError,
      /kernel\.elf: an ELF file cannot be moved to 0x0/,
      /-Ttext/,
    );
    refuses(memory, bytes(65536), { load: 0 }, ConfigError, /reset image cannot be moved/, /--mode real/);
    refuses(memory, HLT, { load: -1 }, ConfigError, /load is -1/);
    refuses(memory, HLT, { load: 0.5 }, ConfigError, /load is 0.5/);
    refuses(memory, HLT, { stack: Number.NaN }, ConfigError, /stack is NaN/);
  });

  test('for another width than the mode’s is refused', () => {
    using memory = machine();
    for (const mode of ['reset', 'real', 'protected', 'paged', 'pae'] as const) {
      refuses(
        memory,
        elfImage('elf64'),
        { mode },
        ImageError,
        new RegExp(`64-bit code .*${mode} mode`),
        /-m32/,
      );
    }
    refuses(memory, elfImage('elf32'), { mode: 'long' }, ImageError, /32-bit code .*long mode/, /-m64/);
  });

  test('of ELF32 starts in real mode where it says so', () => {
    using memory = machine();
    const { mode, state } = boot(memory, elfImage('elf32', 0x1_2340), { mode: 'real' });
    assert.equal(mode, 'real');
    assert.equal(state.system.cs.selector, 0x1000);
    assert.equal(state.registers.rip, 0x2340n);
  });

  test('starts where entry says, if there is memory', () => {
    using memory = machine();
    assert.equal(boot(memory, HLT, { mode: 'protected', entry: 0x1234 }).state.registers.rip, 0x1234n);
    assert.equal(boot(memory, elfImage('elf64'), { entry: MIB + 8 }).entry, MIB + 8);
    refuses(
      memory,
      HLT,
      { mode: 'long', entry: 16 * MIB },
      ConfigError,
      /entry 0x1000000 is not in guest memory/,
    );
    using high = GuestMemory.create([
      { address: 0, size: MIB },
      { address: 2 ** 32, size: MIB },
    ]);
    refuses(high, HLT, { mode: 'long', entry: 2 ** 32 }, ConfigError, /entry 0x100000000 is out of reach/);
  });
});

describe('real mode', () => {
  const cases: [entry: number, selector: number, offset: number][] = [
    [0, 0, 0],
    [0x7c00, 0, 0x7c00],
    [0xffff, 0, 0xffff],
    [0x1_0000, 0x1000, 0],
    [0x9_fc01, 0x9000, 0xfc01],
    [0xf_ffff, 0xf000, 0xffff],
    [0x10_0000, 0xffff, 0x10],
    [0x10_ffef, 0xffff, 0xffff],
  ];
  test('splits the entry into CS and IP', () => {
    using memory = machine();
    for (const [entry, selector, offset] of cases) {
      const { registers, system } = boot(memory, HLT, { entry }).state;
      assert.equal(system.cs.selector, selector);
      assert.equal(registers.rip, BigInt(offset));
      assert.equal(Number(system.cs.base) + offset, entry);
    }
    refuses(
      memory,
      HLT,
      { entry: 0x10_fff0 },
      ConfigError,
      /entry 0x10fff0 is out of real mode's reach/,
      /protected/,
    );
  });

  test('splits the stack so that the first push goes right below it', () => {
    using memory = machine();
    for (const [stack, selector, sp] of [
      [0x8000, 0, 0x8000],
      [0x1_0000, 0, 0],
      [0x1_0002, 0x1000, 2],
      [0xa_0000, 0x9000, 0],
      [0, 0, 0],
    ] as const) {
      const plan = boot(memory, HLT, { stack });
      assert.equal(plan.stack, stack);
      assert.equal(plan.state.system.ss.selector, selector);
      assert.equal(plan.state.registers.rsp, BigInt(sp));
    }
    refuses(memory, HLT, { stack: 2 * MIB }, ConfigError, /the stack 0x200000 is out of real mode's reach/);
  });

  test('has its default stack where the image is not', () => {
    using memory = machine();
    assert.equal(boot(memory, HLT).stack, 0xfffe);
    assert.equal(boot(memory, bytes(512, true)).stack, 0x7c00);
    assert.equal(boot(memory, bytes(0x1_0001)).stack, 0xa_0000);
    using small = machine(4096);
    assert.equal(boot(small, HLT).stack, 4096);
    refuses(
      small,
      bytes(4096),
      {},
      ImageError,
      /image at 0x0–0xfff leaves no room for a stack, which would end at 0x1000/,
      /--stack/,
    );
    assert.equal(boot(small, bytes(4096), { stack: 4096 }).stack, 4096);
  });

  test('starts with 64 KiB segments, the vector table at 0 and paging off', () => {
    using memory = machine();
    const { registers, system } = boot(memory, HLT).state;
    for (const name of segmentNames) {
      const { base, limit, type, s, present, db, g } = system[name];
      assert.deepEqual(
        { base, limit, type, s, present, db, g },
        {
          base: 0n,
          limit: 0xffff,
          type: name === 'cs' ? 0xb : 3,
          s: true,
          present: true,
          db: false,
          g: false,
        },
      );
    }
    assert.deepEqual(system.idt, { base: 0n, limit: 0x3ff });
    assert.deepEqual([system.cr0, system.cr3, system.cr4, system.efer], [0x10n, 0n, 0n, 0n]);
    assert.equal(registers.rflags, 2n);
  });
});

describe('reset', () => {
  test('is the state of SDM 3A table 10-1, but for the base of CS', () => {
    using memory = machine();
    const { registers, system } = boot(memory, bytes(65536)).state;
    const rest = { ...registers, rip: 0n, rdx: 0n, rflags: 0n };
    assert.ok(Object.values(rest).every((value) => value === 0n));
    assert.equal(registers.rip, 0xfff0n);
    assert.equal(registers.rflags, 2n);
    assert.equal(registers.rdx & 0xffff_ff00n, 0x600n);
    assert.equal(system.cr0, 0x6000_0010n);
    assert.deepEqual([system.cr2, system.cr3, system.cr4, system.efer], [0n, 0n, 0n, 0n]);
    assert.equal(system.cs.selector, 0xf000);
    assert.equal(system.cs.base, 0xf_0000n);
    for (const name of ['es', 'ss', 'ds', 'fs', 'gs', 'tr', 'ldt'] as const) {
      const { selector, base, limit } = system[name];
      assert.deepEqual({ selector, base, limit }, { selector: 0, base: 0n, limit: 0xffff });
    }
    assert.deepEqual(system.gdt, { base: 0n, limit: 0xffff });
    assert.deepEqual(system.idt, { base: 0n, limit: 0xffff });
  });

  test('puts an image of any size up to 1 MiB at its end', () => {
    using memory = machine();
    for (const size of [16, 4096, 65536, 131072, MIB]) {
      assert.equal(boot(memory, bytes(size), { mode: 'reset' }).entry, 0xffff0);
      assert.equal(memory.read8(MIB - 1), (size - 1) & 0xff);
    }
    refuses(memory, bytes(MIB + 1), { mode: 'reset' }, ImageError, /1048577 bytes does not fit below 1M/);
    boot(memory, bytes(5), { mode: 'reset' });
    assert.deepEqual(memory.readBytes(0xffff0, 5), bytes(5), 'only a jump is at the reset vector');
    using small = machine(64 * 1024);
    refuses(small, bytes(65536), {}, ImageError, /0xf0000–0xfffff is not in guest memory/, /--memory 1M/);
  });

  test('takes an ELF32 firmware that has the reset vector, and no other', () => {
    using memory = machine();
    assert.equal(boot(memory, elfImage('elf32', 0xf_f000), { mode: 'reset' }).entry, 0xffff0);
    refuses(memory, elfImage('elf32'), { mode: 'reset' }, ImageError, /nothing at 0xffff0/);
  });
});

describe('control registers', () => {
  // SDM 3A 2.5 (CR0: PE 0, MP 1, ET 4, NE 5, WP 16, PG 31; CR4: PSE 4, PAE 5), 2.2.1 (EFER: LME 8, LMA 10).
  const expected = {
    protected: [0x33n, 0n, 0n],
    paged: [0x8001_0033n, 0x10n, 0n],
    pae: [0x8001_0033n, 0x20n, 0n],
    long: [0x8001_0033n, 0x20n, 0x500n],
  };
  for (const mode of ['protected', 'paged', 'pae', 'long'] as const) {
    test(`are those of ${mode} mode`, () => {
      using memory = machine();
      const { cr0, cr4, efer, cs, ss, idt } = boot(memory, HLT, { mode }).state.system;
      assert.deepEqual([cr0, cr4, efer], expected[mode]);
      assert.deepEqual([cs.l, cs.db], mode === 'long' ? [true, false] : [false, true]);
      assert.deepEqual([cs.limit, ss.limit, cs.base, ss.base], [0xffff_ffff, 0xffff_ffff, 0n, 0n]);
      assert.deepEqual([cs.selector, ss.selector], [0x08, 0x10]);
      assert.deepEqual(idt, { base: 0n, limit: 0 });
    });
  }
});

/** SDM 3C 27.3.1.2: what VM entry wants of a usable segment's limit and G. */
function limitFitsGranularity({ limit, g }: Segment): boolean {
  if ((limit & 0xfff) !== 0xfff && g) return false;
  return !(limit >>> 20 !== 0 && !g);
}

for (const mode of modes) {
  test(`the state of ${mode} mode is complete and passes VM entry's checks (SDM 3C 27.3.1)`, () => {
    using memory = machine();
    const { registers, system } = boot(memory, bytes(64), { mode }).state;
    assert.deepEqual(Object.keys(registers).sort(), [...registerNames].sort());
    assert.ok(Object.values(registers).every((value) => typeof value === 'bigint'));
    for (const name of segmentNames) {
      const segment = system[name];
      assert.ok(segment.s && segment.present && !segment.unusable, name);
      assert.ok(limitFitsGranularity(segment), name);
      assert.equal(segment.type & 1, 1, `${name} is accessed`);
      assert.equal(segment.dpl, system.cs.dpl);
    }
    const { tr, ldt, cr0, cr4, efer } = system;
    assert.ok(
      tr.present &&
        !tr.unusable &&
        !tr.s &&
        tr.type === 11 &&
        (tr.selector & 4) === 0 &&
        limitFitsGranularity(tr),
    );
    assert.ok(ldt.unusable || (ldt.type === 2 && ldt.present && !ldt.s));
    assert.ok(!(cr0 & 0x8000_0000n) || cr0 & 1n, 'paging needs protection');
    if (efer & 0x400n) assert.ok(cr0 & 0x8000_0000n && cr4 & 0x20n && efer & 0x100n);
    assert.ok(!(system.cs.l && system.cs.db));
    assert.equal(system.apicBase, 0xfee0_0900n);
    assert.equal(system.cr8, 0n);
  });
}
