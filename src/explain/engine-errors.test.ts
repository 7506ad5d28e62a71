/**
 * Ends that an engine reports. The processor's checks are the manual's (SDM 3C 27.3.1), KVM's numbers those that its
 * sources give (Linux, arch/x86/kvm/vmx/vmx.c); no software can make the hardware of every host refuse to enter a guest.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { modes } from '../boot/index.js';
import type { EngineFailure } from '../engine/contract/index.js';
import type { GuestMemory } from '../memory/index.js';
import { createMachine } from '../runtime/index.js';
import type { CpuRegisters, Registers, SystemRegisters } from '../x86/index.js';
import { checkGuestState } from './entry-checks.js';
import { type DeathSubject, explain, formatExplanation } from './explain.js';

type Mode = (typeof modes)[number];

/** Calls with the state that a guest of a mode starts in. */
function withStart<T>(
  mode: Mode,
  code: readonly number[],
  use: (state: CpuRegisters & { memory: GuestMemory }) => T,
): T {
  using machine = createMachine({ engine: 'soft', image: Uint8Array.from(code), mode });
  const { cpu, memory } = machine;
  return use({ registers: cpu.getRegisters(), system: cpu.getSystemRegisters(), memory });
}

/** What the checks report for a changed initial state. */
function checked(
  mode: Mode,
  change: (
    system: SystemRegisters,
    registers: Registers,
  ) => { system?: Partial<SystemRegisters>; registers?: Partial<Registers> },
): string[] {
  return withStart(mode, [0xf4], ({ registers, system, memory }) => {
    const changed = change(system, registers);
    const state = {
      registers: { ...registers, ...changed.registers },
      system: { ...system, ...changed.system },
      memory,
    };
    return checkGuestState(state).map(({ check }) => check);
  });
}

describe('a state that a processor refuses to enter', () => {
  test('is never the initial state that Terrarium gives a guest', () => {
    for (const mode of modes)
      assert.deepEqual(
        checked(mode, () => ({})),
        [],
        mode,
      );
  });

  const one = (name: string, mode: Mode, change: Parameters<typeof checked>[1], words: RegExp) =>
    test(name, () => {
      const found = checked(mode, change);
      assert.equal(found.length, 1, found.join('; '));
      assert.match(found[0]!, words);
    });

  one(
    'has paging without protection',
    'real',
    (s) => ({ system: { cr0: s.cr0 | (1n << 31n) } }),
    /PG is set and PE is not/,
  );
  one(
    'has NW without CD',
    'protected',
    (s) => ({ system: { cr0: s.cr0 | (1n << 29n) } }),
    /NW is set and CD is not/,
  );
  one(
    'has long mode without PAE',
    'long',
    (s) => ({ system: { cr4: s.cr4 & ~0x20n } }),
    /LMA is set and CR4.PAE is not/,
  );
  one(
    'has long mode that is not active',
    'long',
    (s) => ({ system: { efer: s.efer & ~0x100n } }),
    /LME and LMA must be the same/,
  );
  one(
    'has reserved bits of EFER',
    'long',
    (s) => ({ system: { efer: s.efer | 0x20n } }),
    /bits 0x20 are reserved/,
  );
  one('has a CR3 beyond physical memory', 'long', (s) => ({ system: { cr3: s.cr3 | (1n << 60n) } }), /CR3/);
  one('has PCIDs outside long mode', 'protected', (s) => ({ system: { cr4: s.cr4 | (1n << 17n) } }), /PCIDE/);
  one('has code with L and D', 'long', (s) => ({ system: { cs: { ...s.cs, db: true } } }), /L and D both/);
  one('has data for code', 'protected', (s) => ({ system: { cs: { ...s.cs, type: 1 } } }), /CS is of type 1/);
  one(
    'has code that was not accessed',
    'protected',
    (s) => ({ system: { cs: { ...s.cs, type: 10 } } }),
    /CS is of type 10/,
  );
  one(
    'has code that is not present',
    'long',
    (s) => ({ system: { cs: { ...s.cs, present: false } } }),
    /CS is not present/,
  );
  one(
    'has rings that do not agree',
    'long',
    (s) => ({ system: { cs: { ...s.cs, dpl: 3 } } }),
    /CS has DPL 3 and SS has DPL 0/,
  );
  one(
    'has a stack that cannot be written',
    'protected',
    (s) => ({ system: { ss: { ...s.ss, type: 1 } } }),
    /SS is of type 1/,
  );
  one(
    'has data that was not accessed',
    'protected',
    (s) => ({ system: { ds: { ...s.ds, type: 2 } } }),
    /DS.*accessed bit is 0/,
  );
  one(
    'has a limit that its G bit forbids',
    'protected',
    (s) => ({ system: { es: { ...s.es, g: true, limit: 0x12345 } } }),
    /ES has G = 1 and limit 0x12345/,
  );
  one('has an available TSS', 'long', (s) => ({ system: { tr: { ...s.tr, type: 9 } } }), /TR is of type 9/);
  one(
    'has a 16-bit TSS in long mode',
    'long',
    (s) => ({ system: { tr: { ...s.tr, type: 3 } } }),
    /TR is of type 3/,
  );
  one('has no TSS', 'real', (s) => ({ system: { tr: { ...s.tr, unusable: true } } }), /TR is unusable/);
  one(
    'has an LDT of the wrong type',
    'long',
    (s) => ({ system: { ldt: { ...s.ldt, unusable: false, s: false, type: 9, present: true } } }),
    /LDTR is of type 9/,
  );
  one(
    'has a base that is not canonical',
    'long',
    (s) => ({ system: { fs: { ...s.fs, base: 1n << 50n } } }),
    /FS’s base 0x4000000000000 is not canonical/,
  );
  one(
    'has a GDT that is not',
    'long',
    (s) => ({ system: { gdt: { ...s.gdt, base: 1n << 60n } } }),
    /GDTR’s base/,
  );
  one(
    'has a RIP that is not canonical',
    'long',
    () => ({ registers: { rip: 1n << 63n } }),
    /RIP is 0x8000000000000000/,
  );
  one(
    'has a RIP of 64 bits in 32-bit code',
    'protected',
    () => ({ registers: { rip: 1n << 32n } }),
    /RIP is 0x100000000 in code/,
  );
  one('has reserved flags', 'long', () => ({ registers: { rflags: 0x802an } }), /bits 0x8028 are reserved/);
  one('has no flags at all', 'long', () => ({ registers: { rflags: 0n } }), /bit 1 must be 1/);
  one(
    'has virtual-8086 mode in real mode',
    'real',
    (s) => ({
      registers: { rflags: 0x2_0002n },
      system: Object.fromEntries(
        (['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const).map((key) => [
          key,
          { ...s[key], type: 3, dpl: 3, s: true, present: true },
        ]),
      ),
    }),
    /RFLAGS.VM is set in real mode/,
  );

  test('has virtual-8086 segments that are not real mode’s', () => {
    const found = checked('protected', () => ({ registers: { rflags: 0x2_0002n } }));
    assert.ok(
      found.some((check) => /CS’s base 0x0 is not 16 × its selector 0x8/.test(check)),
      found.join('\n'),
    );
    assert.ok(found.some((check) => /SS’s limit is 0xffffffff/.test(check)));
  });

  test('has PAE pointers with bits that are reserved there', () => {
    withStart('pae', [0xf4], ({ registers, system, memory }) => {
      const at = Number(system.cr3 & 0xffff_ffe0n);
      memory.write64(at, memory.read64(at) | 2n);
      const [found] = checkGuestState({ registers, system, memory });
      assert.match(found!.check, /the PAE pointer 0 at 0x[0-9a-f]+ is 0x[0-9a-f]+: bits 0x2 are reserved/);
    });
  });
});

function explained(
  mode: Mode,
  code: readonly number[],
  failure: EngineFailure,
  change: Partial<DeathSubject> = {},
): string {
  return withStart(mode, code, (state) =>
    formatExplanation(
      explain({ kind: 'engineError', reason: failure.message, failure, ...state, ...change }),
    ),
  ).replace(/\s+/g, ' ');
}

describe('the explanation', () => {
  const refused = {
    name: 'KVM_EXIT_FAIL_ENTRY',
    message: 'the processor refused the guest’s state: invalid guest state (0x80000021)',
  };

  test('of a refused state names every check that fails, and what to do about each', () => {
    withStart('long', [0xf4], ({ registers, system, memory }) => {
      const changed = { ...system, tr: { ...system.tr, type: 9 }, cs: { ...system.cs, db: true } };
      const why = explain({
        kind: 'engineError',
        reason: '',
        failure: refused,
        registers,
        system: changed,
        memory,
      });
      assert.equal(why.steps.length, 3);
      assert.match(why.steps[0]!.text, /0x80000021/);
      assert.match(why.mistakes.join(' '), /clear D \(bit 54\).*a busy one, type 11/);
    });
    assert.match(explained('long', [0xf4], refused), /all checks that can be made here pass.*--engine soft/);
  });

  test('of an event that could not be delivered decodes it, and finds what it needed', () => {
    // vmx_handle_exit: vectoring information (valid, error code, exception 14), exit reason 49, qualification.
    const failure = {
      name: 'KVM_INTERNAL_ERROR_DELIVERY_EV',
      message: 'event',
      data: [0x8000_0b0en, 49n, 0n],
    };
    withStart('protected', [0xf4], ({ registers, system, memory }) => {
      const text = formatExplanation(
        explain({
          kind: 'engineError',
          reason: '',
          failure,
          registers: { ...registers, rsp: 0xf000_0000n },
          system: { ...system, idt: { base: 0xe000_0000n, limit: 0x7ff } },
          memory,
        }),
      ).replace(/\s+/g, ' ');
      assert.match(text, /why: #PF \(page fault\) could not be delivered/);
      assert.match(text, /the CPU was delivering #PF \(page fault\), an exception/);
      assert.match(text, /memory of a device, or unclaimed memory \(49\)/);
      assert.match(text, /entry 14 of the IDT, at 0xe0000070, is not in mapped RAM/);
      assert.match(text, /the stack \(its pointer is 0xf0000000\) is not in RAM/);
    });
    assert.match(
      explained('long', [0xf4], { ...failure, data: [0x8000_0020n, 9n] }),
      /delivering interrupt 32, an external interrupt.*task gate/,
    );
    assert.match(
      explained('long', [0xf4], { ...failure, data: [5n] }),
      /event could not be delivered/,
      'no valid bit',
    );
  });

  test('of two exceptions at once names both', () => {
    // handle_exception_nmi: vectoring information, interruption information (valid, #GP), error code.
    const failure = {
      name: 'KVM_INTERNAL_ERROR_SIMUL_EX',
      message: 'both',
      data: [0x8000_0306n, 0x8000_0b0dn, 8n],
    };
    assert.match(
      explained('long', [0xf4], failure),
      /delivering #UD \(invalid opcode\), an exception 2\. in the middle of that, #GP \(general protection fault\), an exception, was raised/,
    );
  });

  test('of an instruction that KVM does not emulate says why it had to emulate it, and why it cannot', () => {
    const failure = (bytes: readonly number[]): EngineFailure => ({
      name: 'KVM_INTERNAL_ERROR_EMULATION',
      message: 'KVM could not emulate an instruction',
      instruction: Uint8Array.from(bytes),
    });
    const text = (mode: Mode, bytes: readonly number[]) => explained(mode, bytes, failure(bytes));
    assert.match(
      text('protected', [0xcd, 0x20]),
      /does not support int 0x20.*software interrupts only in real mode.*what to do Leave --assist on/,
    );
    assert.match(text('protected', [0xcf]), /supports IRET only in real mode/);
    assert.match(text('real', [0xd9, 0xeb]), /runs real mode in its emulator.*of the x87/);
    assert.match(text('real', [0x0f, 0xfc, 0xc1]), /of MMX, SSE and AVX/);
    assert.match(text('long', [0x0f, 0x01, 0xf8]), /neither SYSRET nor SWAPGS/);
    assert.match(text('long', [0xf3, 0x0f, 0xb8, 0xc1]), /only a part of the instruction set/);
    assert.match(text('real', [0x0f, 0x0a]), /Terrarium does not know an instruction/);
    // addps 0xfe000000, %xmm0: beyond RAM.
    assert.match(
      text('protected', [0x0f, 0x58, 0x05, 0, 0, 0, 0xfe]),
      /it accesses 0xfe000000, which is not RAM.*the likely mistake Access devices with plain MOVs/,
    );
  });

  test('of a guest without code is the same under either name of the engine’s error', () => {
    withStart('protected', [0xf4], ({ registers, system, memory }) => {
      const away = { ...registers, rip: 0xf000_0000n };
      const failure = {
        name: 'KVM_INTERNAL_ERROR_EMULATION',
        message: 'KVM could not emulate an instruction',
      };
      const why = explain({ kind: 'engineError', reason: '', failure, registers: away, system, memory });
      assert.equal(why.title, 'the guest ran to an address without code');
    });
  });
});
