/** Several CPUs on the software CPU: their start, their turns, shared memory and code, and repeatable runs. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { assembleGuest, elfImage } from '../../src/assembler/index.js';
import { parseImage } from '../../src/boot/index.js';
import type { MachineSpec } from '../../src/config/index.js';
import type { Machine, Outcome } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { readGuestImage, readGuests } from '../guests/catalogue.js';
import { HANGS_MS } from '../support.js';

/** APIC registers and commands: SDM 3A 11.4.1, 11.6.1. */
const HEAD = `
.set APIC, 0xfee00000
.set COMMAND, 0xfee00300
.set COMMAND_TO, 0xfee00310
.set INIT_OTHERS, 0xc4500
.set START_OTHERS, 0xc4600
.code32
.globl _start
_start:
        movl $0x1ff, APIC + 0xf0
        cld
        mov $trampoline, %esi
        mov $0x8000, %edi
        mov $trampoline_end - trampoline, %ecx
        rep movsb
        jmp main
.code16
trampoline:
        cli
        xor %ax, %ax
        mov %ax, %ds
        lgdtl gdtr - trampoline + 0x8000
        mov %cr0, %eax
        or $1, %al
        mov %eax, %cr0
        ljmpl $8, $other
.balign 8
gdtr:   .word 23
        .long gdt
trampoline_end:
.code32
.balign 8
gdt:    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
done:   cli
        hlt
`;

/** @param code from the label \`main\` on for the first CPU, from \`other\` on for the others */
function guestOf(code: string): Uint8Array {
  const { program, base } = assembleGuest({ file: 'smp.s', text: HEAD + code }, { mode: 'protected' });
  return elfImage(program, { bits: 32, entry: base, name: 'smp.s', folder: '' });
}

interface Ran {
  machine: Machine;
  outcome: Outcome;
}

const open = (image: Uint8Array, spec: Partial<MachineSpec> = {}) =>
  createMachine({
    image: parseImage(image, 'smp.elf'),
    engine: 'soft',
    mode: 'protected',
    memory: 0x20_0000,
    cpus: 2,
    ...spec,
  });

function run(code: string, spec: Partial<MachineSpec> = {}, limit = 5_000_000): Ran {
  const machine = open(guestOf(code), spec);
  const outcome = machine.run({ maxInstructions: limit, timeoutMs: HANGS_MS });
  return { machine, outcome };
}

/** A guest's end state: all registers and all of its memory. */
function hashOf({ cpus, memory }: Machine): string {
  const hash = createHash('sha256');
  for (const cpu of cpus) {
    const write = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
    hash.update(JSON.stringify([cpu.getRegisters(), cpu.getSystemRegisters()], write));
  }
  return hash.update(memory.peek(0, 0x20_0000)).digest('hex');
}

const race = readGuestImage(readGuests().find(({ name }) => name === 'race')!);

const START = `
        movl $INIT_OTHERS, COMMAND
        movl $START_OTHERS | 8, COMMAND
`;

describe('CPUs that take turns', () => {
  test('do the same in each run with the same turns, and may differ with others', () => {
    const ends = (spec: Partial<MachineSpec>) => {
      using machine = open(race, { cpus: 3, ...spec });
      assert.equal(machine.run({ timeoutMs: HANGS_MS }).kind, 'halted');
      return hashOf(machine);
    };
    assert.equal(ends({}), ends({}));
    assert.equal(ends({ smpSeed: 4 }), ends({ smpSeed: 4, translate: 'eager' }));
    assert.notEqual(ends({ smpSeed: 4 }), ends({ smpSeed: 5 }));
    assert.equal(ends({ smpQuantum: 77 }), ends({ smpQuantum: 77, translate: 'off' }));
    assert.notEqual(ends({ smpQuantum: 77 }), ends({ smpQuantum: 78 }));
  });

  test('are saved in the middle of their turns, and continue in another machine without a difference', () => {
    const spec = { cpus: 3, smpSeed: 9, smpQuantum: 500 };
    using whole = open(race, spec);
    whole.run({ timeoutMs: HANGS_MS });
    let machine = open(race, spec);
    for (let cuts = 0; ; cuts++) {
      const { kind } = machine.run({ maxInstructions: 141_111 + 9_770 * cuts, timeoutMs: HANGS_MS });
      if (kind !== 'limit') break;
      const state = structuredClone(machine.save());
      machine[Symbol.dispose]();
      machine = open(race, spec);
      machine.load(state);
      assert.deepEqual(machine.save().turns, state.turns);
      assert.ok(cuts < 500);
    }
    assert.equal(hashOf(machine), hashOf(whole));
    machine[Symbol.dispose]();
  });

  test('cost nothing while they sleep: a single running one has no turns', () => {
    const { machine, outcome } = run(`
main: ${START}
        mov $1000000, %ecx
1:      loop 1b
        jmp done
other:  cli
        hlt
`);
    using _ = machine;
    assert.equal(outcome.kind, 'halted');
    // 10,000 instructions per turn: a million would have a hundred exits.
    assert.ok(outcome.exits < 10, `${outcome.exits} exits`);
    assert.match(outcome.reason, /no CPU runs/);
  });

  test('share one time: no time stamp is below another CPU’s earlier one', () => {
    const { machine } = run(
      `
main: ${START}
        mov $2, %ebp
        jmp look
other:  mov $16, %eax
        mov %eax, %ds
        mov $1, %ebp
look:   mov $20000, %ecx
1:      lock btsl $0, lock
        jc 1b
        rdtsc
        cmp last + 4, %edx
        jb early
        ja later
        cmp last, %eax
        jb early
later:  mov %eax, last
        mov %edx, last + 4
        movl $0, lock
        loop 1b
        lock add %ebp, fine
        jmp done
early:  jmp done
.balign 8
last:   .quad 0
lock:   .long 0
fine:   .long 0
`,
      { smpQuantum: 100 },
    );
    using _ = machine;
    const at = machine.memory.peek(0x10_0000, 0x1000);
    const view = new DataView(at.buffer, at.byteOffset, at.length);
    const words = Array.from({ length: 0x400 }, (_, n) => view.getUint32(4 * n, true));
    assert.ok(words.includes(3), 'both CPUs were done');
  });
});

describe('a CPU that is started', () => {
  test('begins once: a second start-up interrupt does nothing', () => {
    const { machine, outcome } = run(`
main: ${START}
        movl $START_OTHERS | 8, COMMAND
        movl $START_OTHERS | 9, COMMAND
1:      cmpl $0, 0x9000
        je 1b
        movl $START_OTHERS | 8, COMMAND
        mov $1000, %ecx
2:      loop 2b
        mov 0x9000, %eax
        jmp done
other:  mov $16, %eax
        mov %eax, %ds
        incl 0x9000
3:      jmp 3b
`);
    using _ = machine;
    // The other one runs forever.
    assert.equal(outcome.kind, 'limit');
    assert.equal(machine.cpus[0]!.getRegisters().rax, 1n);
  });

  test('begins again after another INIT, with its registers reset', () => {
    const { machine } = run(`
main: ${START}
1:      cmpl $1, 0x9000
        jne 1b
${START}
2:      cmpl $2, 0x9000
        jne 2b
        jmp done
other:  mov $16, %eax
        mov %eax, %ds
        mov %ebx, 0x9004
        mov $0x1234, %ebx
        incl 0x9000
3:      jmp 3b
`);
    using _ = machine;
    assert.equal(machine.memory.read32(0x9000), 2);
    assert.equal(machine.memory.read32(0x9004), 0);
  });

  test('at an address that is not RAM ends the run with a message that names it', () => {
    const { machine, outcome } = run(
      `
main:   movl $INIT_OTHERS, COMMAND
        movl $START_OTHERS | 0xb0, COMMAND
1:      jmp 1b
other:  hlt
`,
      { vga: true },
    );
    using _ = machine;
    assert.equal(outcome.kind, 'engineError');
    assert.equal(outcome.cpu, 1);
    assert.match(outcome.reason, /CPU 1: .*not RAM/);
    assert.deepEqual([outcome.system.cs.base, outcome.registers.rip], [0xb_0000n, 0n]);
  });

  test('and dies is the CPU that the outcome names', () => {
    const { machine, outcome } = run(`
main: ${START}
1:      jmp 1b
other:  lidt none
        ud2
.balign 8
none:   .word 0
        .long 0
`);
    using _ = machine;
    assert.deepEqual([outcome.kind, outcome.cpu], ['shutdown', 1]);
    assert.match(outcome.reason, /^CPU 1: triple fault/);
  });

  test('by INIT to the first CPU resets the machine', () => {
    const { machine, outcome } = run(`
main:   movl $0, COMMAND_TO
        movl $0x4500, COMMAND
        hlt
other:  hlt
`);
    using _ = machine;
    assert.equal(outcome.kind, 'reset');
  });
});

describe('memory that CPUs share', () => {
  for (const translate of ['off', 'eager'] as const)
    test(`has code that one overwrites while another runs it: translated ${translate}`, () => {
      const { machine, outcome } = run(
        `
main: ${START}
        mov $1, %ebx
1:      mov %bl, patched + 1
        movl $0, 0x9000
2:      cmp 0x9000, %ebx
        jne 2b
        inc %ebx
        cmp $100, %ebx
        jb 1b
        jmp done
other:  mov $16, %eax
        mov %eax, %ds
3:      call read
        mov %eax, 0x9000
        jmp 3b
read:
patched: mov $0, %eax
        ret
`,
        { translate, smpQuantum: 300 },
      );
      using _ = machine;
      // The CPU that runs it is never done; the one that writes has seen all 99.
      assert.equal(outcome.kind, 'limit');
      assert.equal(machine.cpus[0]!.getRegisters().rbx, 100n);
    });

  test('is mapped by each CPU’s own tables, with its own TLB', () => {
    const { machine, outcome } = run(
      `
.set FIRST, 0x20000
.set SECOND, 0x30000
.set WINDOW, 0x400000
main:   movl $0x11, 0x40000
        movl $0x22, 0x50000
        movl $0x83, FIRST               # 4 MiB to themselves
        movl $0xfec00083, FIRST + 0xfec # the APIC
        movl $0x21003, FIRST + 4
        movl $0x40003, FIRST + 0x1000   # the window: one page
        movl $0x83, SECOND
        movl $0x31003, SECOND + 4
        movl $0x50003, SECOND + 0x1000
        mov $FIRST, %eax
        call page
${START}
1:      mov WINDOW, %edi
        cmp $0x11, %edi
        jne done
        cmpl $3, 0x9000
        jne 1b
        mov 0x9004, %esi
        jmp done
page:   mov %eax, %cr3
        mov %cr4, %eax
        or $0x10, %al
        mov %eax, %cr4
        mov %cr0, %eax
        or $0x80000000, %eax
        mov %eax, %cr0
        ret
other:  mov $16, %eax
        mov %eax, %ds
        mov %eax, %ss
        mov $0x7000, %esp
        mov $SECOND, %eax
        call page
        mov WINDOW, %ebx                # 22: its own page
        movl $0x40003, SECOND + 0x1000
        mov $20000, %ecx
2:      loop 2b
        mov WINDOW, %ecx                # still 22, or 11: the TLB was not told
        invlpg WINDOW
        mov WINDOW, %edx                # 11 from here on
        add %edx, %ebx
        mov %ebx, 0x9004
        movl $3, 0x9000
        cli
        hlt
`,
      { smpQuantum: 500 },
    );
    using _ = machine;
    assert.equal(outcome.kind, 'halted', outcome.reason);
    const { rdi, rsi } = machine.cpus[0]!.getRegisters();
    assert.deepEqual([rdi, rsi], [0x11n, 0x33n]);
  });
});

test('several CPUs need local APICs, and valid turns', () => {
  const spec = (more: Partial<MachineSpec>) => () => open(race, more)[Symbol.dispose]();
  assert.throws(spec({ machine: 'bare' }), /2 CPUs need local APICs/);
  assert.throws(spec({ irqchip: 'none' }), /--irqchip none gives the engine soft none/);
  assert.throws(spec({ cpus: 17 }), /"cpus" is 17, not a whole number from 1 to 16/);
  using two = open(race, { cpus: 2 });
  using three = open(race, { cpus: 3 });
  const state = two.save();
  assert.throws(() => three.load(state), /it has 2 CPUs, and this machine 3/);
  for (const turns of [
    { ...state.turns!, turn: 2 },
    { ...state.turns!, activities: ['runs', 'sits'] as never },
    { ...state.turns!, end: -1 },
  ])
    assert.throws(() => two.load({ ...state, turns }), /turns/);
});
