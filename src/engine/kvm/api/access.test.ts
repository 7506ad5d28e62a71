/** The advice to a user who may not open the device: only groups that would help. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { accessAdvice } from './access.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-access-'));
after(() => rmSync(folder, { recursive: true }));
const device = path.join(folder, 'kvm');
const groups = path.join(folder, 'group');
writeFileSync(device, '');
writeFileSync(groups, 'root:x:0:\nkvm:x:104:somebody\nvirt:x:105:\n');

const isRoot = process.getuid?.() === 0;
const notRoot = !isRoot && 'only root can give files to groups';

describe('a user who may not open the device is advised', () => {
  const allow = `allow yourself the device until the host restarts: sudo setfacl -m u:$USER:rw ${device}`;

  test('to join the group that owns it, where the group may write', { skip: notRoot }, () => {
    chmodSync(device, 0o660);
    for (const [gid, name] of [
      [104, 'kvm'],
      [105, 'virt'],
    ] as const) {
      chownSync(device, 0, gid);
      assert.match(accessAdvice(device, groups), new RegExp(`usermod -aG ${name} `));
    }
  });

  test('to change the device where no group would help', { skip: notRoot }, () => {
    for (const [mode, gid] of [
      [0o600, 104],
      [0o640, 104],
      [0o660, 0],
      [0o660, 999],
    ] as const) {
      chmodSync(device, mode);
      chownSync(device, 0, gid);
      assert.equal(accessAdvice(device, groups), allow, `mode ${mode.toString(8)}, group ${gid}`);
    }
  });

  test('the same where the groups cannot be read', () => {
    chmodSync(device, 0o660);
    assert.equal(accessAdvice(device, path.join(folder, 'none')), allow);
  });
});
