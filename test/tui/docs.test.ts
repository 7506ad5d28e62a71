/** The documentation of `terrarium debug`: its commands, its picture, its keys. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bindings } from '../../src/apps/tui/bindings.js';
import { noGcc, Scratch, terrarium } from '../support.js';
import { noTmux, Terminal } from './terminal.js';

const page = readFileSync('docs/debugger.md', 'utf8');
const pages = ['README.md', ...markdown('docs'), ...markdown('guests')];

function markdown(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);
}

/** Every `terrarium debug …` in a block of shell commands, once. */
function commands(): string[] {
  const blocks = pages.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm),
  ]);
  const lines = blocks.flatMap(([, block]) => block!.split('\n'));
  const found = lines.flatMap((line) => /^terrarium (debug .*?)\s*(?:#.*)?$/.exec(line)?.[1] ?? []);
  return [...new Set(found)];
}

describe('the documentation of terrarium debug', { skip: noTmux || noGcc, concurrency: 2 }, () => {
  for (const command of commands()) {
    test(`starts ${command}`, async () => {
      using terminal = new Terminal(command.split(/\s+/));
      await terminal.sees(/before its first instruction/);
      terminal.press('s', 'q');
      assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
    });
  }

  test('a folder of terrarium new steps through its lines, from its source', async () => {
    using scratch = new Scratch();
    const folder = scratch.file('mine');
    assert.equal(terrarium(['new', folder, '--template', 'tiny64']).status, 0);
    using terminal = new Terminal(['debug', folder, '--engine', 'soft'], { columns: 100, rows: 30 });
    await terminal.sees(/before its first instruction, _start/);
    terminal.press('L');
    await terminal.sees(/2 Code ━+ kernel\.c:13 {2}while/);
    terminal.press('l');
    await terminal.sees(/2 Code ━ kernel\.c:14 {2}out\(PORT_CONSOLE/);
    terminal.press('l');
    await terminal.sees(/kernel\.c:8/);
    terminal.press('l');
    await terminal.sees(/2 Code ━+ kernel\.c:13 {2}while/);
  });

  test('has commands', () => {
    assert.ok(commands().length >= 3);
  });

  test('shows the real screen', () => {
    assert.ok(page.includes(readFileSync('test/tui/screens/breakpoint.txt', 'utf8')));
    const shown = readFileSync('test/tui/screens/step.txt', 'utf8');
    assert.ok(readFileSync('README.md', 'utf8').includes(shown), 'README.md');
  });

  test('names every key correctly', () => {
    for (const { letter, functionKey, long } of bindings)
      assert.ok(page.includes(`| \`${letter}\` | ${functionKey} | ${long} |`), letter);
  });

  test('is the beginning of --help', () => {
    const { status, stdout } = terrarium(['debug', '--help']);
    assert.equal(status, 0);
    assert.match(stdout, /^Examples:\n {2}\$ terrarium debug/);
    assert.match(terrarium(['--help']).stdout, /terrarium debug kernel\.S/);
  });
});
