/** gdb's threads are the machine's CPUs. Two machines of one CPU stand for one of two, of which the second one runs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EngineCpu } from '../../engine/contract/index.js';
import type { Machine } from '../../machine/index.js';
import { createMachine } from '../../runtime/index.js';
import { DebugSession } from '../session.js';
import { localTarget } from '../target.js';
import { packet } from './packets.js';
import { GdbStub } from './stub.js';

/** MOV AX, value; HLT */
const machineWith = (value: number) =>
  createMachine({ engine: 'soft', image: Uint8Array.of(0xb8, value, 0, 0xf4), mode: 'real' });

/** A CPU under another number. */
function numbered(cpu: EngineCpu, index: number): EngineCpu {
  return new Proxy(cpu, {
    get(target, key) {
      if (key === 'index') return index;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function session(...machines: Machine[]): DebugSession {
  const last = machines.length - 1;
  const { engine, memory, devices, boot } = machines[last]!;
  const cpus = machines.map(({ cpu }, index) => numbered(cpu, index));
  return new DebugSession({
    ...{ engine, memory, devices, boot, cpus },
    run: (options) => ({ ...machines[last]!.run(options), cpu: last }),
  });
}

/** Asks a stub of its own over `session`. */
function asker(of: DebugSession) {
  let sent = '';
  const stub = new GdbStub(localTarget(of), {
    send: async (text) => {
      sent += text;
    },
    detached() {},
    over() {},
  });
  return async (data: string) => {
    sent = '';
    stub.receive(packet(data));
    for (let turns = 0; turns < 1000 && !/#../.test(sent); turns++) await new Promise(setImmediate);
    return /\$([^#]*)#/.exec(sent)?.[1];
  };
}

describe('a thread of gdb’s', () => {
  test('is the CPU of the number before it, and the only one of a machine with one', async () => {
    using machine = machineWith(0x11);
    const ask = asker(session(machine));
    assert.equal(await ask('qfThreadInfo'), 'm1');
    assert.equal(await ask('qC'), 'QC1');
    assert.equal(await ask('T1'), 'OK');
    assert.match((await ask('T2'))!, /^E\.there is no thread 2/);
    for (const any of ['Hg0', 'Hg1', 'Hc-1', 'Hc0']) assert.equal(await ask(any), 'OK', any);
    for (const none of ['Hg2', 'Hgx', 'Hg', 'Hgffffffffff']) assert.match((await ask(none))!, /^E\./, none);
    assert.equal(Buffer.from((await ask('qThreadExtraInfo,1'))!, 'hex').toString(), 'CPU 0');
    assert.match((await ask('qThreadExtraInfo,9'))!, /^E\./);
    assert.equal(await ask('s'), 'T05thread:1;');
  });

  test('stops as the CPU that stopped, whose registers are shown until another is chosen', async () => {
    using first = machineWith(0x11);
    using second = machineWith(0x22);
    const of = session(first, second);
    const ask = asker(of);
    assert.equal(await ask('qfThreadInfo'), 'm1,2');
    assert.equal(await ask('vCont;s:2;c'), 'T05thread:2;');
    assert.match((await ask('vCont;s:3'))!, /^E\.there is no thread 3/);
    assert.deepEqual([of.here().cpu, of.view().registers.rax & 0xffffn], [1, 0x22n]);
    assert.equal(await ask('qC'), 'QC2');
    assert.equal(await ask('Hg1'), 'OK');
    assert.deepEqual([of.here().cpu, of.view().registers.rax & 0xffffn], [0, 0n]);
    assert.equal(await ask('Hg2'), 'OK');
    assert.equal(of.view().registers.rax & 0xffffn, 0x22n);
    assert.throws(() => of.select(2), /there is no CPU 2: this machine has 2/);
  });
});
