/**
 * A guest's output may control a terminal; `--safe-output` prevents that, by default where another user's guest is
 * shown.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { cli, Scratch, terrarium } from '../support.js';

/** Renames the window, makes the terminal send input, and moves the cursor; then an ordinary line. */
const HOSTILE = '\x1b]0;owned\x07\x1b[6n\x1b[2Jx\r\n\ttext\x7f\x9b5n\n';
const SHOWN = '␛]0;owned␇␛[6n␛[2Jx\r\n\ttext␡';

const scratch = new Scratch();
const env = { ...process.env, XDG_RUNTIME_DIR: scratch.path, NO_COLOR: '1' };
writeFileSync(
  scratch.file('k.S'),
  `.code16
.globl _start
_start: mov $text, %si
        mov $end - text, %cx
        mov $0xe9, %dx
        rep outsb
        cli
        hlt
text:   .byte ${[...Buffer.from(HOSTILE, 'latin1')].join(', ')}
end:
`,
);
const image = [scratch.file('k.S'), '--mode', 'real', '--engine', 'soft'];

after(() => {
  spawnSync(process.execPath, [cli, 'rm', 'hostile'], { env });
  scratch[Symbol.dispose]();
});

const noScript: string | false =
  spawnSync('script', ['--version']).status === 0
    ? false
    : 'SKIPPED: no script (util-linux) here to make a terminal';

/** The bytes that a command sends to a terminal; the terminal's driver makes CR LF of LF. */
function onTerminal(...words: string[]): string {
  const command = [process.execPath, cli, ...words].map((word) => `'${word}'`).join(' ');
  return spawnSync('script', ['-qec', command, '/dev/null'], { env, encoding: 'latin1', input: '' }).stdout;
}

describe('a guest’s output', () => {
  test('is unchanged in one’s own run, and harmless with --safe-output', () => {
    assert.equal(terrarium(['run', ...image]).stdout, HOSTILE);
    const safe = Buffer.from(terrarium(['run', ...image, '--safe-output']).stdout, 'latin1').toString();
    assert.ok(safe.startsWith(SHOWN), safe);
    const controls = [...safe].filter((one) => /\p{Cc}/u.test(one) && !'\b\t\n\r'.includes(one));
    assert.deepEqual(controls, []);
  });

  test('is harmless by default where logs shows it on a terminal, and unchanged in a file', {
    skip: noScript,
  }, () => {
    const started = spawnSync(process.execPath, [cli, 'run', ...image, '--name', 'hostile', '--detach'], {
      env,
    });
    assert.equal(started.status, 0, String(started.stderr));
    // Follows it to its end.
    const logs = ['logs', 'hostile', '--follow'];
    const piped = spawnSync(process.execPath, [cli, ...logs], { env, encoding: 'latin1' });
    assert.ok(piped.stdout.includes(HOSTILE), JSON.stringify(piped.stdout));
    assert.ok(!onTerminal('logs', 'hostile').includes('\x1b]0;'), 'on a terminal');
    assert.ok(onTerminal('logs', 'hostile', '--no-safe-output').includes('\x1b]0;'), 'where asked for');
  });
});
