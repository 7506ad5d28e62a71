/** The start and end of `terrarium debug`: it restores the terminal at every end. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { cli, noGcc, Scratch, terrarium, until } from '../support.js';
import { noTmux, Terminal } from './terminal.js';

const long = ['debug', 'test/guests/debugged-long.S', '--mode', 'long', '--engine', 'soft'];
const spin = ['debug', 'test/guests/spin-real.S', '--mode', 'real', '--memory', '1M', '--engine', 'soft'];

const noScript: string | false =
  spawnSync('script', ['--version']).status === 0
    ? false
    : 'SKIPPED: no script (util-linux) here to make a terminal';

/** A terminal with a debugger in it that has shown its guest. */
async function opened(args: readonly string[], options = {}): Promise<Terminal> {
  const terminal = new Terminal(args, options);
  await terminal.sees(/before its first instruction/);
  assert.ok(terminal.alternate);
  return terminal;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('terrarium debug restores the terminal', { skip: noTmux || noGcc, concurrency: 2 }, () => {
  for (const key of ['q', 'S-F10', 'C-c']) {
    test(`by the key ${key}`, async () => {
      using terminal = await opened(long);
      terminal.press('s', 's', key);
      assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
    });
  }

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const) {
    test(`by ${signal}, while the guest is stopped and while it runs`, async () => {
      for (const keys of [[], ['c']]) {
        using terminal = await opened(spin);
        terminal.press(...keys);
        if (keys.length > 0) await terminal.sees(/the guest runs/);
        process.kill(terminal.pid, signal);
        assert.deepEqual(await terminal.ended(), { status, restored: true });
      }
    });
  }

  test('by q during a run, and when the guest has ended', async () => {
    using running = await opened(spin);
    running.press('c');
    await running.sees(/the guest runs/);
    running.press('q');
    assert.deepEqual(await running.ended(), { status: 0, restored: true });
    using ended = await opened(long);
    ended.press('c');
    await ended.sees(/has halted/);
    ended.press('q');
    assert.deepEqual(await ended.ended(), { status: 0, restored: true });
  });

  test('when an internal error ends it, which is then visible', async () => {
    using terminal = new Terminal([], { program: 'build/test/tui/throws.js' });
    await terminal.sees(/Error: something went wrong/);
    const { status, restored } = await terminal.ended();
    assert.deepEqual({ status, restored }, { status: 1, restored: true });
    assert.match(terminal.screen(), /Error: something went wrong/, 'it is on the screen that stays');
  });

  test('and ends when the terminal is closed', async () => {
    for (const keys of [[], ['c']]) {
      const terminal = await opened(spin);
      const { pid } = terminal;
      terminal.press(...keys);
      await terminal.sees(keys.length > 0 ? /the guest runs/ : /Registers/);
      terminal[Symbol.dispose]();
      await until('its end', () => !isAlive(pid));
    }
  });

  // Outside of the terminal's session there is no SIGHUP, and an idle debugger writes nothing that could fail.
  test('and ends where only the end of its input shows that the terminal is closed', {
    skip: noScript,
  }, async () => {
    using scratch = new Scratch();
    const command = `exec setsid -w sh -c 'echo $$ > ${scratch.file('pid')}; exec ${process.execPath} ${cli} ${spin.join(' ')}'`;
    const script = spawn('script', ['-qfc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let seen = '';
    script.stdout.on('data', (bytes) => {
      seen += bytes;
    });
    await until('its screen', () => seen.includes('Registers'));
    const pid = Number(readFileSync(scratch.file('pid'), 'utf8'));
    script.kill('SIGKILL');
    try {
      await until('its end', () => !isAlive(pid));
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });

  test('while it is suspended with Ctrl-Z or SIGTSTP, and continues', async () => {
    using terminal = await opened(long);
    terminal.press('s');
    await terminal.sees(/mov esp,0x90000:/);
    const { pid } = terminal;
    for (const putAside of [() => terminal.press('C-z'), () => process.kill(pid, 'SIGTSTP')]) {
      putAside();
      await terminal.sees(/put aside/);
      assert.equal(terminal.alternate, false);
      terminal.press('Enter');
      await terminal.sees(/Registers/);
      assert.ok(terminal.alternate);
    }
    terminal.press('s');
    await terminal.sees(/mov ebx,0x3:/);
    terminal.press('q');
    assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
  });

  test('and redraws after SIGSTOP and SIGCONT, and at Ctrl-L', async () => {
    using terminal = await opened(long);
    const before = terminal.screen();
    const { pid } = terminal;
    process.kill(pid, 'SIGSTOP');
    // The terminal is still in the debugger's state, without line wrap: its last column shows the last letter of the
    // shell's message. Enter is not a line feed.
    await until('the shell', () => terminal.screen() !== before);
    terminal.press('C-j');
    await terminal.sees(/before its first instruction/);
    terminal.press('C-l');
    await terminal.sees(/Registers/);
    await until('the screen as it was', () => terminal.screen() === before);
  });
});

describe('terrarium debug refuses with a message', () => {
  test('where there is no terminal', () => {
    const { status, stderr } = terrarium(long);
    assert.equal(status, 2);
    assert.match(stderr, /draws in a terminal, and stdin is not a terminal\n.*--gdb/);
  });

  test('a missing image, and an option that debug refuses', { skip: noTmux }, async () => {
    using missing = new Terminal(['debug', 'nothing.S']);
    await missing.sees(/nothing\.S: no such file/);
    assert.deepEqual(await missing.ended(), { status: 2, restored: true });
    using polling = new Terminal(['debug', 'guests/hello', '--simvirtio', 'polling']);
    await polling.sees(/polling cannot be used with debug/);
    assert.equal((await polling.ended()).status, 2);
    using dumb = new Terminal(['debug', 'guests/hello'], { env: { TERM: 'dumb' } });
    await dumb.sees(/TERM=dumb/);
    assert.equal((await dumb.ended()).status, 2);
  });
});

describe('a guest that runs under terrarium debug', { skip: noTmux || noGcc, concurrency: 2 }, () => {
  test('is stopped by a key, and continues', async () => {
    using terminal = await opened(spin);
    for (const key of ['Space', 'C-c', 's']) {
      terminal.press('c');
      await terminal.sees(/the guest runs/);
      terminal.press(key);
      await terminal.sees(/stopped at/);
    }
  });

  test('shows its output and its exits while it runs', async () => {
    using terminal = await opened(['debug', 'guests/snake', '--engine', 'soft', '--clock', 'wall'], {
      columns: 120,
      rows: 40,
    });
    terminal.press('c');
    await terminal.sees(/running {2}[\d,]{3,} exits/);
    const early = terminal.screen();
    await until('other content', () => terminal.screen() !== early);
  });

  test('gets typed text at its serial port', async () => {
    using terminal = await opened([
      'debug',
      'test/guests/serial-echo.S',
      '--mode',
      'real',
      '--engine',
      'soft',
    ]);
    terminal.press('c');
    await terminal.sees(/the guest runs/);
    terminal.press('i');
    await terminal.sees(/typing to the guest’s serial port/);
    terminal.type('hello you');
    await terminal.sees(/Console[\s\S]*hello you/);
    terminal.press('C-]');
    await terminal.sees(/any key stops the guest/);
    terminal.press('Space');
    await terminal.sees(/stopped at/);
  });

  test('gets the keys that are pressed while the screen has the focus', async () => {
    using terminal = await opened(['debug', 'guests/vga-typing', '--engine', 'soft', '--clock', 'wall'], {
      columns: 90,
      rows: 34,
    });
    terminal.press('6', 'z', 'c');
    await terminal.sees(/the guest runs/);
    terminal.press('i');
    await terminal.sees(/typing to the guest’s keyboard/);
    terminal.type('hello you');
    await terminal.sees(/6 Screen[\s\S]*hello you/);
    terminal.press('C-]', 'q');
    assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
  });

  test('gets the text of --type', async () => {
    using terminal = await opened(
      ['debug', 'guests/vga-typing', '--engine', 'soft', '--clock', 'wall', '--type', 'from the start'],
      { columns: 90, rows: 34 },
    );
    terminal.press('6', 'z', 'c');
    await terminal.sees(/from the start/);
  });

  test('has no colours where NO_COLOR is set, and its marks are still visible', async () => {
    using terminal = await opened(long, { env: { NO_COLOR: '1' } });
    terminal.press('s');
    const seen = await terminal.sees(/•rsp/);
    assert.match(seen, /▶/);
    assert.doesNotMatch(terminal.screen(true), /\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)[;m]/);
  });
});
