/**
 * The hand-over between an engine that gives up and its assisting CPU loses no part of the state. The engine here is
 * the software CPU, modified to give up at one instruction; a second one that runs the same program alone provides the
 * expected state.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble, flatImage } from '../../src/assembler/index.js';
import { AssistedCpu } from '../../src/engine/assist/cpu.js';
import { Control, type EngineCpu, ExitKind, newControl } from '../../src/engine/contract/index.js';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import type { SoftCpu } from '../../src/engine/soft/index.js';
import { softEngine } from '../../src/engine/soft/index.js';
import { createMachine } from '../../src/runtime/index.js';
import type { CpuState } from '../../src/x86/index.js';

/** A separate instruction changes each part of a state. */
const PROGRAM = `
  .code64
  mov $0x0123456789abcdef, %rax
  mov %rax, %rbx
  mov $0x1122334455667788, %r8
  lea 1(%r8), %r9
  lea 2(%r8), %r10
  lea 3(%r8), %r11
  lea 4(%r8), %r12
  lea 5(%r8), %r13
  lea 6(%r8), %r14
  lea 7(%r8), %r15
  add %rax, %rbx
  lea 8(%r8), %rsi
  lea 9(%r8), %rdi
  lea 10(%r8), %rbp
  stc
  std
  mov %rax, %dr0
  mov %rbx, %dr1
  mov %rsi, %dr2
  mov %rdi, %dr3
  mov $0x3ff000000000, %rax
  mov %rax, %cr2
  mov $2, %eax
  mov %rax, %cr8
  mov %ds, %ax
  mov %ax, %gs
  mov %ax, %fs
  xor %edx, %edx
  mov $0x5678, %eax
  mov $0xc0000101, %ecx
  wrmsr
  mov $0xc0000100, %ecx
  wrmsr
  mov $0xc0000102, %ecx
  wrmsr
  mov $0xc0000081, %ecx
  wrmsr
  mov $0xc0000082, %ecx
  wrmsr
  mov $0xc0000084, %ecx
  wrmsr
  mov $0x174, %ecx
  wrmsr
  mov %cr4, %rax
  or $0x600, %eax
  mov %rax, %cr4
  fninit
  fldpi
  fld1
  fdivp
  movq %r8, %mm0
  emms
  movq %r9, %xmm7
  movl $0x1f00, 0x5000
  ldmxcsr 0x5000
  movw $0x7f, 0x5010
  movq $0x6000, 0x5012
  lidt 0x5010
  sti
  nop
  cli
  mov %ss, %ax
  mov %ax, %ss
  nop
  push %r15
  pop %rcx
  hlt
`;

const image = flatImage(assemble(PROGRAM, { file: 'parts.S', syntax: 'gas', base: 0x1000n }));
const made = () => createMachine({ image, mode: 'long', engine: 'soft' });

/** The CPU with the number of the instruction at which it gives up, once. */
function givesUpAt(cpu: SoftCpu, giveUpAt: number): EngineCpu {
  let done = 0;
  let gaveUp = false;
  const run = (): ExitKind => {
    for (; ; done++) {
      // The assisting CPU has executed it, and this one has the state again.
      if (gaveUp) return ExitKind.interrupted;
      if (done === giveUpAt) {
        gaveUp = true;
        return ExitKind.internalError;
      }
      const kind = cpu.step();
      if (kind !== ExitKind.interrupted) return kind;
    }
  };
  return new Proxy(cpu, {
    get(target, key) {
      if (key === 'run') return run;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
}

/** The parts that must be equal: all except the CPU's own clock. */
const comparable = ({ time: _, ...state }: CpuState) => state;

describe('an assisted CPU', () => {
  test('has the same state as if it had executed every instruction itself', () => {
    using alone = made();
    const reference = alone.cpu as SoftCpu;
    let before: CpuState | undefined;
    let last = '';
    let instructions = 0;
    for (; reference.step() === ExitKind.interrupted; instructions++) {
      const expected = comparable(reference.getState());
      using machine = made();
      const control = newControl();
      const helper = () => softEngine(softProgram()).createVm(machine.memory).createCpu(control);
      const cpu = new AssistedCpu(givesUpAt(machine.cpu as SoftCpu, instructions), helper, control);
      assert.equal(cpu.run(), ExitKind.interrupted);
      assert.equal(cpu.assistance.times, 1);
      assert.deepEqual(comparable(cpu.getState()), expected, `after instruction ${instructions}`);
      before = expected as CpuState;
      last = String(before.registers.rip);
    }
    assert.ok(instructions > 60, `${instructions} instructions, to ${last}`);
  });

  test('can be stopped although the engine gives up at each instruction', () => {
    using machine = createMachine({ image: Uint8Array.of(0xeb, 0xfe), mode: 'real', engine: 'soft' });
    const control = newControl();
    const helper = () => softEngine(softProgram()).createVm(machine.memory).createCpu(control);
    let given = 0;
    const inner = givesUpAt(machine.cpu as SoftCpu, 0);
    const always = new Proxy(inner, {
      get: (target, key) =>
        key === 'run'
          ? () => {
              // As the kernel does, it checks the request before it enters the guest.
              if (Atomics.load(control, Control.request) !== 0) return ExitKind.interrupted;
              if (++given === 20) Atomics.store(control, Control.request, 1);
              return ExitKind.internalError;
            }
          : Reflect.get(target, key),
    });
    assert.equal(new AssistedCpu(always, helper, control).run(), ExitKind.interrupted);
    assert.equal(given, 20);
  });
});
