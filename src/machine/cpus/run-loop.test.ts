import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../boot/index.js';
import { type Engine, ExitKind } from '../../engine/contract/index.js';
import { softProgram } from '../../engine/soft/host/testing.js';
import { softEngine } from '../../engine/soft/index.js';
import { Machine, type Outcome } from '../index.js';

/** An engine whose CPU reports these exits, one after the other, for any guest code. */
function scripted(kinds: readonly ExitKind[], failure: string): Engine {
  const soft = softEngine(softProgram());
  const left = [...kinds];
  return {
    ...soft,
    name: 'soft',
    kick: (control) => soft.kick(control),
    discard: (memory) => soft.discard(memory),
    createVm(memory) {
      const vm = soft.createVm(memory);
      const createCpu = vm.createCpu.bind(vm);
      vm.createCpu = (control) => {
        const cpu = createCpu(control);
        cpu.run = () => {
          cpu.exit.kind = left.shift() ?? ExitKind.shutdown;
          return cpu.exit.kind;
        };
        cpu.failure = () => ({ name: 'A_REASON', message: failure });
        return cpu;
      };
      return vm;
    },
  };
}

function outcomeOf(...kinds: ExitKind[]): Outcome {
  const image = parseImage(Uint8Array.of(0xf4), 'one HLT');
  using machine = new Machine({ engine: scripted(kinds, 'as the engine says'), image, memory: 0x10000 });
  return machine.run({ timeoutMs: 60_000 });
}

describe('an exit that no device answers', () => {
  test('ends the run with a message: a halt, and a triple fault with the engine’s details', () => {
    assert.deepEqual(
      [outcomeOf(ExitKind.halt).kind, outcomeOf(ExitKind.halt).failure],
      ['halted', undefined],
    );
    const { kind, reason, failure } = outcomeOf(ExitKind.shutdown);
    assert.equal(kind, 'shutdown');
    assert.match(reason, /triple fault/);
    assert.equal(failure?.message, 'as the engine says');
  });

  for (const name of ['failEntry', 'internalError', 'systemEvent', 'tprAccess', 'unknown'] as const) {
    test(`is an engine's error where it is ${name}, with the engine's name of it and its words`, () => {
      const outcome = outcomeOf(ExitKind[name]);
      assert.equal(outcome.kind, 'engineError');
      assert.equal(outcome.reason, `${name}: as the engine says`);
      assert.deepEqual(outcome.failure, { name: 'A_REASON', message: 'as the engine says' });
      assert.equal(outcome.exits, 1);
    });
  }

  test('is an engine’s error for a kind that is newer than this version', () => {
    assert.match(outcomeOf(200 as ExitKind).reason, /^unknown: as the engine says$/);
  });

  test('lets the guest go on where it only says that interrupts may come', () => {
    const outcome = outcomeOf(ExitKind.interruptWindow, ExitKind.interruptWindow, ExitKind.halt);
    assert.deepEqual([outcome.kind, outcome.exits], ['halted', 3]);
  });
});
