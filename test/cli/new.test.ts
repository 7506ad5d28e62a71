/** `terrarium new`: each template runs, checks itself, traces and builds, by its own Makefile. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { templateNames, templateOf, templateSummaries } from '../../src/runtime/index.js';
import { cli, noToolsFor, root, Scratch, terrarium } from '../support.js';

function make(folder: string, ...words: string[]): SpawnSyncReturns<string> {
  const calls = `TERRARIUM=${process.execPath} ${cli}`;
  return spawnSync('make', ['-s', '-C', folder, calls, ...words], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    input: '',
  });
}

const kernelOf = (folder: string) => readdirSync(folder).find((file) => /^kernel\.(?!bin|elf)/.test(file))!;

describe('terrarium new', () => {
  test('lists every template in its help, with a description', () => {
    const { stdout } = terrarium(['new', '--help']);
    for (const name of templateNames) assert.match(stdout, new RegExp(`^ {2}${name} {2,}\\S`, 'm'), name);
  });

  for (const template of templateNames.filter((name) => name !== 'launcher')) {
    const skip = noToolsFor(template);
    test(`${template}: runs, checks, traces and builds an image that runs`, { skip }, () => {
      using scratch = new Scratch();
      const made = terrarium(['new', 'mine', '--template', template], { cwd: scratch.path });
      assert.equal(made.status, 0, made.stderr);
      assert.match(made.stdout, /cd mine && make/);
      const folder = scratch.file('mine');
      const ran = make(folder);
      assert.equal(ran.stdout.replaceAll('\r', ''), 'Hello from mine!\n', ran.stderr);
      assert.equal(make(folder, 'check').status, 0);
      const traced = template === 'boot-sector' ? /int 10h {2}write 'H'/ : /0x00e9 .*debug-console/;
      assert.match(make(folder, 'trace').stderr, traced);
      const built = make(folder, 'build');
      assert.equal(built.status, 0, built.stderr);
      const image = path.join(folder, /16$|^boot/.test(template) ? 'kernel.bin' : 'kernel.elf');
      const { mode } = JSON.parse(readFileSync(path.join(folder, 'guest.json'), 'utf8')) as { mode: string };
      assert.equal(
        terrarium(['run', image, '--mode', mode]).stdout.replaceAll('\r', ''),
        'Hello from mine!\n',
      );
      JSON.parse(readFileSync(path.join(folder, '.vscode/tasks.json'), 'utf8'));
      assert.equal(make(folder, 'clean').status, 0);
    });

    test(`${template}: its check fails where the kernel is wrong`, { skip }, () => {
      using scratch = new Scratch();
      terrarium(['new', 'mine', '--template', template], { cwd: scratch.path });
      const source = scratch.file(`mine/${kernelOf(scratch.file('mine'))}`);
      writeFileSync(source, readFileSync(source, 'utf8').replace('Hello', 'Hullo'));
      const checked = make(scratch.file('mine'), 'check');
      assert.notEqual(checked.status, 0);
      assert.match(checked.stderr, /expected console/);
    });
  }

  test('the name of a language selects its usual template', () => {
    using scratch = new Scratch();
    for (const [word, template] of [
      ['rust', 'rust64'],
      ['nasm', 'nasm16'],
      ['os', 'c64'],
    ] as const) {
      assert.equal(templateOf(word), template);
      const { status, stdout, stderr } = terrarium(['new', word, '-t', word], { cwd: scratch.path });
      assert.equal(status, 0, stderr);
      assert.ok(stdout.includes(templateSummaries[template]), stdout);
    }
  });

  test('c64: its panic dumps, its keyboard types', { skip: noToolsFor('c64') }, () => {
    using scratch = new Scratch();
    terrarium(['new', 'mine', '--template', 'c64'], { cwd: scratch.path });
    const panics = terrarium(['run', scratch.file('mine'), '--cflags', '-DFAULT']);
    assert.match(panics.stdout, /^panic: page fault \(vector 14, error code 2\)$/m, panics.stderr);
    assert.match(panics.stdout, /cr2 00000dead0000000/);
    const typed = terrarium(['run', scratch.file('mine'), '--type', 'Ab1!', '--expect', 'rax=42']);
    assert.equal(typed.stdout, 'Hello from mine!\nAb1!', typed.stderr);
    assert.equal(typed.status, 0);
  });

  test('launcher: runs and checks, with the package installed', { skip: noToolsFor('launcher') }, () => {
    using scratch = new Scratch();
    terrarium(['new', 'monitor', '--template', 'launcher'], { cwd: scratch.path });
    const folder = scratch.file('monitor');
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(root, path.join(folder, 'node_modules/terrarium-vm'));
    const ran = make(folder);
    assert.match(ran.stdout, /the guest writes 42 to port 0x11/, ran.stderr);
    assert.equal(make(folder, 'check').status, 0);
  });

  test('never overwrites existing files, and refuses names that are not allowed in a source', () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('file'), '');
    mkdirSync(scratch.file('full'));
    writeFileSync(scratch.file('full/kept'), 'kept');
    for (const [name, problem] of [
      ['full', /not empty/],
      ['file', /not a folder/],
      ['a b', /cannot be a kernel's name/],
      ['"quote', /cannot be a kernel's name/],
    ] as const) {
      const refused = terrarium(['new', name], { cwd: scratch.path });
      assert.equal(refused.status, 2, name);
      assert.match(refused.stderr, problem);
    }
    assert.equal(readFileSync(scratch.file('full/kept'), 'utf8'), 'kept');
    const unknown = terrarium(['new', 'x', '--template', 'cobol'], { cwd: scratch.path });
    assert.equal(unknown.status, 2);
    assert.match(
      unknown.stderr,
      /asm16, asm32, asm64, nasm16, boot-sector, c32, tiny64, c64, multiboot, cpp64, rust64, zig64, launcher/,
    );
  });
});
