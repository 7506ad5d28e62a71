/** What is published works: pack it, install it into an empty folder, run a guest with `npx terrarium-vm`. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { noKvm, root, Scratch } from '../support.js';

describe('the packed tarball', { skip: noKvm }, () => {
  test('installs into an empty folder and runs a guest, from the command line and from a program', () => {
    using scratch = new Scratch();
    execFileSync('npm', ['pack', '--pack-destination', scratch.path], { cwd: root, stdio: 'pipe' });
    const tarball = readdirSync(scratch.path).find((file) => file.endsWith('.tgz'));
    assert.ok(tarball);
    writeFileSync(scratch.file('package.json'), '{ "name": "empty", "private": true, "type": "module" }');
    const install = ['install', '--no-audit', '--no-fund', path.join(scratch.path, tarball)];
    execFileSync('npm', install, { cwd: scratch.path, stdio: 'pipe' });

    const guest = 'node_modules/terrarium-vm/guests/lj-kernel2';
    const run = spawnSync('npx', ['terrarium-vm', 'run', guest], {
      cwd: scratch.path,
      encoding: 'utf8',
      input: '',
    });
    assert.equal(run.stdout, 'Hello\n', run.stderr);
    assert.equal(run.status, 0);

    // What editors start finds what it needs, and ends with its client.
    const request = '{"seq":1,"type":"request","command":"initialize","arguments":{}}';
    const adapter = spawnSync('npx', ['terrarium-vm', 'dap'], {
      cwd: scratch.path,
      encoding: 'utf8',
      input: `Content-Length: ${request.length}\r\n\r\n${request}`,
    });
    assert.match(adapter.stdout, /"success":true/, adapter.stderr);
    assert.equal(adapter.status, 0);
    const vsix = spawnSync('npx', ['terrarium-vm', 'dap', '--vsix', 'it.vsix'], { cwd: scratch.path });
    assert.equal(vsix.status, 0);

    writeFileSync(
      scratch.file('launcher.js'),
      `import { createMachine, hostMachine, loadImage } from 'terrarium-vm';
       import { Kvm } from 'terrarium-vm/kvm';
       const machine = createMachine({ image: '${guest}', output: (bytes) => process.stdout.write(bytes) });
       console.log(machine.run().kind);
       machine[Symbol.dispose]();
       const hosted = await hostMachine({ image: loadImage('${guest}').image });
       console.log((await hosted.run()).kind, typeof Kvm);
       await hosted[Symbol.asyncDispose]();`,
    );
    const program = spawnSync(process.execPath, ['launcher.js'], { cwd: scratch.path, encoding: 'utf8' });
    assert.equal(program.stdout, 'Hello\nhalted\nhalted function\n', program.stderr);
    assert.equal(program.status, 0);
  });
});
