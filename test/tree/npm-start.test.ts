/** `npm start` in a clone: a program that reads its output gets only the command's, without npm's lines. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { root } from '../support.js';

test('npm start --silent -- doctor --json is JSON', () => {
  // npm's own variables would make this another of its scripts.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_)/.test(name)),
  );
  const words = ['start', '--silent', '--', 'doctor', '--json'];
  const { stdout, stderr } = spawnSync('npm', words, { cwd: root, env, encoding: 'utf8' });
  assert.ok(Array.isArray(JSON.parse(stdout).checks), stderr);
});
