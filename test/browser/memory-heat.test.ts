/** Which memory a guest reads, writes and executes: counted exactly while it is short, estimated by samples when it is long. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble, flatImage } from '../../src/assembler/index.js';
import { HeatCounter, type HeatFor } from '../../src/browser/memory-heat.js';
import { createMachine } from '../../src/index.js';

const MIB = 1 << 20;

/** Runs code at 0x7c00, and returns the counts. */
function heatOf(source: string, what: HeatFor = {}) {
  const image = flatImage(assemble(source, { file: 'k.S', syntax: 'gas', base: 0x7c00n, bits: 16 }));
  using machine = createMachine({ engine: 'soft', mode: 'real', load: 0x7c00, memory: MIB, image });
  const heat = new HeatCounter(machine);
  heat.start();
  const { kind } = machine.run({ timeoutMs: 20_000 });
  assert.equal(kind, 'halted');
  return heat.heat(what);
}

/** The counts of all cells by their addresses. */
function cells({ rows, cell }: ReturnType<typeof heatOf>, kind: 'read' | 'write' | 'execute') {
  return Object.fromEntries(
    rows.flatMap((row) =>
      [...row[kind]].flatMap((count, i) =>
        count === 0 ? [] : [[`0x${(row.address + i * cell).toString(16)}`, count] as const],
      ),
    ),
  );
}

describe('memory as a heat map', () => {
  test('counts each instruction of a short guest', () => {
    const heat = heatOf(`
      mov $5, %cx
1:    mov 0x1000, %ax
      add %ax, 0x2000
      cmpb $0, 0x3000
      push %ax
      pop %bx
      loop 1b
      hlt`);
    // One MOV, five rounds of six, and the HLT: 23 bytes, within one line.
    assert.deepEqual(cells(heat, 'execute'), { '0x7c00': 32 });
    const { stack } = heat;
    const top = `0x${((stack! - 2) & ~63).toString(16)}`;
    assert.deepEqual(cells(heat, 'read'), { '0x1000': 5, '0x2000': 5, '0x3000': 5, [top]: 5 });
    assert.deepEqual(cells(heat, 'write'), { '0x2000': 5, [top]: 5 });
    assert.equal(heat.instructions, 32);
    assert.ok(heat.samples >= heat.instructions);
    assert.equal(heat.cell, 64);
  });

  test('counts each element of a repeated string instruction, and nothing for an address', () => {
    const heat = heatOf(`
      cld
      mov $0x1010, %si
      mov $0x2000, %di
      mov $0x40, %cx
      rep movsw
      lea 0x3000, %ax
      mov $0, %cx
      rep stosb
      hlt`);
    assert.deepEqual(cells(heat, 'read'), { '0x1000': 24, '0x1040': 32, '0x1080': 8 });
    assert.deepEqual(cells(heat, 'write'), { '0x2000': 32, '0x2040': 32 });
  });

  test('estimates a long guest by samples, and goes into a part of memory', () => {
    const source = `
      mov $3000, %cx
1:    mov $100, %dx
2:    incw 0x4000
      dec %dx
      jnz 2b
      incw 0x4100
      loop 1b
      hlt`;
    const heat = heatOf(source);
    assert.ok(heat.samples < heat.instructions / 20, `${heat.samples} of ${heat.instructions}`);
    const written = cells(heat, 'write') as Record<string, number>;
    // 300,000 and 3,000 times; the sum of all weights is exact.
    assert.ok(Math.abs(written['0x4000']! / 300_000 - 1) < 0.1, String(written['0x4000']));
    assert.ok(written['0x4100']! < 10_000);
    const part = heatOf(source, { from: 0x4000, length: 0x80 });
    assert.deepEqual(Object.keys(cells(part, 'write')), ['0x4000']);
    assert.deepEqual(cells(part, 'execute'), {});
  });

  test('has rows of larger cells where much memory was written', () => {
    const heat = heatOf(`
      mov $0x1000, %ax
1:    mov %ax, %es
      xor %di, %di
      mov $0xffff, %cx
      rep stosb
      add $0x1000, %ax
      cmp $0x9000, %ax
      jne 1b
      hlt`);
    assert.ok(heat.cell > 64);
    assert.ok(heat.rows.length <= 96);
    assert.equal(
      heat.rows.at(-1)!.hottest.some((at) => at >= 0x80000),
      true,
    );
  });
});
