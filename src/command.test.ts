import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asTyped, command, commandStart } from './command.js';

const installed = 'file:///home/ada/kernels/node_modules/terrarium-vm/dist/program.cjs';
const none = {};

describe('the command, as it is typed', () => {
  test('in a clone by npm start', () => {
    const env = { npm_lifecycle_event: 'start', npm_package_name: 'terrarium-vm', npm_command: 'start' };
    const file = 'file:///home/ada/terrarium/dist/program.cjs';
    assert.equal(commandStart({ env, cwd: '/home/ada/terrarium', file }), 'npm start --');
  });

  test("in a project whose own script 'start' starts it is npx", () => {
    const env = { npm_lifecycle_event: 'start', npm_package_name: 'kernels', npm_command: 'run-script' };
    assert.equal(commandStart({ env, cwd: '/home/ada/kernels', file: installed }), 'npx terrarium-vm');
  });

  test('in a project, and in folders below it, is npx', () => {
    for (const cwd of ['/home/ada/kernels', '/home/ada/kernels/first'])
      assert.equal(commandStart({ env: none, cwd, file: installed }), 'npx terrarium-vm');
    assert.equal(commandStart({ env: none, cwd: '/home/ada/kernels-2', file: installed }), 'terrarium');
  });

  test('by npx from its cache is npx', () => {
    const file = 'file:///home/ada/.npm/_npx/4711/node_modules/terrarium-vm/dist/program.cjs';
    assert.equal(commandStart({ env: { npm_command: 'exec' }, cwd: '/tmp', file }), 'npx terrarium-vm');
  });

  test('installed for all, linked, or run from a clone by Node is its name', () => {
    for (const file of [
      'file:///usr/local/lib/node_modules/terrarium-vm/dist/program.cjs',
      'file:///home/ada/terrarium/dist/program.cjs',
    ])
      assert.equal(commandStart({ env: none, cwd: '/home/ada', file }), 'terrarium');
  });

  test('on Windows, with drives, backslashes and spaces', () => {
    const file = 'file:///C:/Users/Ada%20L/kernels/node_modules/terrarium-vm/dist/program.cjs';
    assert.equal(commandStart({ env: none, cwd: 'C:\\Users\\Ada L\\kernels', file }), 'npx terrarium-vm');
    assert.equal(commandStart({ env: none, cwd: 'D:\\kernels', file }), 'terrarium');
  });

  test('comes before the words', () => {
    assert.match(command('stop web'), /^(terrarium|npm start --) stop web$/);
    assert.doesNotMatch(command(), / $/);
  });

  test('in help leaves what the examples do in one column', () => {
    const help = [
      '  $ terrarium new my-kernel        64-bit C',
      '  $ cd my-kernel && make           run it',
      '  $ echo hi | terrarium run a.bin  stdin; then: terrarium ps',
      '',
      'See terrarium run.',
    ].join('\n');
    assert.equal(asTyped(help, 'terrarium'), help);
    assert.equal(
      asTyped(help, 'npx terrarium-vm'),
      [
        '  $ npx terrarium-vm new my-kernel        64-bit C',
        '  $ cd my-kernel && make                  run it',
        '  $ echo hi | npx terrarium-vm run a.bin  stdin; then: npx terrarium-vm ps',
        '',
        'See terrarium run.',
      ].join('\n'),
    );
  });
});
