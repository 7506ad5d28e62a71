import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CpuView, DebugStop } from '../../debug/index.js';
import type { Outcome } from '../../machine/index.js';
import { type Registers, registersWith, type Segment, type SystemRegisters } from '../../x86/index.js';
import { GuestConsole } from './guest-console.js';
import { newModel, type Point } from './model.js';
import { endWords, modeWords, stepWords, stopWords } from './words.js';

const segment: Segment = {
  selector: 0,
  base: 0n,
  limit: 0xffff,
  type: 3,
  s: true,
  dpl: 0,
  present: true,
  avl: false,
  l: false,
  db: false,
  g: false,
  unusable: false,
};

const table = { base: 0n, limit: 0 };
const blank = registersWith({ rflags: 0n });

function cpu(registers: Partial<Registers> = {}, system: Partial<SystemRegisters> = {}): CpuView {
  const [cs, ds, es, fs, gs, ss, tr, ldt] = Array.from({ length: 8 }, () => segment);
  return {
    registers: { ...blank, ...registers } as Registers,
    system: {
      ...{ cs, ds, es, fs, gs, ss, tr, ldt, gdt: table, idt: table },
      ...{ cr0: 0x10n, cr2: 0n, cr3: 0n, cr4: 0n, cr8: 0n, efer: 0n },
      ...system,
    } as SystemRegisters,
  };
}

const row = (text: string, length: number) => ({ address: 0x100n, bytes: new Uint8Array(length), text });
const here = (pc: bigint, bits = 16) => ({ pc, bits, symbol: undefined, effects: [] });

describe('the words for a mode', () => {
  test('are those of the manual', () => {
    const protectedMode = { cr0: 0x11n };
    const user = { ...segment, dpl: 3 };
    assert.equal(modeWords(cpu(), 16), '16-bit real mode');
    assert.equal(modeWords(cpu({}, protectedMode), 32), '32-bit protected mode  ring 0');
    assert.equal(modeWords(cpu({}, { cr0: 0x8000_0011n, ss: user }), 32), '32-bit paged  ring 3');
    assert.equal(modeWords(cpu({ rflags: 1n << 17n }, protectedMode), 16), '16-bit virtual-8086 mode');
    const long = { cr0: 0x8000_0011n, efer: 0x500n };
    assert.equal(modeWords(cpu({}, long), 64), '64-bit long mode  ring 0');
    assert.equal(modeWords(cpu({}, long), 32), '32-bit compatibility mode  ring 0');
  });
});

describe('the words for a step', () => {
  test('name what changed, as wide as the code is', () => {
    const step = (after: Partial<Registers>, bits: number) =>
      stepWords(row('add', 2), cpu({ rax: 0x10n }), cpu({ rax: 0x10n, ...after }), here(0x102n, bits));
    assert.equal(step({ rax: 0x11n }, 16), 'add:  ax 0x10 → 0x11');
    assert.equal(step({ rax: 0x10011n }, 16), 'add:  eax 0x10 → 0x10011');
    assert.equal(step({ rax: 0x11n, rflags: 0x41n }, 32), 'add:  eax 0x10 → 0x11, CF set, ZF set');
    assert.equal(step({ r9: 1n }, 64), 'add:  r9 0x0 → 0x1');
    assert.equal(step({}, 64), 'add:  nothing has changed');
  });

  test('say where a jump went, and that a repeated instruction is not done', () => {
    const jump = stepWords(row('jmp next', 2), cpu(), cpu(), { ...here(0x200n), symbol: 'next' });
    assert.equal(jump, 'jmp next:  now at next');
    const repeat = stepWords(row('rep movsb', 2), cpu({ rcx: 9n }), cpu({ rcx: 8n }), here(0x100n));
    assert.equal(repeat, 'rep movsb:  not done yet, cx 0x9 → 0x8');
  });

  test('name segments and control registers, and what memory and devices got', () => {
    const after = cpu({}, { ds: { ...segment, selector: 0x10 }, cr0: 0x11n });
    const words = stepWords(row('mov', 2), cpu(), after, { ...here(0x102n), effects: ['counter 0x1 → 0x2'] });
    assert.equal(words, 'mov:  counter 0x1 → 0x2, ds 0x0 → 0x10, cr0 0x10 → 0x11');
  });
});

describe('the words for a stop', () => {
  const stop = (more: Partial<DebugStop>): DebugStop => ({
    why: 'breakpoint',
    cpu: 0,
    pc: 0n,
    bits: 16,
    breakpoints: [],
    notes: [],
    ...more,
  });
  const point = (more: Partial<Point>): Point => ({
    id: 1,
    kind: 'breakpoint',
    text: 'main',
    address: 0n,
    enabled: true,
    hits: 1,
    note: '',
    ...more,
  });
  const model = (...points: Point[]) => {
    const parts = { image: '', engine: 'soft', hasScreen: false, console: new GuestConsole(), memoryAt: 0n };
    return { ...newModel(parts), points };
  };
  const words = (more: Partial<DebugStop>, ...points: Point[]) =>
    stopWords(stop(more), model(...points), 'main+0x2').text;

  test('name the breakpoint and how often it was reached', () => {
    assert.equal(words({ breakpoints: [1] }, point({})), 'breakpoint main reached, at main+0x2');
    for (const [hits, times] of Object.entries({
      2: '2nd',
      3: '3rd',
      4: '4th',
      11: '11th',
      21: '21st',
      112: '112th',
    }))
      assert.match(
        words({ breakpoints: [1] }, point({ hits: Number(hits) })),
        new RegExp(`for the ${times} time,`),
      );
    assert.match(words({ breakpoints: [1], notes: ['no memory'] }, point({})), /\(no memory\)$/);
  });

  test('say what a watchpoint was and is', () => {
    const counter = point({ kind: 'watch', text: 'counter' });
    const changed = words({ why: 'watchpoint', watchpoint: { id: 1, before: 1n, after: 2n } }, counter);
    assert.equal(changed, 'watchpoint counter: 0x1 → 0x2, written before main+0x2');
    const same = words({ why: 'watchpoint', watchpoint: { id: 1, before: 2n, after: 2n } }, counter);
    assert.match(same, /was accessed, the value is 0x2/);
    const touched = stop({ why: 'watchpoint', watchpoint: { id: 1, before: 1n, after: 2n }, by: 2n });
    const known = stopWords(touched, model(counter), 'main+0x5', 'main+0x2  k.c:7').text;
    assert.equal(known, 'watchpoint counter: 0x1 → 0x2, by the instruction at main+0x2  k.c:7');
  });

  test('say who stopped it, and where it is', () => {
    assert.equal(words({ why: 'interrupt' }), 'stopped at main+0x2');
    assert.equal(words({ why: 'step' }), 'now at main+0x2');
  });

  test('say how the guest ended', () => {
    const end = (kind: Outcome['kind'], more: Partial<Outcome> = {}) =>
      endWords({ kind, reason: 'the reason', ...more } as Outcome);
    assert.deepEqual(end('halted'), { text: 'the guest has halted; r restarts it', tone: 'good' });
    assert.deepEqual(end('exited', { code: 3 }).text, 'the guest has exited with code 3; r restarts it');
    assert.equal(end('exited', { code: 0 }).tone, 'good');
    assert.match(end('shutdown').text, /triple fault/);
    assert.match(end('reset').text, /reset itself/);
    assert.deepEqual(end('engineError'), { text: 'the reason; r restarts it', tone: 'bad' });
    assert.match(endWords(undefined).text, /has ended/);
  });
});
