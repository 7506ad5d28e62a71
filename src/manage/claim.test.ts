import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { TerrariumError } from '../errors.js';
import { openRuntimeDirectory } from '../runtime/runtime-dir.js';
import { Claim, holdersOf } from './claim.js';
import { checkName } from './names.js';
import { isAlive, newHolderId, parseHolderId, processStat } from './processes.js';

const base = mkdtempSync(path.join(tmpdir(), 'terrarium-claim-'));
after(() => rmSync(base, { recursive: true, force: true }));
const directory = openRuntimeDirectory({ XDG_RUNTIME_DIR: base });

describe('a name', () => {
  test('is 1 to 63 letters, digits, dots, underscores and hyphens, and starts as a word', () => {
    for (const name of ['a', '0', 'web.1', 'A_b-c', 'x'.repeat(63)]) assert.equal(checkName(name), name);
    for (const name of [
      '',
      '.',
      '..',
      '-x',
      '_x',
      '.hidden',
      'a/b',
      'a b',
      'a\n',
      'ü',
      'x'.repeat(64),
      '../up',
    ])
      assert.throws(() => checkName(name), { code: 'ECONFIG' }, name);
  });
});

describe('a claim to a name', () => {
  test('is held by one of many that ask at the same moment', async () => {
    for (let round = 0; round < 20; round++) {
      const asked = await Promise.allSettled(Array.from({ length: 8 }, () => Claim.take(directory, 'race')));
      const won = asked.filter((result) => result.status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const result of asked) {
        if (result.status === 'rejected') assert.equal((result.reason as TerrariumError).code, 'ENAME');
      }
      won[0]!.value[Symbol.dispose]();
      assert.ok(!existsSync(path.join(directory.machines, 'race')));
    }
  });

  test('is held by one process at a time, while they come, go and are killed', async () => {
    // Each holder makes a file that must not be there, and some are killed while they hold the name.
    const room = (file: string) => new URL(file, import.meta.url).href;
    const program = `
      import { closeSync, openSync, unlinkSync } from 'node:fs';
      import { setTimeout as pause } from 'node:timers/promises';
      import { Claim } from '${room('./claim.js')}';
      import { openRuntimeDirectory } from '${room('../runtime/runtime-dir.js')}';
      const directory = openRuntimeDirectory({ XDG_RUNTIME_DIR: '${base}' });
      let claim;
      let won = 0;
      for (const end = Date.now() + 1200; Date.now() < end; ) {
        try {
          claim = await Claim.take(directory, 'busy');
        } catch (error) {
          if (error.code !== 'ENAME') throw error;
          await pause(Math.random() * 2);
          continue;
        }
        closeSync(openSync('${base}/held', 'wx'));
        if (Math.random() < 0.5) await pause(Math.random() * 3);
        unlinkSync('${base}/held');
        if (++won > 20 && Math.random() < 0.02) process.kill(process.pid, 'SIGKILL');
        claim[Symbol.dispose]();
      }`;
    const ends = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
        return (await once(child, 'exit')) as [number | null, string | null];
      }),
    );
    for (const [status, signal] of ends)
      assert.ok(status === 0 || signal === 'SIGKILL', `${status} ${signal}`);
  });

  test('of a dead process counts for nothing and is removed', async () => {
    // PIDs end at 2²² at most (proc_sys_kernel(5)); one of this process's number that started at another time is dead too.
    const alive = newHolderId();
    const dead = [
      alive.text.replace(/^\d+/, '4194305'),
      alive.text.replace(/^(\d+)\.\d+/, '$1.1'),
      alive.text.replace(/\.[\da-f]{8}\./, '.00000000.'),
    ];
    const folder = path.join(directory.machines, 'dead');
    mkdirSync(folder);
    for (const id of dead) {
      assert.ok(!isAlive(parseHolderId(id)!), id);
      writeFileSync(path.join(folder, `claim.${id}`), '');
      writeFileSync(path.join(folder, `held.${id}`), '');
    }
    using claim = await Claim.take(directory, 'dead');
    assert.deepEqual(readdirSync(folder).sort(), [`claim.${claim.id.text}`, `held.${claim.id.text}`]);
    assert.equal(holdersOf(folder).length, 1);
  });

  test('of a process that ended and only waits for its parent counts for nothing', async () => {
    // The shell becomes `sleep` before its child ends, and never asks how that ended.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 300'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const idOf = (pid: number) => {
      const stat = processStat(pid)!;
      return parseHolderId(newHolderId().text.replace(/^\d+\.\d+/, `${pid}.${stat.started}`))!;
    };
    const child = Number(line.toString());
    try {
      while (processStat(child)?.state !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(isAlive(idOf(child)), false);
      assert.equal(isAlive(idOf(parent.pid!)), true);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

describe("the folder for a user's machines", () => {
  test('is accessible only to its owner', () => {
    assert.equal(directory.path, path.join(base, 'terrarium'));
    assert.doesNotThrow(() => openRuntimeDirectory({ XDG_RUNTIME_DIR: base }));
  });

  test('is refused where others may enter, where it is a link, and where it is no folder', () => {
    const refused = (name: string, make: (target: string) => void, message: RegExp) => {
      const home = path.join(base, name);
      mkdirSync(home);
      make(path.join(home, 'terrarium'));
      assert.throws(() => openRuntimeDirectory({ XDG_RUNTIME_DIR: home }), { code: 'ERUNTIME', message });
    };
    for (const mode of [0o750, 0o701, 0o770, 0o777]) {
      const make = (target: string) => {
        mkdirSync(target);
        chmodSync(target, mode);
      };
      refused(`mode${mode}`, make, /others may use it/);
    }
    refused('link', (target) => symlinkSync(base, target), /not a directory/);
    refused('file', (target) => writeFileSync(target, ''), /not a directory/);
  });

  test("is refused where it is somebody else's", {
    skip: process.getuid!() !== 0 && 'SKIPPED: needs root for chown',
  }, () => {
    const home = path.join(base, 'foreign');
    mkdirSync(path.join(home, 'terrarium'), { recursive: true, mode: 0o700 });
    spawnSync('chown', ['65534', path.join(home, 'terrarium')]);
    assert.throws(() => openRuntimeDirectory({ XDG_RUNTIME_DIR: home }), {
      message: /belongs to user 65534/,
    });
  });

  test('is refused where its path is too long for a socket', () => {
    const home = path.join(base, 'x'.repeat(80));
    mkdirSync(home);
    assert.throws(() => openRuntimeDirectory({ XDG_RUNTIME_DIR: home }), { message: /too long a path/ });
  });
});
