/** Several CPUs in the debuggers: gdb's and an editor's threads, steps of one CPU, breakpoints on all, and their past. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { DebugSession } from '../../src/debug/index.js';
import { compileSource } from '../../src/runtime/images/toolchain.js';
import { createMachine } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { Editor } from '../dap/dap-client.js';
import { readGuests } from '../guests/catalogue.js';
import { optionsOf } from '../guests/running.js';
import { HANGS_MS, noGcc } from '../support.js';
import { gdbEngines, Served } from './gdb-served.js';

const guest = readGuests().find(({ name }) => name === 'all-cpus')!;

/** `all-cpus` in a session, and its places by name. */
function open() {
  const { folder, source, mode } = guest;
  const { bytes } = compileSource(path.join(folder, source), { mode });
  const machine = createMachine({ ...optionsOf(guest, bytes), engine: 'soft' });
  const session = new DebugSession(machine, { history: {}, run: { timeoutMs: HANGS_MS } });
  const symbols = new SymbolTable(parseImage(bytes, 'all-cpus.elf'));
  return { machine, session, symbols, [Symbol.dispose]: () => machine[Symbol.dispose]() };
}

/** The first instruction of `on_call` that exits, in the committed image: it reads the number of the APIC. */
const CALLED = 0x100430n;

describe('a session with several CPUs', { skip: noGcc }, () => {
  test('stops each at a breakpoint, names it, and steps the selected one', () => {
    using it = open();
    const { session } = it;
    session.addBreakpoint(CALLED);
    const stops = [1, 2, 3].map(() => {
      const { why, cpu, pc } = session.resume();
      return [why, cpu, pc];
    });
    assert.deepEqual(stops, [
      ['breakpoint', 1, CALLED],
      ['breakpoint', 2, CALLED],
      ['breakpoint', 3, CALLED],
    ]);
    assert.deepEqual(session.cpus(), { count: 4, current: 3 });
    const before = session.here().pc;
    const step = session.step();
    assert.deepEqual([step.why, step.cpu, step.pc], ['step', 3, before + 5n]);
    session.select(0);
    const here = session.here().pc;
    const other = session.step();
    assert.deepEqual([other.why, other.cpu], ['step', 0]);
    assert.notEqual(other.pc, here);
    assert.throws(() => session.select(4), /no CPU 4: this machine has 4/);
  });

  test('goes back to the moment of another one’s breakpoint, and reports values that it cannot follow', () => {
    using it = open();
    const { session } = it;
    session.addBreakpoint(CALLED);
    session.resume();
    const first = session.history()!.now;
    session.resume();
    const back = session.resumeBack();
    assert.deepEqual([back.why, back.pc, session.history()!.now], ['breakpoint', CALLED, first]);
    const stepped = session.stepBack();
    assert.equal(session.history()!.now, first - 1);
    assert.ok(stepped.pc !== CALLED);
    for (const search of [
      () => session.origin({ kind: 'register', name: 'eax' } as never),
      () => session.trail(3),
    ])
      assert.throws(search, /follows the instructions of one CPU, and the machine has 4/);
  });

  test('finds the last write to memory by any CPU', () => {
    using it = open();
    const { session, symbols } = it;
    const started = symbols.symbol('cpus_started')!.address;
    assert.equal(session.resume().why, 'end');
    const stop = session.lastWrite(started, 4);
    assert.deepEqual([stop.why, stop.cpu], ['watchpoint', 3]);
  });
});

test('gdb sees a thread per CPU: each stops at a breakpoint, and is stepped separately', {
  skip: gdbEngines[0]!.skip,
}, async () => {
  await using served = await new Served(['guests/all-cpus'], 'soft').ready();
  const text = await served.gdb(
    'info threads',
    `break *${CALLED}`,
    'continue',
    'info threads',
    'stepi',
    'x/i $pc',
    'delete',
    'thread 1',
    'stepi',
    'continue',
    'info threads',
  );
  assert.match(text, /Thread 2 hit Breakpoint 1/);
  assert.match(text, /\* 2 +Thread 2 \(CPU 1\)/);
  assert.match(text, /4 +Thread 4 \(CPU 3\)/);
  assert.match(text, /=> 0x\w+:\tshr +\$0x18,%eax/);
  assert.match(text, /\[Switching to thread 1[^\n]*\n[^\n]*\n0x\w+ in/);
  assert.match(text, /Thread 1 stopped/);
  assert.equal(served.output.includes('answered a call: 0x3'), true);
});

test('an editor sees a thread per CPU, each with its own stack and registers, and steps one', {
  skip: noGcc,
}, async () => {
  await using editor = new Editor();
  const { client } = editor;
  const stopped = editor.stopped();
  await editor.launch(
    { program: 'guests/all-cpus/all-cpus.c', mode: 'protected', smp: 2, engine: 'soft' },
    (c) => c.setFunctionBreakpointsRequest({ breakpoints: [{ name: 'on_call' }] }),
  );
  const stop = await stopped;
  assert.deepEqual([stop.reason, stop.threadId, stop.allThreadsStopped], ['function breakpoint', 2, true]);
  const { threads } = (await client.threadsRequest()).body;
  assert.deepEqual(threads, [
    { id: 1, name: 'CPU 0 (soft)' },
    { id: 2, name: 'CPU 1 (soft)' },
  ]);
  const top = async (threadId: number) => (await client.stackTraceRequest({ threadId })).body.stackFrames[0]!;
  const [first, second] = [await top(1), await top(2)];
  assert.match(first.name, /_start/);
  assert.match(second.name, /apic_read|on_call/);
  assert.notEqual(first.id, second.id);
  const number = async (frameId: number) =>
    (await client.evaluateRequest({ expression: 'esp', frameId })).body.result;
  assert.notEqual(await number(first.id), await number(second.id));
  const stepped = await editor.until(() => client.nextRequest({ threadId: 1, granularity: 'instruction' }));
  assert.deepEqual([stepped.reason, stepped.threadId], ['step', 1]);
  await assert.rejects(client.stackTraceRequest({ threadId: 3 }), /no thread 3: they are 1 to 2/);
});
