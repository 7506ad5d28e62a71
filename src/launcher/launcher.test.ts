/** What comes around an entry into the guest, and what the launcher asks of its engine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../boot/index.js';
import { kvmEngine } from '../engine/kvm/index.js';
import { asm, noKvm } from '../engine/kvm/testing.js';
import { Launcher, type LauncherCallbacks } from './index.js';
import { engines, launcherOn } from './testing.js';

const skip = noKvm();
const launcher = launcherOn(kvmEngine);
const soft = engines.find(({ name }) => name === 'soft')!.make;

/** A debug event behind each instruction. */
const STEP = { step: true, breakpoints: [], watchpoints: [] };

for (const { name, skip, make } of engines) {
  const launcher = launcherOn(make);

  describe(`around an entry into the guest on ${name}`, { skip }, () => {
    test('callbacks come in LibKVM’s order: NMI, interrupts, preRun, the guest, postRun, the exit', () => {
      const order: string[] = [];
      const note = (name: string) => () => {
        order.push(name);
      };
      using vm = launcher([...asm.outAl(1), ...asm.hlt], {
        tryPushNmi: note('tryPushNmi'),
        tryPushInterrupts: note('tryPushInterrupts'),
        preRun: note('preRun'),
        postRun: note('postRun'),
        out8: note('out8'),
      });
      vm.run();
      const entry = ['tryPushNmi', 'tryPushInterrupts', 'preRun', 'postRun'];
      assert.deepEqual(order, [...entry, 'out8', ...entry]);
    });

    test('tryPushInterrupts waits for the window and delivers a vector to the guest’s handler', () => {
      // Vector 0x20 at 0:0x80 points to 0:0x300: out %al,$0x99; iret.
      let pending = true;
      const seen: string[] = [];
      using vm = launcher([...asm.outAl(1), ...asm.sti, ...asm.nop, ...asm.spin], {
        tryPushInterrupts: (pins) => {
          if (pending && pins.readyForInterrupt) {
            pending = false;
            pins.injectInterrupt(0x20);
            seen.push('injected');
          }
          return pending;
        },
        interruptWindow: () => seen.push('window'),
        out8: (port) => {
          seen.push(`out ${port.toString(16)}`);
          return port === 0x99 ? Launcher.stop : undefined;
        },
      });
      vm.memory.write16(0x80, 0x300);
      vm.memory.write16(0x82, 0);
      vm.memory.writeBytes(0x300, Uint8Array.from([...asm.outAl(0x99), ...asm.iret]));
      assert.equal(vm.run({ timeoutMs: 60_000 }).callback, 'out8');
      assert.deepEqual(seen, ['out 1', 'window', 'injected', 'out 99']);
    });

    test('tryPushNmi delivers an NMI, for both values of the interrupt flag', () => {
      let pushed = false;
      const seen: number[] = [];
      using vm = launcher([...asm.outAl(1), ...asm.nop, ...asm.hlt], {
        tryPushNmi: (pins) => {
          if (seen.length === 0 || pushed) return;
          pushed = true;
          pins.injectNmi();
        },
        out8: (port) => seen.push(port),
      });
      // Vector 2 at 0:8 points to 0:0x300.
      vm.memory.write16(8, 0x300);
      vm.memory.write16(10, 0);
      vm.memory.writeBytes(0x300, Uint8Array.from([...asm.outAl(0x55), ...asm.iret]));
      assert.equal(vm.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.deepEqual(seen, [1, 0x55]);
    });

    test('debug sees each step that was asked for', () => {
      const steps: bigint[] = [];
      using vm = launcher([...asm.nop, ...asm.nop, ...asm.nop, ...asm.hlt], {
        debug: (rip) => (steps.push(rip) === 4 ? Launcher.stop : undefined),
      });
      assert.equal(vm.cpu.debug(STEP), undefined);
      assert.equal(vm.run({ timeoutMs: 60_000 }).callback, 'debug');
      // Behind MOV AX, MOV DS and two NOPs.
      assert.deepEqual(steps, [0x1003n, 0x1005n, 0x1006n, 0x1007n]);
      using unasked = launcher(asm.nop, {});
      unasked.cpu.debug(STEP);
      assert.equal(unasked.run({ timeoutMs: 60_000 }).kind, 'debug');
    });

    test('without an image the CPU starts at F000:FFF0 below 1 MiB, as the article’s launcher has it', () => {
      let text = '';
      using vm = new Launcher({
        engine: make(),
        callbacks: {
          out8: (port, value) => {
            assert.equal(port, 0xf1);
            text += String.fromCharCode(value);
          },
        },
      });
      assert.equal(vm.memory.size, 16 * 1024 * 1024);
      vm.memory.writeBytes(0xf0000, readFileSync('guests/lj-kernel2/lj-kernel2.bin'));
      const end = vm.run({ timeoutMs: 60_000 });
      assert.equal(text, 'Hello\n');
      assert.deepEqual([end.kind, end.exits, end.accesses], ['halted', 7, 6]);
    });
  });
}

describe('in-kernel interrupt controllers', { skip }, () => {
  test('tprAccess names the instruction and the direction', () => {
    // mov $0x20,%eax; mov %eax,0xfee00080; jmp .
    const code = [0xb8, 0x20, 0, 0, 0, 0xa3, 0x80, 0, 0xe0, 0xfe, 0xeb, 0xfe];
    const seen: unknown[] = [];
    using vm = new Launcher({
      engine: kvmEngine(),
      image: parseImage(Uint8Array.from(code), 'tpr'),
      mode: 'protected',
      load: 0x10_0000,
      irqchip: 'kernel',
      callbacks: {
        tprAccess: (rip, write) => {
          seen.push({ rip, write });
          return Launcher.stop;
        },
      },
    });
    const end = vm.run({ timeoutMs: 60_000 });
    assert.equal(end.callback, 'tprAccess');
    assert.equal(seen.length, 1);
    const [{ rip, write }] = seen as [{ rip: bigint; write: boolean }];
    assert.equal(write, true);
    // Where VMX traps after the instruction rip is past it, where the instruction is emulated it is at it.
    assert.ok(rip === 0x10_0005n || rip === 0x10_000an, `rip ${rip.toString(16)}`);
  });

  /** Sets up the master 8259A for vectors from 8 with only IRQ 1 open (ICW1 to ICW4, OCW1), enables interrupts, halts. */
  const sleeper = [
    ...[
      [0x20, 0x11],
      [0x21, 0x08],
      [0x21, 0x04],
      [0x21, 0x01],
      [0x21, 0xfd],
    ].flatMap(([port, value]) => [...asm.movAl(value!), ...asm.outAl(port!)]),
    ...asm.outAl(0x99),
    ...asm.sti,
    ...asm.hlt,
    ...asm.outAl(0x98),
    ...asm.spin,
  ];

  /** Runs it; `wake` raises the line of IRQ 1 before the guest halts. Gives the ports that it wrote. */
  function sleep(wake: boolean) {
    const seen: number[] = [];
    const callbacks: LauncherCallbacks = {
      out8: (port) => {
        seen.push(port);
        if (port === 0x99 && wake) vm.setIrq(1, true);
        return port === 0x98 ? Launcher.stop : undefined;
      },
    };
    using vm = launcher(sleeper, callbacks, { irqchip: 'kernel' });
    // Vector 9 points to 0:0x300.
    vm.memory.write32(9 * 4, 0x300);
    vm.memory.writeBytes(0x300, Uint8Array.from([...asm.outAl(0x97), ...asm.iret]));
    const end = vm.run({ timeoutMs: wake ? 60_000 : 100 });
    return { seen, end };
  }

  test('HLT sleeps inside KVM, where it ends no run', () => {
    const { seen, end } = sleep(false);
    assert.equal(end.kind, 'timeout');
    assert.deepEqual(seen, [0x99]);
  });

  test('setIrq raises a line: the guest’s handler runs and HLT is over', () => {
    const { seen, end } = sleep(true);
    assert.equal(end.callback, 'out8');
    assert.deepEqual(seen, [0x99, 0x97, 0x98]);
  });
});

describe('a launcher on the software CPU', () => {
  test('is told what that engine has not got: counters and interrupt controllers', () => {
    using vm = new Launcher({ engine: soft() });
    assert.deepEqual(vm.counters(), { vm: [], cpus: [] });
    assert.throws(() => new Launcher({ engine: soft(), irqchip: 'kernel' }), {
      message: /no interrupt controllers of its own/,
    });
  });
});
