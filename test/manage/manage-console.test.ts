/** The console of a named machine: stored, followed, with typed input, from programs and from a terminal. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { connectMachine, stopMachine } from '../../src/manage/index.js';
import { cli, noKvm, root, startTerrarium, terrarium, until } from '../support.js';
import {
  answering,
  beside,
  clear,
  detach,
  echo,
  flood,
  GRACE_MS,
  place,
  scratch,
  seven,
  shout,
  sockets,
  spin,
} from './named-machines.js';

const noTmux: string | false =
  spawnSync('tmux', ['-V']).status === 0 ? false : 'SKIPPED: no tmux here: apt-get install tmux';

after(() => scratch[Symbol.dispose]());

describe("a named machine's console", { skip: noKvm }, () => {
  afterEach(clear);

  test('keeps the last part of its console, 1 MiB at most, for any amount of output', async () => {
    detach('web', flood);
    using machine = await connectMachine('web');
    await until('1.25 MiB', async () => (await machine.stats()).printed > 1.25 * 2 ** 20);
    await stopMachine('web', GRACE_MS);
    const files = readdirSync(path.join(place, 'machines/web'));
    const sizes = files.map((file) => statSync(path.join(place, 'machines/web', file)).size);
    assert.ok(sizes.reduce((a, b) => a + b) <= 2 ** 20 + 8192, `${files}: ${sizes}`);
    const kept = terrarium(['logs', 'web']).stdout;
    assert.ok(kept.length >= 2 ** 19 && kept.length <= 2 ** 20, `${kept.length}`);
    // The guest counts: the stored part has no gap.
    for (let i = 1; i < kept.length; i++) {
      if (((kept.charCodeAt(i - 1) + 1) & 0xff) !== kept.charCodeAt(i)) assert.fail(`a gap at ${i}`);
    }
  });

  test('does not wait for a client of its console that reads nothing', async () => {
    detach('web', flood);
    const socket = connect(path.join(place, 'sockets', sockets()[0]!));
    socket.write('{"id":1,"do":"attach"}\n');
    await once(socket, 'data');
    socket.pause();
    using machine = await connectMachine('web');
    const { printed } = await machine.stats();
    await until('another MiB', async () => (await machine.stats()).printed > printed + 2 ** 20);
    const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${machine.pid}/status`, 'utf8'))![1]);
    assert.ok(resident < 200 * 1024, `${resident} KiB`);
    socket.destroy();
  });

  test('survives invalid protocol data', async () => {
    detach('web', spin);
    const file = path.join(place, 'sockets', sockets()[0]!);
    for (const bytes of ['\n', 'stop\n', Buffer.alloc(1 << 20), '{"id":1,"do":"input","data":5}\n\xff\n']) {
      const socket = connect(file);
      // The expected result: the connection is closed while it still sends.
      socket.on('error', () => {});
      socket.write(bytes);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    assert.equal((await answering()).length, 1);
  });

  test('shows its console at once, and its last lines', async () => {
    detach('web', echo);
    using machine = await connectMachine('web');
    using console = await machine.attach({ onOutput() {} });
    await console.send(Buffer.from('one\ntwo\nthree\n'));
    await until('the echo', async () => (await machine.stats()).printed === 14);
    assert.equal(terrarium(['logs', 'web', '--lines', '2']).stdout, 'two\nthree\n');
    const following = beside('logs', 'web', '--follow', '-n', '1');
    await until('the follower', async () => (await machine.state()).attached === 2);
    await console.send(Buffer.from('four\n'));
    await until('the echo', async () => (await machine.stats()).printed === 19);
    await machine.stop(GRACE_MS);
    assert.deepEqual(await following, { status: 0, stdout: 'three\nfour\n', stderr: '' });
  });

  test('gets piped input of attach, and attach ends with its status', async () => {
    const child = startTerrarium(['run', seven, '--name', 'x', '--quiet']);
    await once(child, 'exit');
    detach('web', echo);
    const attached: ChildProcess = startTerrarium(['attach', 'web']);
    let seen = '';
    attached.stdout!.on('data', (text) => {
      seen += text;
    });
    attached.stdin!.write('piped \x1d too\n');
    await until('the echo', () => seen === 'piped \x1d too\n');
    terrarium(['stop', 'web', '--grace', `${GRACE_MS}ms`]);
    assert.deepEqual(await once(attached, 'exit'), [130, null]);
  });

  test('detaches when the pipe has ended and the guest is quiet', async () => {
    detach('web', echo);
    const { status, stdout, stderr } = terrarium(['attach', 'web'], { input: 'help\n' });
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'help\n' });
    assert.match(stderr, /detached from web/);
    assert.equal((await answering()).length, 1);
  });
});

describe('attach on a terminal', { skip: noKvm || noTmux }, () => {
  const server = `terrarium-${process.pid}`;
  const tmux = (...args: string[]) => spawnSync('tmux', ['-L', server, ...args], { encoding: 'utf8' }).stdout;
  const screen = () => tmux('capture-pane', '-p', '-t', 't');
  const command = (...options: string[]) =>
    `${process.execPath} ${cli} attach tty ${options.join(' ')}; echo "status $?"; stty -a`;

  /** Opens a terminal with attach in it, and waits for its screen. */
  async function open(...options: string[]): Promise<void> {
    const env = { ...process.env, TERM: 'xterm' };
    const shell = `${command(...options)}; exec sleep 60`;
    spawn('tmux', ['-L', server, 'new-session', '-d', '-s', 't', '-x', '100', '-y', '30', shell], {
      env,
      cwd: root,
    });
    await until('attach', () => /\[tty: .*\]/.test(screen()));
  }

  afterEach(async () => {
    tmux('kill-server');
    await clear();
  });

  /** The state of stty in a terminal for people: lines are edited, keys are shown, Ctrl-C is a signal. */
  const cooked = (text: string) =>
    ['icanon', 'echo', 'isig'].every((mode) => text.split(/\s+/).includes(mode));

  test('passes keys on, also Ctrl-C, and detaches at Ctrl-] with the terminal restored', async () => {
    detach('tty', echo);
    await open();
    assert.match(screen(), /\[tty: Ctrl-\] detaches\]/);
    tmux('send-keys', '-t', 't', '-l', 'knock');
    await until('the echo', () => screen().includes('knock'));
    tmux('send-keys', '-t', 't', 'C-c');
    using machine = await connectMachine('tty');
    await until('Ctrl-C', async () => (await machine.stats()).printed === 6);
    tmux('send-keys', '-t', 't', 'C-]');
    await until('the end', () => /status 0/.test(screen()) && /-?echo /.test(screen()));
    assert.match(screen(), /\[detached from tty\]/);
    assert.ok(cooked(screen()), screen());
    assert.equal((await answering()).length, 1);
  });

  test('has another detach key on request, and shows the earlier output', async () => {
    detach('tty', shout);
    await open('--detach-key', 'ctrl-a');
    await until('what was printed before', () => /^!/m.test(screen()));
    tmux('send-keys', '-t', 't', 'C-a');
    await until('the end', () => /status 0/.test(screen()));
  });

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    test(`restores the terminal when it is ended by ${signal}`, async () => {
      detach('tty', spin);
      await open();
      const [pid] = spawnSync('pgrep', ['-f', '-n', 'attach tty'], { encoding: 'utf8' }).stdout.split('\n');
      process.kill(Number(pid), signal);
      await until('the end', () => /status \d+/.test(screen()) && /-?echo /.test(screen()));
      assert.ok(cooked(screen()), screen());
    });
  }

  test('restores the terminal when the guest ends, and when its monitor is killed', async () => {
    detach('tty', spin);
    await open();
    terrarium(['stop', 'tty', '--grace', `${GRACE_MS}ms`]);
    await until('the end', () => /status 130/.test(screen()) && /-?echo /.test(screen()));
    assert.ok(cooked(screen()), screen());
    tmux('kill-server');
    const pid = detach('tty', spin);
    await open();
    process.kill(pid, 'SIGKILL');
    await until('the end', () => /status 4/.test(screen()) && /-?echo /.test(screen()));
    assert.ok(cooked(screen()), screen());
  });
});
