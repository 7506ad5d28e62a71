/**
 * REP INS has the same exits on the software CPU as on KVM: the same number, each for the same number of elements. For
 * REP OUTS the software CPU makes one exit per page; KVM reports each element alone, in the same order.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseImage } from '../../src/boot/index.js';
import { type Exit, ExitKind } from '../../src/engine/contract/index.js';
import type { Machine } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

const MEMORY = 0x40000;
const PORT = 0x99;
const DF = 0x400n;

interface Case {
  input: boolean;
  size: 1 | 2 | 4;
  wide: boolean;
  down: boolean;
  count: number;
  /** The base of ES and DS, and the offset in them. */
  selector: number;
  offset: number;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    input: fc.boolean(),
    size: fc.constantFrom(1, 2, 4),
    wide: fc.boolean(),
    down: fc.boolean(),
    count: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3000 })),
    selector: fc.constantFrom(0x1000, 0x2001),
    offset: fc.oneof(fc.integer({ min: 0, max: 0xf000 }), fc.integer({ min: 0x5ff0, max: 0x6010 })),
  })
  .map((one) => ({ ...one, count: Math.min(one.count, mostRounds(one)) }));

/** As many as the segment has room for; KVM's exit of OUTS is for one element, so that many of them take long. */
function mostRounds({ input, size, down, offset }: Case): number {
  const room = Math.floor((down ? offset : 0xfffc - offset) / size);
  return input ? room : Math.min(room, 20);
}

const machineOf = (engine: 'kvm' | 'soft') =>
  createMachine({
    engine,
    image: parseImage(Uint8Array.of(0xf4), 'code'),
    mode: 'real',
    memory: MEMORY,
    coalesce: false,
    devices: [
      {
        name: 'stream',
        ports: [{ first: PORT, count: 1, coalesce: true }],
        readPort: () => 0,
        writePort() {},
      },
    ],
  });

/** The exits with their data, and the final registers and memory. */
function run({ cpu, memory }: Machine, { input, size, wide, down, count, selector, offset }: Case) {
  memory.view(0, MEMORY).fill(0x5a);
  const prefixes = [0xf3, ...(wide ? [0x67] : []), ...(size === 4 ? [0x66] : [])];
  memory.writeBytes(0, Uint8Array.from([...prefixes, (input ? 0x6c : 0x6e) + (size === 1 ? 0 : 1), 0xf4]));
  const system = cpu.getSystemRegisters();
  const data = { ...system.ds, selector, base: BigInt(selector * 16) };
  cpu.setSystemRegisters({ ...system, ds: data, es: data });
  const [rcx, at] = [BigInt(count), BigInt(offset)];
  const start = { ...cpu.getRegisters(), rip: 0n, rdx: BigInt(PORT), rflags: down ? 2n | DF : 2n };
  cpu.setRegisters({ ...start, rcx, rsi: at, rdi: at });
  const exits: string[] = [];
  for (let given = 1; cpu.run() !== ExitKind.halt; ) {
    const { exit } = cpu;
    assert.equal(exit.kind, ExitKind.io);
    if (!exit.write) given = answer(exit, given);
    exits.push(...(exit.write ? elementsOf(exit) : [textOf(exit, exit.count, bytesOf(exit))]));
  }
  const { rip, rcx: left, rsi, rdi } = cpu.getRegisters();
  return { exits, registers: { rip, left, rsi, rdi }, memory: memory.readBytes(0, MEMORY) };
}

const textOf = ({ address, size, write, ripLow }: Exit, count: number, bytes: string) =>
  [address, size, count, write, ripLow, bytes].join(' ');

/** A write's elements, each as a separate exit. */
function elementsOf(exit: Exit): string[] {
  const bytes = bytesOf(exit);
  const digits = exit.size * 2;
  return Array.from({ length: exit.count }, (_, n) =>
    textOf(exit, 1, bytes.slice(n * digits, (n + 1) * digits)),
  );
}

function answer({ data, offset, size, count }: Exit, given: number): number {
  for (let at = 0; at < size * count; at++, given++)
    data.setUint8(offset + at, (given * 7 + (given >> 8)) & 255);
  return given;
}

function bytesOf({ data, offset, size, count }: Exit): string {
  return Buffer.from(data.buffer, data.byteOffset + offset, size * count).toString('hex');
}

describe('REP INS and REP OUTS', { skip: noKvm }, () => {
  test('move the same elements, and leave the same registers and memory, on both engines', () => {
    using kvm = machineOf('kvm');
    using soft = machineOf('soft');
    fc.assert(
      fc.property(cases, (one) => {
        const [ours, theirs] = [run(soft, one), run(kvm, one)];
        assert.deepEqual(ours.exits, theirs.exits);
        assert.deepEqual(ours.registers, theirs.registers);
        assert.equal(Buffer.compare(ours.memory, theirs.memory), 0, 'memory');
      }),
      { seed: 1, numRuns: 400 },
    );
  });
});
