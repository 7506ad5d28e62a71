import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CR0, CR4, EFER } from '../../x86/index.js';
import * as layout from './layout.js';

describe('the engine area', () => {
  test('has a place of its own for each word of the state of a run', () => {
    const places = new Map<number, string[]>();
    for (const [name, at] of Object.entries(layout)) {
      if (at >= layout.TROUBLE && at < layout.ANSWERS) places.set(at, [...(places.get(at) ?? []), name]);
    }
    assert.deepEqual(
      [...places.values()].filter((names) => names.length > 1),
      [],
    );
  });

  test('has a place of its own for each area behind the constants', () => {
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
      [layout.FAULT_COUNT, 8],
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
