/** Several CPUs on KVM, a thread each: they start, interrupt each other, are stopped together, and leave nothing behind. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { assembleGuest, elfImage } from '../../src/assembler/index.js';
import { parseImage } from '../../src/boot/index.js';
import type { MachineSpec } from '../../src/config/index.js';
import { createMachine, hostMachine } from '../../src/runtime/index.js';
import { readGuestImage, readGuests } from '../guests/catalogue.js';
import { HANGS_MS, noKvm, until } from '../support.js';

/** The first CPU in protected mode; the others in real mode, where any KVM delivers interrupts, with FS of 4 GiB for the APIC. */
const HEAD = `
.code32
.globl _start
_start: movl $0x1ff, 0xfee000f0
        cld
        mov $trampoline, %esi
        mov $0x8000, %edi
        mov $end - trampoline, %ecx
        rep movsb
        movl $handler - trampoline + 0x8000, 0x50 * 4
        movl $0xc4500, 0xfee00300
        mov $20000, %ecx
1:      loop 1b
        movl $0xc4608, 0xfee00300
        jmp main
.code16
trampoline:
        cli
        xor %ax, %ax
        mov %ax, %ds
        mov %ax, %ss
        mov $0x7000, %sp
        lgdtl gdtr - trampoline + 0x8000
        mov %cr0, %eax
        or $1, %al
        mov %eax, %cr0
        mov $8, %bx
        mov %bx, %fs
        and $0xfe, %al
        mov %eax, %cr0
        mov $0xfee000f0, %ebx
        movl $0x1ff, %fs:(%ebx)
        lock incl 0x9000
        jmp other
.balign 8
gdt:    .quad 0, 0x00cf93000000ffff
gdtr:   .word 15
        .long gdt - trampoline + 0x8000
`;

function image(code: string): Uint8Array {
  const { program, base } = assembleGuest({ file: 'smp.s', text: HEAD + code }, { mode: 'protected' });
  return elfImage(program, { bits: 32, entry: base, name: 'smp.s', folder: '' });
}

const spec = (bytes: Uint8Array, more: Partial<MachineSpec> = {}) => ({
  image: parseImage(bytes, 'smp.elf'),
  engine: 'kvm' as const,
  mode: 'protected' as const,
  memory: 0x20_0000,
  cpus: 2,
  ...more,
});

const call = image(`
.code32
main:   cmpl $1, 0x9000
        jne main
        mov $50000, %ecx
1:      loop 1b
        movl $0xc4050, 0xfee00300       # vector 50h to all others
2:      cmpl $0x22, 0x9004
        jne 2b
        mov 0x9004, %eax
        cli
        hlt
.code16
other:  sti
        hlt
        cli
        hlt
handler: movl $0x22, 0x9004
        iret
end:
`);

const spin = image(`
.code32
main:   jmp main
.code16
other:  jmp other
handler: iret
end:
`);

const threads = () => readdirSync('/proc/self/task').length;

describe('several CPUs on KVM', { skip: noKvm }, () => {
  test('start each other by INIT and SIPI, and interrupt each other; the run ends when none can wake up', () => {
    using machine = createMachine(spec(call));
    const { kind, registers, others } = machine.run({ timeoutMs: HANGS_MS });
    assert.deepEqual([kind, registers.rax & 0xffn, others?.length], ['halted', 0x22n, 1]);
  });

  test('lose no increments with LOCK, and some without it', () => {
    const race = readGuests().find(({ name }) => name === 'race')!;
    let console = '';
    using machine = createMachine({
      ...spec(readGuestImage(race), { cpus: 3 }),
      output: (bytes) => {
        console += Buffer.from(bytes).toString('latin1');
      },
    });
    const { kind, registers } = machine.run({ timeoutMs: HANGS_MS });
    assert.deepEqual([kind, registers.rax], ['halted', 60_000n]);
    assert.match(console, /lock of XCHG: +nothing is lost\nLOCK ADD: +nothing is lost/);
  });

  test('are stopped together while none of them exits, and continue', () => {
    using machine = createMachine(spec(spin, { cpus: 3 }));
    const began = performance.now();
    for (let after = 0; after < 3; ) {
      const { kind, others = [] } = machine.run({ timeoutMs: 20 });
      assert.equal(kind, 'timeout');
      assert.equal(others.length, 2);
      if (machine.memory.read32(0x9000) === 2) after++;
      assert.ok(performance.now() - began < HANGS_MS, 'the others were not started');
    }
  });

  test('are stopped from another thread', async () => {
    await using machine = await hostMachine(spec(spin, { cpus: 3 }));
    const running = machine.run();
    await until('the others run', () => machine.memory.read32(0x9000) === 2);
    machine.stop();
    assert.equal((await running).kind, 'stopped');
  });

  test('leave no thread behind', async () => {
    const before = threads();
    for (let n = 0; n < 5; n++) {
      using machine = createMachine(spec(call, { cpus: 4 }));
      machine.run({ timeoutMs: 50 });
    }
    await until('the threads have ended', () => threads() <= before + 1);
  });

  test('need the kernel’s local APICs', () => {
    assert.throws(
      () => createMachine(spec(spin, { irqchip: 'user' })),
      /--irqchip user gives the engine kvm none/,
    );
  });
});
