/**
 * A guest's AVX registers between engines: a snapshot from KVM keeps them on the software CPU, which cannot use them,
 * and returns them. A guest that uses them there gets an explanation.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { explain, formatExplanation } from '../../src/explain/index.js';
import type { MachineState } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { CR4, XCR0, XSTATE_BV } from '../../src/x86/index.js';
import { noKvm } from '../support.js';

/**
 * CPUID leaf 1, ECX bit 28; leaf 0Dh, subleaf 2: the offset of the upper halves of the YMM registers in an XSAVE area.
 */
const cpuid = noKvm ? [] : kvmEngine().guestCpuid();
const leaf = (number: number, index: number) =>
  cpuid.find((one) => one.function === number && one.index === index);
const hasAvx = ((leaf(1, 0)?.ecx ?? 0) & (1 << 28)) !== 0;
const at = (leaf(0xd, 2)?.ebx ?? 0) - XSTATE_BV;
const skip = noKvm || (!hasAvx && 'SKIPPED: this host’s KVM shows no AVX');

/** VADDPS YMM3, YMM2, YMM1; HLT */
const image = Uint8Array.of(0xc5, 0xec, 0x58, 0xd9, 0xf4);
const make = (engine: 'kvm' | 'soft') =>
  createMachine({ engine, image, mode: 'protected', memory: 0x10_0000, load: 0x1000, entry: 0x1000 });

/** The state of a guest on KVM with AVX in use: YMM15's upper half is 1 to 16. */
function withAvx(): MachineState {
  using machine = make('kvm');
  const state = structuredClone(machine.save());
  const [cpu] = state.cpus;
  const area = cpu!.extended ?? new Uint8Array(at + 256);
  new DataView(area.buffer, area.byteOffset).setBigUint64(0, XCR0.X87 | XCR0.SSE | XCR0.AVX, true);
  area.set(
    Uint8Array.from({ length: 16 }, (_, n) => n + 1),
    at + 15 * 16,
  );
  cpu!.extended = area;
  cpu!.xcr0 = XCR0.X87 | XCR0.SSE | XCR0.AVX;
  cpu!.system.cr4 |= CR4.OSFXSR | CR4.OSXSAVE;
  return state;
}

const upperHalves = ({ cpus: [cpu] }: MachineState) =>
  Buffer.from(cpu!.extended!.subarray(at, at + 256)).toString('hex');

describe('AVX registers', { skip }, () => {
  test('survive the move from KVM to the software CPU and back', () => {
    const state = withAvx();
    const expected = upperHalves(state);
    assert.match(expected, /0102030405060708090a0b0c0d0e0f10$/);
    let now = state;
    for (const engine of ['kvm', 'soft', 'kvm', 'soft', 'soft', 'kvm'] as const) {
      using machine = make(engine);
      machine.load(now);
      now = structuredClone(machine.save());
      assert.equal(upperHalves(now), expected, engine);
      assert.equal(now.cpus[0]!.xcr0, XCR0.X87 | XCR0.SSE | XCR0.AVX, engine);
    }
  });

  test('cannot be used on the software CPU: the guest gets #UD, and the explanation names AVX', () => {
    using machine = make('soft');
    machine.load(withAvx());
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'shutdown', 'there is no interrupt table');
    const said = formatExplanation(explain({ ...outcome, memory: machine.memory, image: machine.boot }));
    assert.match(said, /vaddps ymm3,ymm2,ymm1 belongs to AVX/);
    assert.match(upperHalves(machine.save()), /0102030405060708090a0b0c0d0e0f10$/, 'they stay');
  });
});
