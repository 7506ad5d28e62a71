/**
 * The extension for VS Code: what is in it, and how it is installed. There is no VS Code here: a script replaces its
 * command.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { cli, root, Scratch, terrarium } from '../support.js';

/**
 * The files of an archive that stores them uncompressed, found by its directory as readers do (APPNOTE 4.3.12, 4.3.16).
 */
function unzip(bytes: Buffer): Map<string, string> {
  const end = bytes.length - 22;
  assert.equal(bytes.readUInt32LE(end), 0x06054b50);
  const files = new Map<string, string>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50);
    const size = bytes.readUInt32LE(at + 20);
    const nameLength = bytes.readUInt16LE(at + 28);
    const local = bytes.readUInt32LE(at + 42);
    assert.equal(bytes.readUInt32LE(local), 0x04034b50);
    assert.deepEqual(bytes.subarray(local + 4, local + 30), bytes.subarray(at + 6, at + 32));
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const content = bytes.subarray(local + 30 + nameLength, local + 30 + nameLength + size);
    assert.equal(crc32(content), bytes.readUInt32LE(at + 16), name);
    files.set(name, content.toString('utf8'));
    at += 46 + nameLength;
  }
  assert.equal(at, end);
  return files;
}

/** The results of `editors/vscode/extension.js` in a replacement of VS Code. */
function activated(folder: string, setting: readonly string[] = []) {
  const given: Record<string, Record<string, (...args: unknown[]) => unknown>> = {};
  const vscode = {
    workspace: { getConfiguration: () => ({ get: () => setting }) },
    window: { activeTextEditor: { document: { fileName: '/open/kernel.S' } } },
    debug: {
      registerDebugAdapterDescriptorFactory: (_type: string, factory: never) => {
        given.factory = factory;
      },
      registerDebugConfigurationProvider: (_type: string, provider: never) => {
        given.provider = provider;
      },
    },
    DebugAdapterExecutable: class {
      readonly command: string;
      readonly args: string[];
      readonly options: object;
      constructor(command: string, args: string[], options: object) {
        this.command = command;
        this.args = args;
        this.options = options;
      }
    },
  };
  const source = readFileSync(path.join(folder, 'extension.js'), 'utf8');
  const module = { exports: {} as { activate(context: object): void } };
  const load = (name: string) => (name === 'vscode' ? vscode : process.getBuiltinModule(name));
  new Function('require', 'exports', 'module', '__dirname', source)(load, module.exports, module, folder);
  module.exports.activate({ subscriptions: [] });
  return {
    start: (workspaceFolder?: object) => given.factory!.createDebugAdapterDescriptor!({ workspaceFolder }),
    resolve: (folder: unknown, configuration: object) =>
      given.provider!.resolveDebugConfiguration!(folder, configuration),
  };
}

const folderAt = (fsPath: string) => ({ uri: { fsPath } });

describe('the extension for VS Code', () => {
  test('is a VSIX with a manifest, and contains the path of the Terrarium that made it', () => {
    using scratch = new Scratch();
    const file = scratch.file('terrarium.vsix');
    const { status, stdout } = terrarium(['dap', '--vsix', file]);
    assert.equal(status, 0);
    assert.match(stdout, /code --install-extension/);
    const files = unzip(readFileSync(file));
    assert.deepEqual(JSON.parse(files.get('extension/terrarium.json')!), [
      process.execPath,
      realpathSync(cli),
    ]);
    const manifest = JSON.parse(files.get('extension/package.json')!);
    assert.match(
      files.get('extension.vsixmanifest')!,
      new RegExp(`Id="${manifest.name}" Version="${manifest.version}"`),
    );
    for (const name of [
      'extension/extension.js',
      'extension/asm.json',
      'extension/README.md',
      '[Content_Types].xml',
    ])
      assert.ok(files.has(name), name);
    const mentioned = [
      manifest.main,
      ...manifest.contributes.languages.map((one: { configuration: string }) => one.configuration),
    ];
    for (const name of mentioned) assert.ok(files.has(path.join('extension', name)), name);
  });

  test('is installed by VS Code’s own command; where that is missing or fails, there is a message', () => {
    using scratch = new Scratch();
    const code = scratch.file('code');
    writeFileSync(
      code,
      `#!/bin/sh\necho "$@" > ${scratch.file('said')}\ncp "$2" ${scratch.file('copy.vsix')}\n`,
    );
    chmodSync(code, 0o755);
    const { status, stdout } = terrarium(['dap', '--install-vscode', '--code', code]);
    assert.equal(status, 0);
    assert.match(stdout, /F5/);
    const [option, file, force] = readFileSync(scratch.file('said'), 'utf8').trim().split(' ');
    assert.deepEqual([option, force], ['--install-extension', '--force']);
    assert.throws(() => readFileSync(file!), 'the file is gone');
    assert.ok(unzip(readFileSync(scratch.file('copy.vsix'))).has('extension/package.json'));
    writeFileSync(code, '#!/bin/sh\necho no room >&2\nexit 1\n');
    const failed = terrarium(['dap', '--install-vscode', '--code', code]);
    assert.notEqual(failed.status, 0);
    assert.match(failed.stderr, /no room/);
    const missing = terrarium(['dap', '--install-vscode', '--code', '/nowhere/code']);
    assert.match(missing.stderr, /the command was not found/);
    assert.match(missing.stderr, /--vsix/);
  });

  test('starts the configured Terrarium, the folder’s own, the one that installed it, or the PATH’s', () => {
    using scratch = new Scratch();
    const folder = path.join(root, 'editors/vscode');
    assert.deepEqual(
      { ...(activated(folder, ['npx', 'terrarium-vm']).start() as object) },
      { command: 'npx', args: ['terrarium-vm', 'dap'], options: {} },
    );
    const { command, args } = activated(folder).start() as { command: string; args: string[] };
    assert.deepEqual([command, args], ['terrarium', ['dap']]);
    const bin = scratch.file('node_modules/.bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, 'terrarium'), '');
    const own = activated(folder).start(folderAt(scratch.path)) as { command: string; options: object };
    assert.equal(own.command, path.join(bin, 'terrarium'));
    assert.deepEqual(own.options, { cwd: scratch.path });
  });

  test('debugs the folder of a guest, else the open file, where there is no launch.json', () => {
    const { resolve } = activated(path.join(root, 'editors/vscode'));
    const hello = path.join(root, 'guests/hello');
    assert.equal((resolve(folderAt(hello), {}) as { program: string }).program, hello);
    assert.equal((resolve(folderAt(root), {}) as { program: string }).program, '/open/kernel.S');
    const given = { type: 'terrarium', request: 'launch', name: 'x', program: 'y' };
    assert.equal(resolve(folderAt(hello), given), given);
  });
});
