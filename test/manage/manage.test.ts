/** Named machines as people use them: each one is a process that is found, stopped and reported by its name. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import type { TerrariumError } from '../../src/errors.js';
import { connectMachine, listMachines, pidOf, startDetached } from '../../src/manage/index.js';
import { noKvm, startTerrarium, terrarium, until } from '../support.js';
import {
  alive,
  answering,
  beside,
  clear,
  detach,
  echo,
  everyMachine,
  GRACE_MS,
  place,
  scratch,
  seven,
  shout,
  sockets,
  spin,
} from './named-machines.js';

after(() => scratch[Symbol.dispose]());

describe('a named machine', { skip: noKvm }, () => {
  afterEach(clear);

  test('continues in its own process and session when its starter has ended', async () => {
    const pid = detach('web', shout);
    const [, parent, , session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    assert.notEqual(Number(parent), process.pid);
    assert.equal(Number(session), pid);
    const [web, ...others] = await answering();
    assert.deepEqual(others, []);
    assert.equal(web!.pid, pid);
    assert.deepEqual([web!.name, web!.engine, web!.image, web!.state], ['web', 'kvm', shout, 'running']);
    assert.equal(web!.exits, 1);
    assert.ok(web!.uptimeMs > 0 && web!.cpuMs! > 0);
    let table: string[] = [];
    await until('an answer', () => {
      table = terrarium(['ps']).stdout.split('\n');
      return !table[1]!.includes('unresponsive');
    });
    assert.match(table[0]!, /^NAME +PID +ENGINE +IMAGE +STATE +UPTIME +EXITS +CPU$/);
    assert.match(table[1]!, new RegExp(`^web +${pid} +kvm +${shout} +running +\\S+ m?s +1 +`));
    assert.equal(pidOf('web'), pid);
  });

  test("shows in top -H: the vCPU's thread is called vm: and the name, 15 bytes of it", async () => {
    const pid = detach('a-name-that-is-long', spin);
    const named = () =>
      readdirSync(`/proc/${pid}/task`)
        .map((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trimEnd())
        .filter((name) => name.startsWith('vm:'));
    await until('the name of the thread', () => named().length > 0);
    assert.deepEqual(named(), ['vm:a-name-that-']);
    // One without a name that needs a thread.
    const child = startTerrarium(['run', shout, '--simvirtio', 'polling']);
    await once(child.stdout!, 'data');
    const own = readdirSync(`/proc/${child.pid}/task`).map((tid) =>
      readFileSync(`/proc/${child.pid}/task/${tid}/comm`, 'utf8').trimEnd(),
    );
    assert.ok(own.includes('terrarium/vcpu0'), own.join());
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  test('makes its files and its socket accessible only to its user', () => {
    const pid = detach('web', shout);
    assert.equal(statSync(place).mode & 0o777, 0o700);
    const [socket] = sockets();
    assert.ok(socket!.startsWith(`${pid}.`));
    assert.equal(statSync(path.join(place, 'sockets', socket!)).mode & 0o777, 0o600);
    for (const file of readdirSync(path.join(place, 'machines/web')))
      assert.equal(statSync(path.join(place, 'machines/web', file)).mode & 0o777, 0o600, file);
  });

  test('leaves its console and its outcome when it ends, until it is removed or its name is used again', async () => {
    for (const [name, file, state, limit] of [
      ['hello', 'guests/lj-kernel2', 'halted', '60s'],
      ['seven', seven, 'exited (7)', '60s'],
      ['late', spin, 'timeout', '100ms'],
    ] as const) {
      const pid = detach(name, file, '--timeout', limit);
      await until('its end', () => !alive(pid));
      assert.match(
        terrarium(['ps', '--all']).stdout,
        new RegExp(`^${name} .* ${state.replace(/[()]/g, '\\$&')} `, 'm'),
      );
    }
    assert.deepEqual(await listMachines(), []);
    assert.equal(terrarium(['logs', 'hello']).stdout, 'Hello\n');
    assert.match(terrarium(['logs', 'hello', '--messages']).stdout, /^terrarium: kvm: halted after \d+ exit/);
    assert.equal((await everyMachine()).find(({ name }) => name === 'seven')!.end!.status, 7);
    const gone = terrarium(['attach', 'hello']);
    assert.equal(gone.status, 2);
    assert.match(gone.stderr, /no machine called 'hello' runs any more/);
    assert.equal(terrarium(['rm', 'hello']).status, 0);
    assert.deepEqual(
      (await everyMachine()).map(({ name }) => name),
      ['late', 'seven'],
    );
    detach('late', shout);
    assert.equal(terrarium(['rm', 'late']).status, 2);
    await until('its output', () => terrarium(['logs', 'late']).stdout === '!');
  });

  test('fails to start with the message and the status of the foreground', async () => {
    const broken = scratch.file('broken.S');
    writeFileSync(broken, 'nonsense %eax\n');
    for (const args of [
      ['/nowhere'],
      [broken],
      [spin, '--memory', '100'],
      [spin, '--mode', 'sideways'],
      [spin, '--report'],
    ]) {
      const here = terrarium(['run', ...args]);
      const there = terrarium(['run', '--name', 'bad', '--detach', ...args]);
      assert.equal(there.stderr, here.stderr);
      assert.equal(there.status, here.status);
      assert.notEqual(there.status, 0);
      assert.equal(there.stdout, '');
      assert.deepEqual(await everyMachine(), []);
    }
    assert.match(terrarium(['run', spin, '--detach']).stderr, /--detach needs a name/);
    assert.match(
      terrarium(['run', spin, '--detach', '--name', '../up']).stderr,
      /cannot be a machine's name/,
    );
    assert.match(terrarium(['run', spin, '--detach', '--name', 'x', '--trace']).stderr, /--trace=FILE/);
    assert.deepEqual(readdirSync(place).sort(), ['machines', 'sockets']);
  });

  test('has a unique name, also when eight start at the same moment', async () => {
    const started = await Promise.all(
      Array.from({ length: 8 }, () => beside('run', spin, '--name', 'one', '--detach')),
    );
    const words = started.map(({ stderr }) => stderr).join('');
    assert.deepEqual(started.map(({ status }) => status).sort(), [0, 2, 2, 2, 2, 2, 2, 2], words);
    for (const { stderr, status } of started)
      if (status !== 0)
        assert.match(
          stderr,
          /a machine called 'one' (is already running|is just being started), as process \d+/,
        );
    assert.equal((await listMachines()).length, 1);
  });

  test('is one of ten at once, and all are stopped together', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `vm${i}`);
    const started = await Promise.all(names.map((name) => beside('run', shout, '--name', name, '--detach')));
    for (const { status, stderr } of started) assert.equal(status, 0, stderr);
    const machines = await answering();
    assert.deepEqual(
      machines.map(({ name }) => name),
      names,
    );
    assert.equal(new Set(machines.map(({ pid }) => pid)).size, 10);
    const stopped = terrarium(['stop', '--all', '--grace', `${GRACE_MS}ms`]);
    assert.equal(stopped.status, 0, stopped.stderr);
    assert.equal(stopped.stderr, '');
    assert.ok(machines.every(({ pid }) => !alive(pid)));
    assert.ok((await everyMachine()).every(({ end }) => end!.kind === 'stopped'));
  });

  test('is stopped in order: its process has ended, its guest was stopped, not killed', async () => {
    const pid = detach('web', spin);
    assert.equal(terrarium(['stop', 'web', '--grace', `${GRACE_MS}ms`]).status, 0);
    assert.ok(!alive(pid));
    const [web] = await everyMachine();
    assert.deepEqual([web!.state, web!.end!.kind, web!.end!.status], ['ended', 'stopped', 130]);
    const again = terrarium(['stop', 'web']);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /no machine called 'web' runs any more\n +no named machine runs; start one/);
  });

  test('is stopped cleanly by SIGTERM to its process', async () => {
    const pid = detach('web', spin);
    process.kill(pid, 'SIGTERM');
    await until('its end', () => !alive(pid));
    const [web] = await everyMachine();
    assert.deepEqual([web!.end!.kind, web!.end!.status], ['stopped', 143]);
  });

  test('is killed when it does not stop within the grace time', async () => {
    const pid = detach('web', spin);
    process.kill(pid, 'SIGSTOP');
    assert.match(terrarium(['ps']).stdout, /^web .* unresponsive /m);
    const done = terrarium(['stop', 'web', '--grace', '200ms']);
    assert.equal(done.status, 0);
    assert.match(done.stderr, /web did not end within 200 ms and was killed/);
    assert.ok(!alive(pid));
    assert.equal((await everyMachine())[0]!.end!.kind, 'killed');
  });

  test('leaves no obstacle when it is killed: its socket is removed, its name is free', async () => {
    const pid = detach('web', shout);
    process.kill(pid, 'SIGKILL');
    await until('its end', () => !alive(pid));
    assert.equal(sockets().length, 1);
    assert.deepEqual(await listMachines(), []);
    assert.deepEqual(sockets(), []);
    assert.match(terrarium(['ps', '-a']).stdout, /^web +- .* killed +- /m);
    assert.equal(terrarium(['logs', 'web']).stdout, '!');
    assert.notEqual(detach('web', shout), pid);
  });

  test('is also shown when it runs in the foreground', async () => {
    const child = startTerrarium(['run', echo, '--name', 'here']);
    child.stdout!.setEncoding('latin1');
    await until('the machine', async () => (await listMachines()).some(({ state }) => state === 'running'));
    assert.equal((await listMachines())[0]!.pid, child.pid);
    using machine = await connectMachine('here');
    const seen: string[] = [];
    using console = await machine.attach({
      onOutput: (bytes) => void seen.push(Buffer.from(bytes).toString()),
    });
    let printed = '';
    child.stdout!.on('data', (text) => {
      printed += text;
    });
    child.stdin!.write('typed here\n');
    await until('what was typed here', () => seen.join('').includes('typed here\n'));
    await console.send(Buffer.from('typed there\n'));
    await until('what was typed there', () => printed === 'typed here\ntyped there\n');
    child.kill('SIGINT');
    const [status] = await once(child, 'exit');
    assert.equal(status, 130);
    const end = await console.ended;
    assert.deepEqual([end!.kind, end!.status], ['stopped', 130]);
  });

  test('that does not exist is reported with the names of those that do', () => {
    detach('web', spin);
    for (const args of [
      ['attach', 'db'],
      ['stop', 'db'],
      ['logs', 'db'],
      ['logs', '-f', 'db'],
    ]) {
      const done = terrarium(args);
      assert.equal(done.status, 2);
      assert.equal(done.stderr, "terrarium: no machine called 'db' runs\n  these do: web\n");
    }
  });

  test('has all functions for programs: start, find, type, read, stop', async () => {
    const { pid } = await startDetached({
      name: 'api',
      image: echo,
      mode: 'real',
      memory: 65536,
      maxExits: 1e9,
    });
    await assert.rejects(
      startDetached({ name: 'api', image: echo }),
      (error: TerrariumError) => error.code === 'ENAME' && /process/.test(error.message),
    );
    await assert.rejects(startDetached({ name: 'nix', image: '/nowhere' }), {
      name: 'ImageError',
      code: 'EIMAGE',
    });
    using machine = await connectMachine('api');
    assert.equal(machine.pid, pid);
    assert.equal((await machine.state()).state, 'running');
    const read = { first: '', second: '' };
    const show = (who: 'first' | 'second') => (bytes: Uint8Array) => {
      read[who] += Buffer.from(bytes).toString('latin1');
    };
    using first = await machine.attach({ onOutput: show('first') });
    await first.send(Buffer.from('hello '));
    await until('the echo', () => read.first === 'hello ');
    using second = await machine.attach({ replay: 3, onOutput: show('second') });
    await second.send(Buffer.from('\xffworld', 'latin1'));
    await until('the echo', () => read.second.endsWith('world') && read.first.endsWith('world'));
    assert.deepEqual(read, { first: 'hello \xffworld', second: 'lo \xffworld' });
    const { exits, printed } = await machine.stats();
    assert.ok(exits > 0);
    assert.equal(printed, 12);
    assert.equal(await machine.stop(GRACE_MS), false);
    assert.equal((await first.ended)!.kind, 'stopped');
    await assert.rejects(connectMachine('api'), { code: 'ENOMACHINE' });
  });
});
