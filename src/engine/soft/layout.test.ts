import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  CR0,
  CR4,
  DR6,
  DR6_AFTER_RESET,
  DR7,
  DR7_AFTER_RESET,
  EFER,
  exceptions,
  MSR,
  PageFaultCode,
} from '../../x86/index.js';
import * as layout from './layout.js';

describe('the engine area', () => {
  test('has a separate place for each word of the state of a run', () => {
    const places = new Map<number, string[]>();
    for (const [name, at] of Object.entries(layout)) {
      if (at >= layout.TROUBLE && at < layout.ANSWERS) places.set(at, [...(places.get(at) ?? []), name]);
    }
    assert.deepEqual(
      [...places.values()].filter((names) => names.length > 1),
      [],
    );
  });

  test('has a separate place for each area after the constants', () => {
    // In the order of their places, with their lengths.
    const areas = [
      [layout.FETCHED, 16],
      [layout.NO_BLOCK, layout.BLOCK_OPS],
      [layout.TASK_STATE, 112],
      [layout.XMM_REGISTERS, 256],
      [layout.MXCSR, 16],
      [layout.MONITOR_BREAKPOINTS, 16 + 8 * layout.MAX_BREAKPOINTS],
      [layout.MONITOR_WATCHPOINT, layout.MAX_WATCHPOINTS * layout.WATCHPOINT_SIZE],
      [layout.STRING_DATA, layout.STRING_BYTES],
      [layout.FAULT_COUNT, 16],
      [layout.FAULTS, layout.MAX_FAULTS * layout.FAULT_ENTRY],
      [layout.JUMP_CACHE, 4 * layout.JUMP_ENTRIES],
    ] as const;
    for (const [n, [at, size]] of areas.entries()) {
      const next = areas[n + 1]?.[0] ?? layout.TLB;
      assert.ok(at + size <= next, `0x${at.toString(16)} reaches into 0x${next.toString(16)}`);
    }
  });
});

test('the bits of control registers are those that all rooms share', () => {
  const shared = { CR0, CR4, EFER };
  const named = Object.entries(layout).filter(
    ([name]) => /^(CR0|CR4|EFER)_/.test(name) && name !== 'CR4_ALLOWED',
  );
  assert.ok(named.length > 10);
  for (const [name, value] of named) {
    const [, register, bit] = /^(CR0|CR4|EFER)_(.*)$/.exec(name)!;
    const bits: Readonly<Record<string, bigint>> = shared[register as keyof typeof shared];
    assert.equal(BigInt(value), bits[bit!], name);
  }
});

/** The constants of a file of the CPU, by their names: AssemblyScript cannot import what the other rooms share. */
function constantsOf(file: string): Map<string, number> {
  const text = readFileSync(`src/engine/soft/cpu/${file}`, 'utf8');
  const found = text.matchAll(/^(?:export )?const (\w+): u(?:32|64) = (0x[\da-f]+|\d+);/gm);
  return new Map([...found].map(([, name, value]) => [name!, Number(value)]));
}

test('model-specific registers have the numbers that all rooms share', () => {
  const others: Record<string, string> = {
    MSR_TSC: 'IA32_TIME_STAMP_COUNTER',
    MSR_MTRR_FIX64K: 'IA32_MTRR_FIX64K_00000',
    MSR_MTRR_FIX16K: 'IA32_MTRR_FIX16K_80000',
    MSR_MTRR_FIX4K: 'IA32_MTRR_FIX4K_C0000',
  };
  const shared: Readonly<Record<string, number>> = MSR;
  let compared = 0;
  for (const [name, number] of constantsOf('system/msr.ts')) {
    if (!name.startsWith('MSR_')) continue;
    const known = others[name] ?? name.replace('MSR', 'IA32');
    if (shared[known] !== undefined) compared++;
    else assert.ok(!Object.values(shared).includes(number), `${name} has another name in x86`);
    assert.equal(number, shared[known] ?? number, name);
  }
  assert.ok(compared >= 18, `${compared} were compared`);
});

test('debug registers have the bits that all rooms share', () => {
  const file = readFileSync('src/engine/soft/cpu/system/debug.ts', 'utf8');
  const shifts = [...file.matchAll(/^export const (\w+): u(?:32|64) = 1 << (\d+);/gm)];
  assert.deepEqual(Object.fromEntries(shifts.map(([, name, bit]) => [name!, 1n << BigInt(bit!)])), {
    BS: DR6.BS,
    BT: DR6.BT,
    GD: DR7.GD,
  });
  const access = constantsOf('system/debug-registers.ts');
  assert.equal(access.get('DR6_ONES'), Number(DR6_AFTER_RESET));
  assert.equal(access.get('DR7_ONES'), Number(DR7_AFTER_RESET));
  assert.equal(access.get('DR6_BITS')! & 0xfff0, Number(DR6.BD | DR6.BS | DR6.BT));
});

test('exceptions have the vectors, and page faults the bits, that all rooms share', () => {
  const names: Record<string, string> = {
    OVERFLOW: '#OF',
    DOUBLE_FAULT: '#DF',
    PAGE_FAULT: '#PF',
    ALIGNMENT: '#AC',
    NMI: 'NMI',
  };
  const vectors = [...constantsOf('core/faults.ts')];
  assert.ok(vectors.length >= 16);
  for (const [name, vector] of vectors) assert.equal(exceptions[vector]![0], names[name] ?? `#${name}`);
  const bits = constantsOf('core/paging.ts');
  const { present, write, user, reserved, fetch } = PageFaultCode;
  assert.deepEqual(
    ['PROTECTION', 'WRITE', 'USER', 'RESERVED', 'FETCH'].map((name) => bits.get(name)),
    [present, write, user, reserved, fetch],
  );
});
