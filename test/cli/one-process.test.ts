/**
 * Most tests run their commands in one process (test/support/command.ts): each has the same results as in a separate
 * process.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { runCommand } from '../support/command.js';
import { HANGS_MS, root, Scratch, terrarium, terrariumProcess } from '../support.js';

const place = new Scratch();
process.env.XDG_RUNTIME_DIR = place.path;
after(() => place[Symbol.dispose]());

/** Run times are not compared. */
const timeless = (text: string) => text.replace(/[\d.,]+ ?(?:ms|\xc2\xb5s|s)\b/g, 'T').replace(/ +T/g, ' T');

/** HLT. */
const HLT = '\xf4';
describe('commands in one process', () => {
  for (const { words, input = '' } of [
    { words: ['--version'] },
    { words: [] },
    { words: ['run', 'guests/hello', '--engine', 'soft', '--trace'] },
    { words: ['run', 'guests/hello', '--engine', 'soft', '--expect', 'rax=1'] },
    { words: ['run', 'guests/mistakes/divide-by-zero', '--engine', 'soft', '--why'] },
    { words: ['run', 'guests/hello', '--engine', 'soft', '--max-exits', '3'] },
    { words: ['run', 'nowhere.S'] },
    { words: ['trace', '-'], input: 'no trace' },
    { words: ['ps'] },
    { words: ['course'] },
    { words: ['grade', '--help'] },
    { words: ['unknown'] },
  ])
    test(`terrarium ${words.join(' ')}: as in a separate process`, () => {
      const [one, other] = [terrarium, terrariumProcess].map((run) => {
        const { status, stdout, stderr } = run(words, { input });
        return { status, stdout: timeless(stdout), stderr: timeless(stderr) };
      });
      assert.deepEqual(one, other);
    });

  test('have each their own folder and environment', () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.bin'), HLT, 'latin1');
    assert.equal(terrarium(['run', 'k.bin', '--quiet', '--mode', 'real'], { cwd: scratch.path }).status, 0);
    assert.equal(
      terrarium(['run', 'k.bin', '--quiet', '--mode', 'real']).status,
      2,
      'not found from the root',
    );
    const runIn = (env: NodeJS.ProcessEnv) =>
      runCommand(['run', 'guests/hello'], {
        input: '',
        cwd: root,
        env: { ...process.env, ...env },
        timeoutMs: HANGS_MS,
      });
    assert.match(runIn({ TERRARIUM_ENGINE: 'soft' }).stderr, /soft: halted/);
    assert.match(runIn({ TERRARIUM_ENGINE: 'nothing' }).stderr, /nothing/);
  });

  test('that end the process, or never end, do not end the others', () => {
    const ends = place.file('ends.mjs');
    writeFileSync(ends, 'export default () => { process.stderr.write("bye\\n"); process.exit(7); };');
    const ended = terrarium(['run', 'guests/hello', '--engine', 'soft', '--device', ends]);
    const own = terrariumProcess(['run', 'guests/hello', '--engine', 'soft', '--device', ends]);
    assert.deepEqual([ended.status, ended.stderr], [own.status, own.stderr]);
    writeFileSync(place.file('spin.bin'), Uint8Array.of(0xeb, 0xfe));
    const spins = ['run', place.file('spin.bin'), '--mode', 'real', '--timeout', '1m'];
    const options = { input: '', cwd: root, env: process.env, timeoutMs: 1000 };
    assert.equal(runCommand(spins, options).status, null);
    assert.equal(terrarium(['run', 'guests/hello', '--quiet', '--engine', 'soft']).status, 0);
  });

  test('take stdin of any length', () => {
    const line = `${JSON.stringify({ no: 'trace' })}\n`;
    const { status, stderr } = terrarium(['trace', '-'], { input: line.repeat(20_000) });
    assert.equal(status, 2, stderr);
  });
});
