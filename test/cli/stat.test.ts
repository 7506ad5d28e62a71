/** KVM's own counters: after a run, and of other processes, Terrarium's or not. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { openProcess, StatError } from '../../src/runtime/stats/process-counters.js';
import { type StatSample, watchStats } from '../../src/runtime/stats/stat.js';
import { cli, noGcc, noKvm, root, Scratch, startTerrarium, terrarium } from '../support.js';

// Named machines only of these tests, all removed at the end.
const place = new Scratch();
process.env.XDG_RUNTIME_DIR = place.path;
after(() => place[Symbol.dispose]());

/** Ends a process and waits for it. */
class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  constructor(child: ChildProcess) {
    this.child = child;
  }
  get pid(): number {
    return this.child.pid!;
  }
  async said(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.child.stdout!.once('data', resolve);
      this.child.once('exit', () => reject(new Error('it ended early')));
    });
    return this;
  }
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}

/** `terrarium run` of a guest that writes a letter and then spins. */
function spinning(scratch: Scratch): Promise<Running> {
  const guest = scratch.file('spin.bin');
  writeFileSync(guest, new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe]));
  return new Running(startTerrarium(['run', guest, '--quiet'])).said();
}

/** A monitor in C; with `counters` it opens KVM's counters. */
function monitor(scratch: Scratch, counters: boolean): Promise<Running> {
  const binary = scratch.file('monitor');
  const built = spawnSync('gcc', ['-O1', '-o', binary, 'test/guests/monitor.c'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(built.status, 0, built.stderr);
  return new Running(
    spawn(binary, counters ? ['counters'] : [], { stdio: ['ignore', 'pipe', 'inherit'] }),
  ).said();
}

const find = ({ rows }: StatSample, name: string) => rows.find((row) => row.name === name);

describe('terrarium run --stat', { skip: noKvm }, () => {
  test('shows KVM’s counters of the run beside the monitor’s', () => {
    const done = terrarium(['run', 'guests/lj-kernel2', '--stat', '--no-coalesce']);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stderr, /^7 exits; /m);
    assert.match(done.stderr, /^counted by kvm itself:\ncounter +of +total$/m);
    // Each exit to the monitor is one of KVM's; KVM may have handled more by itself.
    const [, exits] = /^exits +vcpu 0 +(\d+)$/m.exec(done.stderr) ?? [];
    assert.ok(Number(exits) >= 7, done.stderr);
    assert.match(done.stderr, /^halt_exits +vcpu 0 +1$/m);
  });
});

describe('terrarium stat', { skip: noKvm }, () => {
  test('shows the counters of another process, with rates from the second look on', async () => {
    using scratch = new Scratch();
    await using target = await spinning(scratch);
    const flags = ['--count', '3', '--interval', '100ms'];
    const done = terrarium(['stat', String(target.pid), ...flags, '--json']);
    assert.equal(done.status, 0, done.stderr);
    const looks = done.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as StatSample);
    assert.equal(looks.length, 3);
    assert.deepEqual(
      looks.map(({ pid, source, ended }) => [pid, source, ended]),
      looks.map(() => [target.pid, 'files', false]),
    );
    const exits = looks.map((look) => find(look, 'exits')!);
    assert.ok(exits.every(({ where, value }) => where === 'vcpu 0' && value > 0));
    assert.ok(exits[1]!.value >= exits[0]!.value && exits[2]!.value >= exits[1]!.value);
    assert.equal(exits[0]!.perSecond, undefined);
    assert.equal(exits[1]!.change, exits[1]!.value - exits[0]!.value);
    assert.ok(exits[2]!.perSecond! >= 0);
    const plain = terrarium(['stat', String(target.pid), ...flags]);
    assert.match(plain.stdout, /^\d+\.\ds {2}vcpu 0 {2}exits {2}\d+$/m);
    assert.match(plain.stdout, /^\d+\.\ds {2}vcpu 0 {2}exits {2}\d+ {2}[\d.]+\/s$/m);
    assert.equal(target.child.exitCode, null, 'the guest continues');
  });

  test('ends with 0 and a message when the process ends', async () => {
    using scratch = new Scratch();
    await using target = await spinning(scratch);
    const args = [cli, 'stat', String(target.pid), '--interval', '50ms'];
    const watcher = await new Running(
      spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    ).said();
    let text = '';
    watcher.child.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    const ended = new Promise((resolve) => watcher.child.once('close', resolve));
    await target.end();
    assert.equal(await ended, 0);
    assert.match(text.trimEnd().split('\n').at(-1)!, new RegExp(`process ${target.pid} has ended, .* after`));
  });

  test('finds a machine by its name, and shows its monitor’s counters beside the kernel’s', async () => {
    using scratch = new Scratch();
    const guest = scratch.file('talk.bin');
    // mov al, '!'; out 0xe9, al; out 0x80, al; jmp -4
    writeFileSync(guest, new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xe6, 0x80, 0xeb, 0xfc]));
    const name = 'talker';
    await using target = await new Running(startTerrarium(['run', guest, '--name', name])).said();
    for (const which of [name, String(target.pid)]) {
      const done = terrarium(['stat', which, '--count', '2', '--interval', '200ms', '--json']);
      assert.equal(done.status, 0, done.stderr);
      const look = JSON.parse(done.stdout.trimEnd().split('\n')[1]!) as StatSample;
      assert.equal(look.source, 'files');
      const exits = (where: string) =>
        look.rows.find((row) => row.name === 'exits' && row.where === where)!.change!;
      // Each exit that reaches the monitor is one of the kernel's.
      assert.ok(exits('monitor') > 0 && exits('vcpu 0') > 0, done.stdout);
    }
    const plain = terrarium(['stat', name, '--count', '1']).stdout;
    assert.match(plain, /vcpu 0 {2}exits/);
    assert.match(plain, /monitor {2}exits/);
    // The kernel's counters are shown even if the monitor does not answer.
    target.child.kill('SIGSTOP');
    const suspended = terrarium(['stat', name, '--count', '1']);
    target.child.kill('SIGCONT');
    assert.equal(suspended.status, 0, suspended.stderr);
    assert.match(suspended.stdout, /vcpu 0 {2}exits/);
    assert.doesNotMatch(suspended.stdout, /monitor/);
    await target.end();
    const gone = terrarium(['stat', name]);
    assert.equal(gone.status, 2);
    assert.match(gone.stderr, /no machine called/);
  });

  test('reports why it cannot inspect a process', async () => {
    const none = terrarium(['stat', '4194303']);
    assert.equal(none.status, 2);
    assert.match(none.stderr, /there is no process 4194303/);
    const idle = terrarium(['stat', String(process.pid)]);
    assert.equal(idle.status, 2);
    assert.match(idle.stderr, /runs no KVM virtual machine/);
    assert.match(terrarium(['stat', '1', '--interval', '1us']).stderr, /too short/);
    assert.equal(terrarium(['stat']).status, 2);
  });

  const notRoot = process.getuid?.() === 0 ? false : 'SKIPPED: needs root, to become somebody else';
  test('advises another user to run it as root', { skip: notRoot }, async () => {
    using scratch = new Scratch();
    await using target = await spinning(scratch);
    const nobody = 65534;
    const done = spawnSync(process.execPath, [cli, 'stat', String(target.pid)], {
      cwd: root,
      encoding: 'utf8',
      uid: nobody,
      gid: nobody,
    });
    assert.equal(done.status, 4, done.stderr);
    assert.match(done.stderr, /belongs to another user\n.*sudo terrarium stat/);
  });

  const noPty = spawnSync('script', ['--version']).status === 0 ? false : 'SKIPPED: no script(1) here';
  test('redraws its table in place on a terminal', { skip: noPty }, async () => {
    using scratch = new Scratch();
    await using target = await spinning(scratch);
    const command = `${process.execPath} ${cli} stat ${target.pid} --count 2 --interval 50ms`;
    const done = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', input: '' });
    assert.equal(done.status, 0, done.stderr);
    const screens = done.stdout.split('\u001b[H').slice(1);
    assert.equal(screens.length, 2);
    assert.match(screens[1]!, /terrarium stat:.* process \d+, from the files it has open, every 50\.0 ms/);
    assert.match(screens[1]!, /counter +of +total +per second/);
    assert.ok(screens.every((screen) => screen.includes('\u001b[J')));
  });
});

describe('the counters of a monitor that is not Terrarium', { skip: noKvm || noGcc }, () => {
  test('are read where it has opened them', async () => {
    using scratch = new Scratch();
    await using target = await monitor(scratch, true);
    let before: StatSample | undefined;
    // Its guest only exits.
    for await (const look of watchStats(target.pid, { count: 100, intervalMs: 20 })) {
      assert.deepEqual(new Set(look.rows.map(({ where }) => where)), new Set(['vm', 'vcpu 0']));
      if (before !== undefined && find(look, 'exits')!.value > find(before, 'exits')!.value) return;
      before ??= look;
    }
    assert.fail('the exits of a guest that only exits did not increase');
  });

  test('come from debugfs where it has not: a folder per VM, a file per counter', async () => {
    using scratch = new Scratch();
    await using target = await monitor(scratch, false);
    const folder = scratch.file(`kvm/${target.pid}-4`);
    mkdirSync(`${folder}/vcpu0`, { recursive: true });
    mkdirSync(scratch.file('kvm/1-9'));
    writeFileSync(`${folder}/exits`, '1234\n');
    writeFileSync(`${folder}/guest_mode`, '1\n', { mode: 0o444 });
    writeFileSync(`${folder}/halt_wait_hist`, '0 0 0 1\n');
    const watch = watchStats(target.pid, { debugfs: scratch.path });
    const { value: look } = await watch.next();
    await watch.return();
    assert.ok(look);
    assert.equal(look.source, 'debugfs');
    assert.deepEqual(look.rows, [
      { name: 'exits', kind: 'cumulative', unit: '', value: 1234, where: 'vm and vcpus' },
      { name: 'guest_mode', kind: 'instant', unit: '', value: 1, where: 'vm and vcpus' },
    ]);
  });

  test('are not available otherwise, which is reported with advice', async () => {
    using scratch = new Scratch();
    await using target = await monitor(scratch, false);
    using watched = openProcess(target.pid, scratch.file('nothing'));
    assert.throws(
      () => watched.read(),
      (error: StatError) => {
        assert.ok(error instanceof StatError);
        assert.equal(error.code, 'ENOCOUNTERS');
        assert.match(error.message, /has not opened its counters, and .*nothing\/kvm cannot be read: ENOENT/);
        assert.match(error.hint ?? '', /mount -t debugfs/);
        return true;
      },
    );
  });

  test('end with the process', async () => {
    using scratch = new Scratch();
    await using target = await monitor(scratch, true);
    const looks: StatSample[] = [];
    for await (const look of watchStats(target.pid, { intervalMs: 20 })) {
      looks.push(look);
      if (looks.length === 2) await target.end('SIGKILL');
    }
    assert.equal(looks.at(-1)!.ended, true);
    assert.equal(find(looks.at(-1)!, 'exits')!.value, find(looks.at(-2)!, 'exits')!.value);
  });

  test('are not watched longer than requested', async () => {
    using scratch = new Scratch();
    await using target = await monitor(scratch, true);
    const abort = new AbortController();
    let looks = 0;
    for await (const _ of watchStats(target.pid, { intervalMs: 60_000, signal: abort.signal })) {
      looks++;
      setTimeout(() => abort.abort(), 10);
    }
    assert.equal(looks, 1);
    await assert.rejects(watchStats(0).next(), /0 is not the number of a process/);
    await assert.rejects(watchStats(1, { intervalMs: 0 }).next(), /intervalMs is 0/);
  });
});

describe('terrarium stat of a machine on the software CPU', () => {
  test('reports that the kernel has no counters of it, and shows its monitor’s counters, by name and by number', async () => {
    using scratch = new Scratch();
    const guest = scratch.file('talk.bin');
    // mov al, '!'; out 0xe9, al; out 0x80, al; jmp -4
    writeFileSync(guest, new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xe6, 0x80, 0xeb, 0xfc]));
    const name = 'soft';
    await using target = await new Running(
      startTerrarium(['run', guest, '--engine', 'soft', '--name', name, '--quiet']),
    ).said();
    for (const which of [name, String(target.pid)]) {
      const done = terrarium(['stat', which, '--count', '2', '--interval', '100ms', '--json']);
      assert.equal(done.status, 0, done.stderr);
      assert.match(done.stderr, /runs on the engine soft, for which the kernel has no counters/);
      const looks = done.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as StatSample);
      assert.equal(looks.length, 2);
      assert.equal(looks[1]!.source, 'monitor');
      const exits = find(looks[1]!, 'exits');
      assert.ok(exits !== undefined && exits.value > 0 && exits.change! > 0, done.stdout);
    }
  });

  test('without a name explains why there is nothing to show', async () => {
    using scratch = new Scratch();
    const guest = scratch.file('talk.bin');
    writeFileSync(guest, new Uint8Array([0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe]));
    await using target = await new Running(
      startTerrarium(['run', guest, '--engine', 'soft', '--quiet']),
    ).said();
    const done = terrarium(['stat', String(target.pid), '--count', '1']);
    assert.equal(done.status, 2);
    assert.match(done.stderr, /runs no KVM virtual machine/);
    assert.match(
      done.stderr,
      /the kernel has no counters of a machine on the software CPU: start it with --name/,
    );
  });
});
