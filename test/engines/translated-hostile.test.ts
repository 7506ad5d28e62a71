/** Guests that are difficult for a translator: their results are the same, and the memory for them is bounded. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { ExitKind, newControl } from '../../src/engine/contract/index.js';
import type { TranslateMode } from '../../src/engine/soft/index.js';
import { GuestMemory, type RegionConfig } from '../../src/memory/index.js';
import { modes } from '../../src/verify/modes.js';
import { registerNames } from '../../src/x86/index.js';
import { engineOf } from './lockstep.js';

const CODE = 0x100000;
const STACK = 0x90000;
const MEMORY = 0x1000000;
/** A program that does not end. */
const PATIENCE = 400_000_000;

const engines = { off: engineOf('off'), on: engineOf('on'), eager: engineOf('eager') };
const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

interface Guest {
  bytes: readonly number[];
  at?: number;
  /** Instructions after which it is stopped, if it does not end. */
  atMost?: number;
  regions?: readonly RegionConfig[];
}

function run(
  mode: TranslateMode,
  { bytes, at = CODE, atMost = PATIENCE, regions = [{ address: 0, size: MEMORY }] }: Guest,
) {
  const memory = GuestMemory.create([...regions]);
  const vm = engines[mode].createVm(memory);
  const cpu = vm.createCpu(newControl());
  modes.protected.prepare(memory);
  memory.writeBytes(at, Uint8Array.from(bytes));
  const system = cpu.getSystemRegisters();
  modes.protected.system(system);
  cpu.setSystemRegisters(system);
  const zero = Object.fromEntries(registerNames.map((name) => [name, 0n]));
  cpu.setRegisters({ ...cpu.getRegisters(), ...zero, rip: BigInt(at), rsp: BigInt(STACK), rflags: 2n });
  cpu.clock.setAlarm(cpu.clock.cycles + atMost);
  let kind = cpu.run();
  while (kind === ExitKind.interrupted && Number(cpu.instructions) < atMost) kind = cpu.run();
  const ram = createHash('md5').update(memory.view(0, regions[0]!.size)).digest('hex');
  const left = { kind, registers: cpu.getRegisters(), instructions: cpu.instructions, ram };
  const stats = cpu.translation;
  vm[Symbol.dispose]();
  memory.release(false);
  return { left, stats };
}

/** Checks that the results are the same in all modes; returns the translator's statistics. */
function compare(guest: Guest) {
  const { left } = run('off', guest);
  const on = run('on', guest);
  assert.deepEqual(on.left, left);
  const eager = run('eager', guest);
  assert.deepEqual(eager.left, left);
  assert.equal(on.stats!.stopped, undefined);
  assert.equal(eager.stats!.stopped, undefined);
  return { on: on.stats!, eager: eager.stats! };
}

const repeat = (count: number, bytes: readonly number[]) => Array.from({ length: count }, () => bytes).flat();

/** mov ecx, rounds; again: body; dec ecx; jnz again; hlt */
function loop(rounds: number, body: readonly number[]): number[] {
  return [0xb9, ...word(rounds), ...body, 0x49, 0x0f, 0x85, ...word(-(body.length + 7)), 0xf4];
}

/** Another number each time: imul edx, edx, 1103515245; add edx, 12345; mov ebx, edx; shr ebx, 16; and ebx, mask; add ebx, … */
const somewhere = (mask: number) => [
  0x69,
  0xd2,
  ...word(1103515245),
  0x81,
  0xc2,
  ...word(12345),
  0x89,
  0xd3,
  0xc1,
  0xeb,
  16,
  0x81,
  0xe3,
  ...word(mask),
  0x81,
  0xc3,
];

describe('translating', () => {
  test('is bounded where a guest makes new code without end', () => {
    // Each iteration writes "add eax, imm32; ret" to another place, and calls it 2,000 times.
    const called = [0xbe, ...word(2000), 0xff, 0xd7, 0x4e, 0x75, 0xfb]; // mov esi, 2000; again: call edi; dec esi; jnz again
    const body = [0xc6, 0x07, 0x05, 0x89, 0x4f, 0x01, 0xc6, 0x47, 0x05, 0xc3, ...called, 0x83, 0xc7, 0x40];
    const guest = { bytes: [0xbf, ...word(0x200000), ...loop(600, body)] };
    const { on } = compare(guest);
    assert.ok(on.bytes < 1_000_000, `${on.bytes} bytes`);
  });

  test('is not repeated without end for a guest that overwrites its own loop', () => {
    // inc byte [the immediate]; add eax, imm8
    compare({ bytes: loop(20_000, [0xfe, 0x05, ...word(CODE + 5 + 6 + 2), 0x83, 0xc0, 0]) });
  });

  test('is rarely left where each access misses the TLB', () => {
    // mov esi, 200000; again: mov eax, [esi]; add ebx, eax; inc ebx; mov [esi], ebx; add esi, 1004; cmp esi, f00000; jb again
    const access = [0x8b, 0x06, 0x01, 0xc3, 0x43, 0x89, 0x1e, 0x81, 0xc6, ...word(0x1004)];
    const pass = [0xbe, ...word(0x200000), ...access, 0x81, 0xfe, ...word(0xf00000), 0x72, 0xeb];
    const { on, eager } = compare({ bytes: loop(200, pass) });
    // The number depends on the moments of the translator's checks.
    for (const { left, instructions } of [on, eager])
      assert.ok(left < instructions / 50, `left ${left} times`);
    assert.ok(on.translated > on.instructions / 2, `${on.translated} of ${on.instructions}`);
  });

  test('supports jumps into the middle of instructions', () => {
    // test cl, 1; jz into it; mov eax, 40404040, which from its second byte on is inc eax four times
    compare({ bytes: loop(10_000, [0xf6, 0xc1, 1, 0x74, 1, 0xb8, 0x40, 0x40, 0x40, 0x40]) });
  });

  test('supports a function of 100,000 instructions', () => {
    const { on, eager } = compare({ bytes: loop(40, repeat(100_000, [0x01, 0xc8])) });
    // Each instruction was translated about once, into some 60 bytes.
    assert.ok(eager.size < 200_000 && eager.bytes < 20_000_000, `${eager.size} instructions`);
    assert.ok(on.bytes <= eager.bytes);
  });

  test('supports 10,000 entries into one loop', () => {
    // A sled of 10,000 "inc eax", entered at another place in each iteration.
    const sled = repeat(10_000, [0x40]);
    // And then jmp ebx.
    const head = somewhere(8191);
    const sledAt = CODE + 5 + head.length + 4 + 2;
    compare({ bytes: loop(300, [...head, ...word(sledAt), 0xff, 0xe3, ...sled]) });
  });

  test('supports calls 100,000 deep, and back', () => {
    // mov ecx, 100000; call over; hlt; over: dec ecx; jz end; call over; inc eax; end: ret
    const once = [
      0xb9,
      ...word(100_000),
      0xe8,
      ...word(1),
      0xf4,
      0x49,
      0x74,
      6,
      0xe8,
      ...word(-8),
      0x40,
      0xc3,
    ];
    compare({ bytes: [0xbc, ...word(0x800000), ...once] });
  });

  test('supports calls that never return', () => {
    compare({ bytes: [0xbc, ...word(0x800000), 0x40, 0xe8, ...word(-6)], atMost: 2_000_000 });
  });

  test('supports returns to any address', () => {
    const sled = repeat(4096, [0x40]);
    const head = somewhere(4095);
    const sledAt = CODE + 5 + head.length + 4 + 2;
    compare({ bytes: loop(300, [...head, ...word(sledAt), 0x53, 0xc3, ...sled]) });
  });

  test('supports code at the end of memory, and code that runs beyond it', () => {
    const at = MEMORY - 64;
    const bytes = loop(5000, [0x01, 0xc8]);
    compare({ bytes, at });
    const off = [...loop(5000, [0x01, 0xc8]).slice(0, -1)];
    compare({ bytes: [...off, ...repeat(64 - off.length, [0x90])], at });
  });

  test('supports code in read-only memory', () => {
    const regions = [
      { address: 0, size: CODE },
      { address: 0xf0000000, size: 0x10000, readOnly: true },
    ];
    const { eager } = compare({
      bytes: loop(5000, [0x01, 0xc8, 0xa2, ...word(0x500)]),
      at: 0xf0000000,
      regions,
    });
    assert.ok(eager.functions > 0);
  });

  test('supports code on a page with its stack and its data', () => {
    // push eax; pop ebx; add [next to the code], eax
    const bytes = [
      0xbc,
      ...word(CODE + 0xff0),
      ...loop(400_000, [0x50, 0x5b, 0x01, 0x05, ...word(CODE + 0x800)]),
    ];
    const { on } = compare({ bytes });
    assert.ok(on.functions > 0 && on.functions < 10, `${on.functions} functions`);
  });

  test('stops where the host refuses, and the guest continues', () => {
    const guest = { bytes: loop(100_000, [0x01, 0xc8]) };
    const { left } = run('off', guest);
    const { Module } = WebAssembly;
    WebAssembly.Module = class extends Module {
      constructor(bytes: BufferSource) {
        super(bytes);
        throw new RangeError('out of memory');
      }
    } as typeof Module;
    try {
      const eager = run('eager', guest);
      assert.deepEqual(eager.left, left);
      assert.equal(eager.stats!.stopped, 'out of memory');
      assert.equal(eager.stats!.functions, 0);
    } finally {
      WebAssembly.Module = Module;
    }
  });
});
