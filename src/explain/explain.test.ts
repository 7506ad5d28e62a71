import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { modes } from '../boot/index.js';
import type { FaultRecord } from '../engine/contract/index.js';
import { createMachine } from '../runtime/index.js';
import { explain, formatExplanation } from './explain.js';

const KINDS = ['shutdown', 'engineError', 'halted', 'timeout', 'stopped', 'debug', 'exited', 'reset'];
const FAILURES = [
  'KVM_EXIT_FAIL_ENTRY',
  'KVM_INTERNAL_ERROR_EMULATION',
  'KVM_INTERNAL_ERROR_DELIVERY_EV',
  'KVM_INTERNAL_ERROR_SIMUL_EX',
  'anything',
];

const word = fc.bigInt(0n, (1n << 64n) - 1n);
const fault: fc.Arbitrary<FaultRecord> = fc.record(
  {
    vector: fc.nat(255),
    code: fc.nat(0xffff),
    delivering: fc.nat(255),
    rip: word,
    rsp: word,
    cs: fc.nat(0xffff),
    ss: fc.nat(0xffff),
    cr2: word,
  },
  { requiredKeys: ['vector', 'rip', 'rsp', 'cs', 'ss', 'cr2'] },
) as fc.Arbitrary<FaultRecord>;

describe('an explanation', () => {
  test('names a descriptor that would be beyond the end of memory', () => {
    const size = 2 * 1024 * 1024;
    // mov $0x18,%ax; mov %ax,%ss
    const image = Uint8Array.of(0x66, 0xb8, 0x18, 0x00, 0x8e, 0xd0);
    using machine = createMachine({ engine: 'soft', image, mode: 'protected', memory: size });
    const { cpu, memory } = machine;
    cpu.setSystemRegisters({ ...cpu.getSystemRegisters(), gdt: { base: BigInt(size - 16), limit: 0x2f } });
    const { steps, mistakes } = explain({ ...machine.run(), memory });
    assert.match(steps[0]!.why!, /selector 0x18 \(GDT entry 3\) names an entry that is not in RAM/);
    assert.match(mistakes[0]!, /GDTR points outside RAM/);
  });

  test('of any end of any guest is short, and takes bounded time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...modes),
        fc.constantFrom(...KINDS),
        fc.constantFrom(...FAILURES),
        fc.array(fault, { maxLength: 16 }),
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.array(word, { minLength: 6, maxLength: 6 }),
        fc.boolean(),
        (mode, kind, name, faults, code, [a, b, c, d, e, f], wild) => {
          using machine = createMachine({ engine: 'soft', image: code, mode, memory: 2 * 1024 * 1024 });
          const { cpu, memory } = machine;
          const system = cpu.getSystemRegisters();
          const registers = cpu.getRegisters();
          const table = { base: a!, limit: Number(b! & 0xffffn) };
          const why = explain({
            kind,
            reason: 'as it is',
            failure: { name, message: 'gave up', data: [a!, b!, c!], instruction: code.slice(0, 15) },
            faults,
            registers: wild ? { ...registers, rip: a!, rsp: b!, rcx: c!, rflags: d! } : registers,
            system: wild
              ? { ...system, cr0: c!, cr3: d!, cr4: e!, efer: f!, gdt: table, idt: table }
              : { ...system, idt: table },
            memory,
          });
          const text = formatExplanation(why);
          assert.ok(text.length < 20_000, `${text.length} characters`);
          assert.ok(text.split('\n').length < 200);
          assert.equal(text, formatExplanation(why));
        },
      ),
      { numRuns: 300 },
    );
  });
});
