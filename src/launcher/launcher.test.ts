/** The launcher on the real CPU: guests of a few bytes, and what its callbacks see of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../boot/index.js';
import type { Engine } from '../engine/contract.js';
import { type KvmCpu, kvmEngine } from '../engine/kvm/index.js';
import { asm, noKvm } from '../engine/kvm/testing.js';
import { Launcher, type LauncherCallbacks, type LauncherConfig } from './index.js';

const skip = noKvm();
const KERNELS = 'guests';
/** Bytes of RAM at 0; what lies behind is MMIO. */
const MEMORY = 0x10000;
/** Where the guests of this file start, in real mode: behind the interrupt vectors. */
const CODE = 0x1000;

/** A launcher for code in real mode; DS is the segment behind RAM. */
function launcher(code: readonly number[], callbacks: LauncherCallbacks, more: Partial<LauncherConfig> = {}) {
  const bytes = Uint8Array.from([...asm.movAx(MEMORY >> 4), ...asm.movDsAx, ...code]);
  return new Launcher({
    engine: kvmEngine(),
    memory: MEMORY,
    image: parseImage(bytes, 'test'),
    mode: 'real',
    load: CODE,
    callbacks,
    ...more,
  });
}

/** Records every access that it is asked to, as text. */
function recorder() {
  const log: string[] = [];
  const out =
    (name: string) =>
    (port: number, value: number): void => {
      log.push(`${name} ${port.toString(16)} ${value.toString(16)}`);
    };
  return { log, out };
}

describe('port callbacks', { skip }, () => {
  test('OUT of 1, 2 and 4 bytes calls out8, out16 and out32 with port and value', () => {
    const { log, out } = recorder();
    using vm = launcher(
      [...asm.movEax(0x12345678), ...asm.outAl(0x10), ...asm.outAx(0x20), ...asm.outEax(0x30), ...asm.hlt],
      { out8: out('out8'), out16: out('out16'), out32: out('out32') },
    );
    const end = vm.run();
    assert.deepEqual(log, ['out8 10 78', 'out16 20 5678', 'out32 30 12345678']);
    assert.equal(end.kind, 'halted');
    assert.equal(end.exits, 4);
    assert.equal(end.accesses, 3);
  });

  test('IN of 1, 2 and 4 bytes takes what in8, in16 and in32 give, cut to its size', () => {
    using vm = launcher(
      [...asm.inAl(0x10), ...asm.hlt, ...asm.inAx(0x20), ...asm.hlt, ...asm.inEax(0x30), ...asm.hlt],
      {
        in8: (port) => 0x1200 + port,
        in16: (port) => 0x99_0000 + port,
        in32: () => -2,
      },
    );
    const rax = () => {
      assert.equal(vm.run().kind, 'halted');
      return vm.cpu.getRegisters().rax;
    };
    assert.equal(rax() & 0xffn, 0x10n);
    assert.equal(rax() & 0xffffn, 0x20n);
    assert.equal(rax(), 0xffff_fffen);
  });

  test('what has no callback reads as all ones and goes nowhere; unhandled hears of it', () => {
    const seen: unknown[] = [];
    const code = [...asm.movAl(72), ...asm.outAl(0xf1), ...asm.inEax(0x30), ...asm.storeAx(4), ...asm.hlt];
    using vm = launcher(code, { unhandled: (access) => seen.push({ ...access }) });
    assert.equal(vm.run().kind, 'halted');
    assert.deepEqual(seen, [
      { callback: 'out8', address: 0xf1, length: 1, value: 72 },
      { callback: 'in32', address: 0x30, length: 4, value: undefined },
      { callback: 'mmioWrite', address: MEMORY + 4, length: 2, value: 0xffff },
    ]);
    using quiet = launcher(code, {});
    assert.equal(quiet.run().kind, 'halted');
    assert.equal(quiet.cpu.getRegisters().rax, 0xffff_ffffn);
  });

  test('undefined from a read is no answer: all ones', () => {
    using vm = launcher([...asm.inAx(0x10), ...asm.loadAx(0), ...asm.hlt], {
      in16: () => undefined,
      mmioRead: () => undefined,
    });
    vm.run();
    assert.equal(vm.cpu.getRegisters().rax & 0xffffn, 0xffffn);
  });

  test('string I/O of n elements is n callbacks, however many exits KVM makes of it', () => {
    let next = 0x40;
    // ES is 0: REP INSB fills 0x800 up.
    using vm = launcher(
      [...asm.cld, ...asm.movCx(5), ...asm.movDx(0x77), ...asm.movDi(0x800), ...asm.repInsb, ...asm.hlt],
      {
        in8: (port) => {
          assert.equal(port, 0x77);
          return next++;
        },
      },
    );
    const end = vm.run();
    assert.equal(end.kind, 'halted');
    assert.equal(end.accesses, 5);
    assert.deepEqual([...vm.memory.readBytes(0x800, 6)], [0x40, 0x41, 0x42, 0x43, 0x44, 0]);
  });
});

describe('memory callbacks', { skip }, () => {
  test('mmioWrite gets the bytes, mmioRead gives a number, a bigint or bytes', () => {
    const written: string[] = [];
    const answers = [0x1234, 0x5678n, Uint8Array.of(0xcd)];
    using vm = launcher(
      [
        ...asm.movEax(0xaabbccdd),
        ...asm.storeAl(0),
        ...asm.storeAx(2),
        ...asm.storeEax(4),
        ...[1, 2, 3].flatMap(() => [...asm.loadAx(8), ...asm.outAx(0)]),
        ...asm.hlt,
      ],
      {
        mmioWrite: (address, bytes) =>
          written.push(`${address.toString(16)} ${Buffer.from(bytes).toString('hex')}`),
        mmioRead: (address, length) => {
          assert.deepEqual([address, length], [MEMORY + 8, 2]);
          return answers.shift();
        },
        out16: (_, value) => written.push(value.toString(16)),
      },
    );
    assert.equal(vm.run().kind, 'halted');
    assert.deepEqual(written, ['10000 dd', '10002 ddcc', '10004 ddccbbaa', '1234', '5678', 'ffcd']);
  });

  test('a write to a read-only slot is an mmioWrite and leaves the slot as it is', () => {
    const seen: number[] = [];
    using vm = launcher(
      [...asm.movAl(7), ...asm.storeAl(3), ...asm.loadAx(2), ...asm.hlt],
      { mmioWrite: (address, bytes) => seen.push(address, ...bytes) },
      { slots: [{ address: MEMORY, size: 0x1000, readOnly: true }] },
    );
    vm.memory.writeBytes(MEMORY + 2, Uint8Array.of(0x11, 0x22));
    assert.equal(vm.run().kind, 'halted');
    assert.deepEqual(seen, [MEMORY + 3, 7]);
    assert.equal(vm.cpu.getRegisters().rax & 0xffffn, 0x2211n);
  });

  test('a slot with a dirty log names the pages that were written since the last look', () => {
    using vm = launcher(
      [
        ...asm.movAl(1),
        ...asm.storeAl(0x1000),
        ...asm.storeAl(0x3fff),
        ...asm.hlt,
        ...asm.storeAl(5),
        ...asm.hlt,
      ],
      {},
      { slots: [{ address: MEMORY, size: 0x8000, logDirty: true }] },
    );
    vm.run();
    assert.deepEqual(vm.getDirtyLog(1), [MEMORY + 0x1000, MEMORY + 0x3000]);
    assert.deepEqual(vm.getDirtyLog(1), []);
    vm.run();
    assert.deepEqual(vm.getDirtyLog(1), [MEMORY]);
    assert.throws(() => vm.getDirtyLog(0), /memory slot 0 keeps no dirty log/);
    assert.throws(() => vm.getDirtyLog(9), /there is no memory slot 9/);
  });
});

describe('the end of a run', { skip }, () => {
  test('any callback ends it with Launcher.stop, and run goes on from there', () => {
    const stops: Record<string, LauncherCallbacks> = {
      out8: { out8: () => Launcher.stop },
      in8: { in8: () => Launcher.stop },
      mmioWrite: { mmioWrite: () => Launcher.stop },
      mmioRead: { mmioRead: () => Launcher.stop },
      unhandled: { unhandled: () => Launcher.stop },
      halt: { halt: () => Launcher.stop },
      preRun: { preRun: () => Launcher.stop },
      postRun: { postRun: () => Launcher.stop },
      tryPushInterrupts: { tryPushInterrupts: () => Launcher.stop },
      tryPushNmi: { tryPushNmi: () => Launcher.stop },
    };
    const code = [
      ...asm.outAl(1),
      ...asm.inAl(1),
      ...asm.storeAl(0),
      ...asm.loadAx(0),
      ...asm.hlt,
      ...asm.spin,
    ];
    for (const [name, callbacks] of Object.entries(stops)) {
      using vm = launcher(code, callbacks);
      const end = vm.run({ timeoutMs: 2000 });
      assert.equal(end.kind, 'callback', name);
      assert.equal(end.callback, name);
      assert.equal(end.reason, `${name} ended the run`);
    }
  });

  test('the exit that ends a run is finished: the rest of a string operation still comes', () => {
    const seen: number[] = [];
    using vm = launcher(
      [...asm.cld, ...asm.movCx(4), ...asm.movDx(0x77), ...asm.movDi(0x800), ...asm.repInsb, ...asm.hlt],
      {
        in8: () => {
          seen.push(seen.length);
          return seen.length === 2 ? Launcher.stop : seen.length;
        },
      },
    );
    assert.equal(vm.run().callback, 'in8');
    while (vm.run().kind === 'callback');
    assert.equal(vm.cpu.getRegisters().rcx & 0xffffn, 0n);
    assert.deepEqual([...vm.memory.readBytes(0x800, 4)], [1, 0xff, 3, 4]);
  });

  test('registers are those behind the exit: an IN that ended the run has its value', () => {
    let calls = 0;
    using vm = launcher([...asm.inAl(1), ...asm.hlt], {
      in8: () => 0x5a,
      postRun: () => (++calls === 1 ? Launcher.stop : undefined),
    });
    assert.equal(vm.run().callback, 'postRun');
    assert.equal(vm.cpu.getRegisters().rax & 0xffn, 0x5an);
    assert.equal(vm.run().kind, 'halted');
  });

  test('options end it: time, exits, a signal that a callback aborts', () => {
    using spin = launcher(asm.spin, {});
    const late = spin.run({ timeoutMs: 30 });
    assert.equal(late.kind, 'timeout');
    assert.equal(late.exits, 0);
    const abort = new AbortController();
    const chatty = [...asm.outAl(1), 0xeb, 0xfc];
    using counted = launcher(chatty, {});
    assert.deepEqual(
      [counted.run({ maxExits: 5 })].map(({ kind, exits }) => [kind, exits]),
      [['limit', 5]],
    );
    using aborted = launcher(chatty, { out8: () => abort.abort(new Error('enough')) });
    const end = aborted.run({ signal: abort.signal });
    assert.deepEqual([end.kind, end.reason], ['stopped', 'aborted: enough']);
    assert.throws(() => spin.run({ timeoutMs: Number.NaN }), /timeoutMs is NaN/);
    assert.throws(() => spin.run({ maxExits: 0 }), /maxExits is 0/);
  });

  test('a triple fault is told to shutdown and ends it', () => {
    let told = 0;
    // In protected mode without an IDT, UD2 has nowhere to go.
    using vm = new Launcher({
      engine: kvmEngine(),
      image: parseImage(Uint8Array.of(0x0f, 0x0b), 'test'),
      mode: 'protected',
      load: 0x10_0000,
      callbacks: { shutdown: () => told++ },
    });
    const end = vm.run({ timeoutMs: 2000 });
    assert.equal(end.kind, 'shutdown');
    assert.equal(end.failure?.name, 'KVM_EXIT_SHUTDOWN');
    assert.equal(told, 1);
  });

  test('a halt callback that returns nothing lets the guest run on behind HLT', () => {
    let halts = 0;
    using vm = launcher([...asm.hlt, ...asm.hlt, ...asm.outAl(9), ...asm.spin], {
      halt: () => {
        halts++;
      },
      out8: () => Launcher.stop,
    });
    assert.equal(vm.run({ timeoutMs: 2000 }).callback, 'out8');
    assert.equal(halts, 2);
  });

  test('what a callback throws comes out of run, and the launcher can run on', () => {
    let calls = 0;
    using vm = launcher([...asm.outAl(1), ...asm.hlt], {
      out8: () => {
        if (calls++ === 0) throw new RangeError('mine');
      },
    });
    assert.throws(() => vm.run(), new RangeError('mine'));
    assert.equal(vm.run().kind, 'halted');
  });

  test('misuse is told: running twice, running after the end, TPR without controllers', () => {
    const vm: Launcher = launcher([...asm.outAl(1), ...asm.hlt], { out8: () => vm.run() });
    assert.throws(() => vm.run(), /running already/);
    vm[Symbol.dispose]();
    vm[Symbol.dispose]();
    assert.throws(() => vm.run(), /used after it was disposed/);
    assert.throws(() => vm.counters(), /used after it was disposed/);
    assert.throws(() => launcher(asm.hlt, { tprAccess() {} }), /without interrupt controllers/);
    using plain = launcher(asm.hlt, {});
    assert.throws(() => plain.setIrq(0, true), /no interrupt controllers/);
  });
});

describe('around an entry into the guest', { skip }, () => {
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
    assert.equal(vm.run({ timeoutMs: 2000 }).callback, 'out8');
    assert.deepEqual(seen, ['out 1', 'window', 'injected', 'out 99']);
  });

  test('tryPushNmi delivers an NMI, whatever the interrupt flag says', () => {
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
    assert.equal(vm.run({ timeoutMs: 2000 }).kind, 'halted');
    assert.deepEqual(seen, [1, 0x55]);
  });

  test('debug sees each step that was asked for', () => {
    const steps: bigint[] = [];
    using vm = launcher([...asm.nop, ...asm.nop, ...asm.nop, ...asm.hlt], {
      debug: (rip) => (steps.push(rip) === 4 ? Launcher.stop : undefined),
    });
    (vm.cpu as KvmCpu).handle.setGuestDebug({ singleStep: true });
    assert.equal(vm.run({ timeoutMs: 2000 }).callback, 'debug');
    // Behind MOV AX, MOV DS and two NOPs.
    assert.deepEqual(steps, [0x1003n, 0x1005n, 0x1006n, 0x1007n]);
    using unasked = launcher(asm.nop, {});
    (unasked.cpu as KvmCpu).handle.setGuestDebug({ singleStep: true });
    assert.equal(unasked.run({ timeoutMs: 2000 }).kind, 'debug');
  });
});

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
      irqchip: true,
      callbacks: {
        tprAccess: (rip, write) => {
          seen.push({ rip, write });
          return Launcher.stop;
        },
      },
    });
    const end = vm.run({ timeoutMs: 2000 });
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
    using vm = launcher(sleeper, callbacks, { irqchip: true });
    // Vector 9 points to 0:0x300.
    vm.memory.write32(9 * 4, 0x300);
    vm.memory.writeBytes(0x300, Uint8Array.from([...asm.outAl(0x97), ...asm.iret]));
    const end = vm.run({ timeoutMs: wake ? 2000 : 100 });
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

describe('the engine contract', () => {
  test('an engine that lacks a dirty log is asked for none', { skip }, () => {
    const kvm = kvmEngine();
    const bare: Engine = {
      name: 'soft',
      createVm(memory, options) {
        const vm = kvm.createVm(memory, options);
        return {
          createCpu: (control) => vm.createCpu(control),
          coalesce: () => false,
          setIrq: (irq, level) => vm.setIrq(irq, level),
          [Symbol.dispose]: () => vm[Symbol.dispose](),
        };
      },
      kick: (control) => kvm.kick(control),
      discard: (memory) => kvm.discard(memory),
    };
    using vm = new Launcher({ engine: bare, slots: [{ address: 0, size: 0x10_0000, logDirty: true }] });
    assert.throws(() => vm.getDirtyLog(0), /engine 'soft' keeps no dirty log/);
    assert.deepEqual(vm.counters(), { vm: [], cpus: [] });
  });

  test('without an image the CPU starts at F000:FFF0 below 1 MiB, as the article’s launcher has it', {
    skip,
  }, () => {
    let text = '';
    using vm = new Launcher({
      engine: kvmEngine(),
      callbacks: {
        out8: (port, value) => {
          assert.equal(port, 0xf1);
          text += String.fromCharCode(value);
        },
      },
    });
    assert.equal(vm.memory.size, 16 * 1024 * 1024);
    vm.memory.writeBytes(0xf0000, readFileSync(`${KERNELS}/lj-kernel2/lj-kernel2.bin`));
    const end = vm.run({ timeoutMs: 2000 });
    assert.equal(text, 'Hello\n');
    assert.deepEqual([end.kind, end.exits, end.accesses], ['halted', 7, 6]);
  });
});
