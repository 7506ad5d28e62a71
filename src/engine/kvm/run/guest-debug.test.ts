/** A debugger's steps and breakpoints by KVM itself, in real mode, where every KVM hides them from the guest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noKvm } from '../../../../test/support.js';
import { createMachine } from '../../../runtime/index.js';
import { kvmEngine } from '../index.js';

/** nop; nop; out %al,$0x80; nop; hlt */
const code = Uint8Array.of(0x90, 0x90, 0xe6, 0x80, 0x90, 0xf4);

test('KVM stops at a breakpoint, stops there again, and steps over it', { skip: noKvm }, () => {
  using machine = createMachine({
    engine: kvmEngine({ trustGuestDebug: true }),
    image: code,
    mode: 'real',
    load: 0x7c00,
  });
  const { cpu } = machine;
  const ask = (step: boolean) =>
    assert.equal(cpu.debug({ step, breakpoints: [0x7c01n, 0x7c04n], watchpoints: [] }), undefined);
  const runs = () => [machine.run().kind, cpu.getRegisters().rip];
  ask(false);
  assert.deepEqual(runs(), ['debug', 0x7c01n]);
  assert.deepEqual(runs(), ['debug', 0x7c01n]);
  ask(true);
  assert.deepEqual(runs(), ['debug', 0x7c02n]);
  ask(false);
  assert.deepEqual(runs(), ['debug', 0x7c04n]);
  assert.equal(cpu.touchedWatchpoint, -1);
  assert.equal(cpu.debug(undefined), undefined);
  assert.deepEqual(runs(), ['halted', 0x7c06n]);
});

test('more points than the processor has debug registers are refused with a reason', { skip: noKvm }, () => {
  using machine = createMachine({
    engine: kvmEngine({ trustGuestDebug: true }),
    image: code,
    mode: 'real',
    load: 0x7c00,
  });
  const breakpoints = [1n, 2n, 3n, 4n, 5n];
  assert.match(
    machine.cpu.debug({ step: false, breakpoints, watchpoints: [] }) ?? '',
    /4 debug registers, and 5 are needed/,
  );
});
