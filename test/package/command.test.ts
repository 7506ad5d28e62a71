/** The steps of a new user with the package: runs guests, makes a kernel, does a lesson, writes a program. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { templateNames } from '../../src/runtime/index.js';
import { noGcc, noKvm, noToolsFor, root } from '../support.js';
import { Project } from './project.js';

const guest = 'node_modules/terrarium-vm/guests/lj-kernel2';

describe('the installed command', () => {
  test('runs a guest, by npx', () => {
    using project = new Project();
    const run = project.run('npx', ['terrarium-vm', 'run', guest]);
    assert.equal(run.stdout, 'Hello\n', run.stderr);
    assert.equal(run.status, 0);
  });

  test('finds the package’s guests by their names, also to build them', { skip: noGcc }, () => {
    using project = new Project();
    const built = project.terrarium(['build', 'guests/hello', '-o', 'hello.elf']);
    assert.equal(built.status, 0, built.stderr);
    assert.match(project.terrarium(['run', 'hello.elf']).stdout, /^Hello from inside the terrarium!/);
  });

  test('names itself in hints so that users can type it', () => {
    using project = new Project();
    const { stderr } = project.terrarium(['course', 'start', '99']);
    assert.match(stderr, /: npx terrarium-vm course$/m);
    assert.match(project.terrarium(['run', '--help']).stdout, /\$ npx terrarium-vm run guests\/hello/);
  });

  test('loads a device in TypeScript where Node strips types, and reports the requirement elsewhere', {
    skip: noGcc,
  }, () => {
    using project = new Project();
    writeFileSync(project.file('in.S'), '.code16\n.globl _start\n_start: in $0x99, %al\n hlt\n');
    const device = `export default (): object => ({
      name: 'typed',
      ports: [{ first: 0x99, count: 1 }],
      readPort: (): number => 42,
    });`;
    writeFileSync(project.file('typed.ts'), device);
    const args = ['run', 'in.S', '--mode', 'real', '--device', './typed.ts', '--expect', 'al=42'];
    const { status, stderr } = project.terrarium(args);
    if ((process.features as { typescript?: unknown }).typescript) assert.equal(status, 0, stderr);
    else {
      assert.equal(status, 2, stderr);
      assert.match(stderr, /typed\.ts is TypeScript, which Node [\d.]+ does not run[\s\S]*esbuild/);
    }
  });

  test('is started by an editor, and installs its extension', () => {
    using project = new Project();
    const request = '{"seq":1,"type":"request","command":"initialize","arguments":{}}';
    const input = `Content-Length: ${request.length}\r\n\r\n${request}`;
    const adapter = project.terrarium(['dap'], { input });
    assert.match(adapter.stdout, /"success":true/, adapter.stderr);
    assert.equal(adapter.status, 0);
    assert.equal(project.terrarium(['dap', '--vsix', 'it.vsix']).status, 0);
    assert.ok(existsSync(project.file('it.vsix')));
  });
});

describe('a new folder in a project', () => {
  for (const template of templateNames) {
    test(`from the template ${template} runs and checks itself`, { skip: noToolsFor(template) }, () => {
      using project = new Project();
      const made = project.terrarium(['new', 'mine', '--template', template]);
      assert.equal(made.status, 0, made.stderr);
      for (const goal of ['run', 'check']) {
        const { status, stderr, stdout } = project.run('make', ['-s', goal], { folder: 'mine' });
        assert.equal(status, 0, `${goal}: ${stdout}${stderr}`);
      }
    });
  }

  test('calls the copy of that project, not another one and not npx', () => {
    using project = new Project();
    project.terrarium(['new', 'deep/mine']);
    const makefile = readFileSync(project.file('deep/mine/Makefile'), 'utf8');
    assert.match(makefile, /^TERRARIUM \?= \.\.\/\.\.\/node_modules\/\.bin\/terrarium$/m);
  });
});

test('a lesson is begun and checked', { skip: noGcc }, () => {
  using project = new Project();
  const begun = project.terrarium(['course', 'start', '1']);
  assert.equal(begun.status, 0, begun.stderr);
  const [, page] = /^Read: +(.*)$/m.exec(begun.stdout)!;
  assert.ok(existsSync(project.file(page!)), page);
  const checked = project.terrarium(['course', 'check', 'lesson-01']);
  assert.equal(checked.status, 1, 'nothing is written yet');
  assert.match(checked.stdout, /Not yet/);
});

describe('a program', () => {
  test('makes machines, on its own thread and on another', { skip: noKvm }, () => {
    using project = new Project();
    writeFileSync(
      project.file('launcher.js'),
      `import { createMachine, hostMachine, loadImage } from 'terrarium-vm';
       import { Kvm } from 'terrarium-vm/kvm';
       const machine = createMachine({ image: '${guest}', output: (bytes) => process.stdout.write(bytes) });
       console.log(machine.run().kind);
       machine[Symbol.dispose]();
       const hosted = await hostMachine({ image: loadImage('${guest}').image });
       console.log((await hosted.run()).kind, typeof Kvm);
       await hosted[Symbol.asyncDispose]();`,
    );
    const program = project.run(process.execPath, ['launcher.js']);
    assert.equal(program.stdout, 'Hello\nhalted\nhalted function\n', program.stderr);
    assert.equal(program.status, 0);
  });

  for (const [name, words, says] of [
    ['bare-kvm', [], /^halted at rip 9n?$/m],
    ['counter-page', [], /./],
    ['hypercalls', [], /./],
    ['launcher', [path.join(guest, 'lj-kernel2.bin')], /Hello/],
    ['watched-launcher', [path.join(guest, 'lj-kernel2.bin'), '100'], /./],
  ] as const) {
    test(`of the documentation runs in a user's project: ${name}.mjs`, { skip: noKvm || noGcc }, () => {
      using project = new Project();
      cpSync(path.join(root, 'docs/examples'), project.path, { recursive: true });
      const { status, stdout, stderr } = project.run(process.execPath, [`${name}.mjs`, ...words]);
      assert.equal(status, 0, stderr);
      assert.match(stdout, says);
    });
  }
});
