/**
 * Claims that move while a guest runs: its accesses match a model of the bus, on both engines, and the engines' mappings
 * follow.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { Claim, Device, DeviceHost, MemoryRange, PortRange } from '../../src/devices/contract/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

/** RAM from 0 on; addresses after it belong to devices. */
const RAM = 0x40000;
const [INSIDE, FIRST, SECOND] = [0x30000, 0x50000, 0x60000];
const PAGE = 0x1000;
const FLOATS = 0xff;
const IN_RAM = 0x77;
const DEVICE = 0xee;
const BACKED = 0x42;

// Instructions of real mode, by their encodings in SDM 2.
/** MOV AL, value; OUT port, AL */
const out = (port: number, value: number) => [0xb0, value, 0xe6, port];
/** MOV AX, segment; MOV DS, AX; MOV AL, [0]; MOV [result], AL through SS */
const read = (address: number, result: number) => [
  ...[0xb8, (address >> 4) & 0xff, address >> 12, 0x8e, 0xd8, 0xa0, 0, 0],
  ...[0x36, 0xa2, result, 0x05],
];
/** MOV AX, segment; MOV DS, AX; MOV byte [0], value */
const write = (address: number, value: number) => [
  ...[0xb8, (address >> 4) & 0xff, address >> 12, 0x8e, 0xd8],
  ...[0xc6, 0x06, 0, 0, value],
];
const HLT = 0xf4;

/** A device that does one of its steps when its number is written to port 80. */
class Stepper implements Device {
  readonly name = 'stepper';
  readonly ports: PortRange[] = [{ first: 0x80, count: 1, width: 1 }];
  readonly memory: MemoryRange[];
  readonly written: number[] = [];
  host!: DeviceHost;
  steps: (() => void)[] = [];
  readonly #begin: (stepper: Stepper) => (() => void)[];

  constructor(memory: MemoryRange[], begin: (stepper: Stepper) => (() => void)[]) {
    this.memory = memory;
    this.#begin = begin;
  }
  attach(host: DeviceHost): void {
    this.host = host;
    this.steps = this.#begin(this);
  }
  writePort(_port: number, _size: number, value: number): void {
    this.steps[value]?.();
  }
  readMemory(): number {
    return DEVICE;
  }
  writeMemory(address: number, _size: number, value: number): void {
    this.written.push(address, value);
  }
}

/** Runs `code`; returns the bytes that it stored as results, and its number of exits. */
function run(engine: 'soft' | 'kvm', device: Stepper, code: readonly number[], results: number) {
  using machine = createMachine({
    engine,
    image: parseImage(Uint8Array.from([...code, HLT]), 'claims'),
    mode: 'real',
    memory: RAM,
    standardDevices: false,
    devices: [device],
  });
  machine.memory.write8(INSIDE, IN_RAM);
  const outcome = machine.run({ timeoutMs: 60_000 });
  assert.equal(outcome.kind, 'halted', outcome.reason);
  return { seen: [...machine.memory.readBytes(0x500, results)], exits: outcome.exits };
}

for (const engine of ['soft', 'kvm'] as const) {
  describe(`claims of memory on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
    test('move, are covered by RAM, are released and claimed again', () => {
      const device = new Stepper([], ({ host }) => {
        const bar = host.claim({ address: FIRST, size: PAGE, width: 1 });
        return [() => bar.move(INSIDE), () => bar.move(SECOND), () => bar.release(), () => bar.move(FIRST)];
      });
      const at = (first: number) => [
        ...read(FIRST, first),
        ...read(INSIDE, first + 1),
        ...read(SECOND, first + 2),
      ];
      const code = [0, 1, 2, 3].flatMap((step) => [...out(0x80, step), ...at(3 + 3 * step)]);
      const { seen } = run(engine, device, [...at(0), ...code], 15);
      assert.deepEqual(seen, [
        ...[DEVICE, IN_RAM, FLOATS],
        ...[FLOATS, IN_RAM, FLOATS], // over RAM, which answers first
        ...[FLOATS, IN_RAM, DEVICE],
        ...[FLOATS, IN_RAM, FLOATS],
        ...[DEVICE, IN_RAM, FLOATS],
      ]);
    });

    test('move with their backing, which is read without an exit', () => {
      const range: MemoryRange = { address: FIRST, size: PAGE, backing: 'ram', width: 1 };
      const device = new Stepper([range], ({ host }) => {
        host.windows!.bytes(range)[0] = BACKED;
        const bar = host.claim(range);
        return [() => bar.move(SECOND), () => bar.move(INSIDE), () => bar.release(), () => bar.move(FIRST)];
      });
      const at = (first: number) => [...read(FIRST, first), ...read(SECOND, first + 1)];
      const code = [0, 1, 2, 3].flatMap((step) => [...out(0x80, step), ...at(2 + 2 * step)]);
      const { seen, exits } = run(engine, device, [...at(0), ...code, ...write(FIRST, 5)], 10);
      assert.deepEqual(seen, [
        ...[BACKED, FLOATS],
        ...[FLOATS, BACKED],
        ...[FLOATS, FLOATS],
        ...[FLOATS, FLOATS],
        ...[BACKED, FLOATS],
      ]);
      assert.deepEqual(device.written, [FIRST, 5]);
      assert.equal(exits, 4 + 7 + 1 + 1, 'four steps, seven reads of nothing, a write, HLT');
    });

    test('of a higher priority cover another’s, whose other bytes stay the same', () => {
      const range: MemoryRange = { address: FIRST, size: 2 * PAGE, backing: 'ram', width: 1 };
      const cover: Device = { name: 'cover', readMemory: () => DEVICE };
      const claims: Claim[] = [];
      cover.attach = (host) => {
        claims.push(host.claim({ address: FIRST + PAGE, size: 16, width: 1, priority: 2, hidden: true }));
      };
      const steps = new Stepper([range], ({ host }) => {
        const bytes = host.windows!.bytes(range);
        bytes[0] = BACKED;
        bytes[PAGE] = BACKED + 1;
        return [() => claims[0]!.move(FIRST + PAGE), () => claims[0]!.release()];
      });
      steps.readMemory = undefined as never;
      const at = (first: number) => [...read(FIRST, first), ...read(FIRST + PAGE, first + 1)];
      const code = [...at(0), ...out(0x80, 0), ...at(2), ...out(0x80, 1), ...at(4), HLT];
      using machine = createMachine({
        engine,
        image: parseImage(Uint8Array.from(code), 'claims'),
        mode: 'real',
        memory: RAM,
        standardDevices: false,
        devices: [steps, cover],
      });
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.deepEqual(
        [...machine.memory.readBytes(0x500, 6)],
        [BACKED, BACKED + 1, BACKED, DEVICE, BACKED, BACKED + 1],
      );
      assert.equal(outcome.exits, 2 + 2 + 1, 'two steps, two reads while it is covered, HLT');
    });

    test('move with their window, and can exchange places', () => {
      const [a, b]: MemoryRange[] = [
        { address: FIRST, size: PAGE, backing: 'ram' },
        { address: SECOND, size: 2 * PAGE, window: PAGE },
      ];
      const device = new Stepper([a!, b!], ({ host }) => {
        host.windows!.bytes(a!)[0] = BACKED;
        host.windows!.bytes(b!)[0] = BACKED + 1;
        const [backed, window] = [host.claim(a!), host.claim(b!)];
        return [
          () => host.windows!.show(b!, SECOND, PAGE),
          () => {
            backed.release();
            window.move(FIRST);
            backed.move(SECOND);
          },
          () => host.windows!.show(b!, FIRST, 0),
        ];
      });
      const at = (first: number) => [...read(FIRST, first), ...read(SECOND, first + 1)];
      const code = [0, 1, 2].flatMap((step) => [...out(0x80, step), ...at(2 + 2 * step)]);
      const { seen } = run(engine, device, [...at(0), ...code], 8);
      assert.deepEqual(seen, [
        ...[BACKED, DEVICE],
        ...[BACKED, BACKED + 1],
        ...[BACKED + 1, BACKED],
        ...[DEVICE, BACKED],
      ]);
    });

    test('that conflict end the run, and both devices are named', () => {
      const device = new Stepper([], ({ host }) => {
        host.claim({ address: FIRST, size: PAGE });
        const bar = host.claim({ address: SECOND, size: PAGE });
        return [() => bar.move(FIRST + 0xfff)];
      });
      assert.throws(
        () => run(engine, device, out(0x80, 0), 0),
        /device 'stepper' failed in a write to port 0x80.*'stepper' and 'stepper' both claim memory 0x50fff/,
      );
    });

    test('at the top of a processor’s address space answer through a page table', () => {
      // 36 bits are the fewest that a processor with PAE has (SDM 3A 4.1.4).
      const top = 2 ** 36;
      const device: Device = {
        name: 'top',
        memory: [{ address: top - PAGE, size: PAGE, width: 1 }],
        readMemory: (address) => (address === top - 1 ? DEVICE : 0),
      };
      // MOV RBX, 8000_001F_FFFFh (the last byte of the 2 MiB page below); MOV AL, [RBX]; HLT
      const code = [0x48, 0xbb, 0xff, 0xff, 0x1f, 0, 0x80, 0, 0, 0, 0x8a, 0x03, HLT];
      using machine = createMachine({
        engine,
        image: parseImage(Uint8Array.from(code), 'top'),
        mode: 'long',
        standardDevices: false,
        devices: [device],
      });
      // PML4 entry 1 → PDPT → page directory → a page of 2 MiB (SDM 3A 4.5.4).
      const { cr3 } = machine.cpu.getSystemRegisters();
      const [pdpt, directory] = [0x800000, 0x801000];
      machine.memory.write64(Number(cr3) + 8, BigInt(pdpt | 3));
      machine.memory.write64(pdpt, BigInt(directory | 3));
      machine.memory.write64(directory, BigInt(top - 0x200000) | 0x83n);
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.equal(outcome.registers.rax & 0xffn, BigInt(DEVICE));
    });
  });
}

describe('claims whose writes KVM coalesces', { skip: noKvm }, () => {
  for (const coalesceAfter of [0, 3]) {
    test(`move with their coalesced writes, after ${coalesceAfter} writes`, () => {
      const printed: string[] = [];
      const device: Device = {
        name: 'printer',
        attach(host) {
          const bar = host.claim({ first: 0xe9, count: 1, width: 1, coalesce: true });
          const mover = { first: 0x80, count: 1, width: 1 } as const;
          host.claim(mover);
          this.writePort = (port, _size, value) => {
            if (port !== 0x80) printed.push(`${port.toString(16)}:${String.fromCharCode(value)}`);
            else if (value === 0) bar.move(0xea);
            else bar.release();
          };
        },
      };
      const print = (port: number, text: string) => [...text].flatMap((c) => out(port, c.charCodeAt(0)));
      const code = [
        ...print(0xe9, 'abcdef'),
        ...out(0x80, 0),
        ...print(0xe9, 'xy'),
        ...print(0xea, 'ghijkl'),
        ...out(0x80, 1),
        ...print(0xea, 'z'),
        HLT,
      ];
      using machine = createMachine({
        engine: kvmEngine({ coalesceAfter }),
        image: parseImage(Uint8Array.from(code), 'printer'),
        mode: 'real',
        memory: RAM,
        standardDevices: false,
        devices: [device],
      });
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.equal(printed.join(' '), 'e9:a e9:b e9:c e9:d e9:e e9:f ea:g ea:h ea:i ea:j ea:k ea:l');
      assert.equal(outcome.coalesced, 2 * (6 - coalesceAfter), 'nothing is coalesced where no claim is');
      assert.deepEqual(
        outcome.unclaimed.map(({ address, count }) => [address, count]),
        [
          [0xe9, 2],
          [0xea, 1],
        ],
      );
    });
  }
});
