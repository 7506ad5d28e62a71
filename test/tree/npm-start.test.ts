/** `npm start` in a clone: what a program reads of it is what the command printed, and nothing of npm's. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { root } from '../support.js';

test('npm start --silent -- doctor --json is JSON', () => {
  // npm's own variables would say that we are another of its scripts.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST_)/.test(name)),
  );
  const words = ['start', '--silent', '--', 'doctor', '--json'];
  const { stdout, stderr } = spawnSync('npm', words, { cwd: root, env, encoding: 'utf8' });
  assert.ok(Array.isArray(JSON.parse(stdout).checks), stderr);
});
