/** Moments that are found by what happens then: a condition that holds, and the marks of a timeline. Places follow from the programs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { Debugger, DebugSession, localTarget, type SurveyPiece } from '../../src/debug/index.js';
import { createMachine, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';

const START = 0x1000;

/** A session at the end of a program in real mode. */
function ran(program: readonly number[], maxInstructions: number) {
  const machine = createMachine({
    image: parseImage(Uint8Array.from(program), 'program'),
    mode: 'real',
    load: START,
    engine: 'soft',
  });
  const session = new DebugSession(machine, { history: {}, run: { maxInstructions } });
  session.resume();
  const debug = new Debugger(localTarget(session), new SymbolTable({ format: 'flat' }));
  return { session, debug, [Symbol.dispose]: () => machine[Symbol.dispose]() };
}

/** Counts CX up to 1,000 and down again, and writes it to [3000h]: four instructions a step, after one. */
const upAndDown = [
  ...[0x31, 0xc9], // xor cx, cx
  ...[0x41], // up: inc cx
  ...[0x89, 0x0e, 0x00, 0x30], // mov [3000h], cx
  ...[0x81, 0xf9, 0xe8, 0x03], // cmp cx, 1000
  ...[0x75, 0xf5], // jne up
  ...[0x49], // down: dec cx
  ...[0x89, 0x0e, 0x00, 0x30], // mov [3000h], cx
  ...[0x85, 0xc9], // test cx, cx
  ...[0x75, 0xf7], // jnz down
  ...[0xeb, 0xfe], // jmp $
];
/** The moment after the INC or DEC of a step: steps 1 to 1,000 count up, 1,001 to 2,000 down. */
const counted = (step: number) => 1 + 4 * (step - 1) + 1;

describe('the moment at which a condition holds', () => {
  const at = async (debug: Debugger) => (await debug.history())!.now;

  test('is the first or the last one, of registers and of memory', async () => {
    using guest = ran(upAndDown, 20_000);
    const { debug } = guest;
    const end = await at(debug);
    for (const [condition, first, last] of [
      ['cx == 700', counted(700), counted(1301) - 1],
      ['cx == 700 && word [0x3000] == 701', counted(1300), counted(1300)],
      ['word [0x3000] == 700', counted(700) + 1, counted(1301)],
      ['word [0x3000] > 998', counted(999) + 1, counted(1002)],
      ['cx == 1000', counted(1000), counted(1001) - 1],
      // Not monotone: it holds again and again.
      ['cx & 1', counted(1), counted(2000) - 1],
    ] as const) {
      await debug.goTo(end);
      assert.equal((await debug.lastTime(condition)).why, 'step');
      assert.equal(await at(debug), last, `last ${condition}`);
      await debug.firstTime(condition);
      assert.equal(await at(debug), first, `first ${condition}`);
    }
    // From there on, the one before.
    await debug.goTo(counted(1002));
    await debug.lastTime('cx == 700');
    assert.equal(await at(debug), counted(701) - 1);
  });

  test('does not exist, is not of C, or sets something: the guest stays, and a message says so', async () => {
    using guest = ran(upAndDown, 20_000);
    const { debug } = guest;
    await debug.goTo(5000);
    await assert.rejects(
      debug.firstTime('cx == 1001'),
      /cx == 1001 holds at no moment in this history.*20,000/,
    );
    await assert.rejects(debug.lastTime('word [0x3000] == 1001'), /at no moment before this moment/);
    await assert.rejects(debug.lastTime('cx = 5'), /sets something/);
    await assert.rejects(debug.lastTime('nowhere == 5'), /'nowhere' is neither a register nor a symbol/);
    await assert.rejects(debug.lastTime('1 +'), /./);
    assert.equal(await at(debug), 5000);
  });

  test('is searched in pieces that report how far they have come, and can be interrupted between them', async () => {
    using guest = ran(upAndDown, 600_000);
    const { debug } = guest;
    const seen: number[] = [];
    const stop = await debug.firstTime('cx == 1001', (done, all) => {
      assert.equal(all, 600_001);
      seen.push(done);
      if (done > 100_000) void debug.interrupt();
    });
    assert.equal(stop.why, 'interrupt');
    assert.ok(seen.length > 2 && seen.every((done, i) => done >= (seen[i - 1] ?? 0)), `${seen}`);
    assert.equal(await at(debug), 600_000);
  });
});

/** Three times: into protected mode and back by CR0.PE, an invalid instruction, OUT to a port. Its handler of #UD skips two bytes. */
const eventful = [
  ...[0xc7, 0x06, 0x18, 0x00, 0x2f, 0x10], // 1000: mov word [6*4], 102fh
  ...[0xc7, 0x06, 0x1a, 0x00, 0x00, 0x00], // 1006: mov word [6*4+2], 0
  ...[0xb9, 0x03, 0x00], // 100c: mov cx, 3
  ...[0x0f, 0x20, 0xc0], // 100f again: mov eax, cr0
  ...[0x0c, 0x01], // 1012: or al, 1
  ...[0x0f, 0x22, 0xc0], // 1014: mov cr0, eax
  ...[0x24, 0xfe], // 1017: and al, 0feh
  ...[0x0f, 0x22, 0xc0], // 1019: mov cr0, eax
  ...[0x0f, 0x0b], // 101c: ud2
  ...[0xe6, 0xf1], // 101e: out 0f1h, al
  ...[0x49], // 1020: dec cx
  ...[0x75, 0xec], // 1021: jnz again
  ...[0xeb, 0xfe], // 1023: jmp $
  ...[0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90], // 1025
  ...[0x55], // 102f: push bp
  ...[0x89, 0xe5], // mov bp, sp
  ...[0x83, 0x46, 0x02, 0x02], // add word [bp+2], 2
  ...[0x5d], // pop bp
  ...[0xcf], // iret
];
/** Instructions before the loop, and of one round: the exception counts as one. */
const [BEFORE, ROUND] = [3, 5 + 1 + 5 + 3];

describe('a survey of the past', () => {
  const sum = (pieces: readonly SurveyPiece[]) => {
    const total = { exits: 0, exceptions: 0, interrupts: 0, modeChanges: 0 };
    for (const piece of pieces)
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += piece[name];
    return total;
  };

  test('counts what happened in each piece, and the guest stays at its moment', () => {
    using guest = ran(eventful, 200);
    const { session } = guest;
    session.goTo(30);
    const rounds = session.survey({ from: BEFORE, to: BEFORE + 3 * ROUND, size: ROUND, budgetMs: 1000 });
    const one = { exits: 1, exceptions: 1, interrupts: 0, modeChanges: 2 };
    assert.deepEqual(
      rounds.map((piece) => sum([piece])),
      [one, one, one],
    );
    for (const size of [1, 7, 1000]) {
      const pieces = session.survey({ from: 0, to: 200, size, budgetMs: 10_000 });
      assert.equal(pieces.length, Math.ceil(200 / size));
      assert.deepEqual(sum(pieces), { exits: 3, exceptions: 3, interrupts: 0, modeChanges: 6 });
    }
    // Of single instructions: the one after MOV CR0 with PE runs in protected mode.
    const single = session.survey({ from: BEFORE, to: BEFORE + 6, size: 1, budgetMs: 10_000 });
    assert.deepEqual(
      single.map(({ real, bits }) => `${bits}${real ? ' real' : ''}`),
      ['16 real', '16 real', '16 real', '16', '16', '16 real'],
    );
    assert.equal(session.history()!.now, 30);
  });

  test('counts the ten interrupts of a guest with ten ticks', () => {
    const { image, spec } = loadImage('guests/tick-long');
    using machine = createMachine({ image, ...spec, engine: 'soft' });
    const session = new DebugSession(machine, { history: {} });
    const { outcome } = session.resume();
    const { last } = session.history()!;
    const pieces = session.survey({ from: 0, to: last, size: 50, budgetMs: 10_000 });
    assert.equal(sum(pieces).interrupts, 10);
    assert.equal(sum(pieces).exceptions, 0);
    assert.equal(sum(pieces).exits, outcome!.exits);
  });

  test('returns in time with what it has, and refuses numbers that are no pieces', () => {
    using guest = ran(eventful, 200);
    const { session } = guest;
    assert.equal(session.survey({ from: 0, to: 200, size: 10, budgetMs: 0 }).length, 1);
    for (const wanted of [
      { from: 0, to: 200, size: 0 },
      { from: 0, to: 200, size: 1.5 },
      { from: -1, to: 200, size: 10 },
      { from: Number.NaN, to: 200, size: 10 },
      { from: 1e9, to: 2e9, size: 10 },
    ])
      assert.throws(
        () => session.survey({ ...wanted, budgetMs: 10 }),
        /no pieces of the past|not in this history/,
      );
    assert.equal(session.history()!.now, 200);
  });
});
