/**
 * Random instructions on both engines, from a new seed in each run. Its output on a difference shows how to repeat it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { describe, test } from 'node:test';
import { modeNames } from '../../src/verify/index.js';
import { cli, noKvm } from '../support.js';
import { soakSeconds } from './duration.js';

describe('the software CPU and KVM agree on random instructions', { skip: noKvm }, () => {
  for (const mode of modeNames) {
    test(`in ${mode} mode`, () => {
      const seconds = Math.max(1, Math.ceil(soakSeconds / modeNames.length));
      const words = ['verify', '--mode', mode, '--seed', `${randomInt(2 ** 31)}`, '--seconds', `${seconds}`];
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8' });
      assert.equal(status, 0, `terrarium ${words.join(' ')}\n${stdout}${stderr}`);
    });
  }
});
