/** `--engine auto`: KVM where it runs the guest, else the software CPU, with the reason. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { EngineLimit, kvmEngine } from '../../src/engine/kvm/index.js';
import { Machine } from '../../src/machine/index.js';
import { chooseEngine, createMachine, hostMachine, loadImage } from '../../src/runtime/index.js';
import { cli, noKvm, root, Scratch } from '../support.js';

/**
 * Runs a shell's words where there is no /dev/kvm, although this host may have one: in a mount namespace of its own,
 * whose /dev has the usual devices and no others.
 */
function withoutKvm(words: string): SpawnSyncReturns<string> {
  using scratch = new Scratch();
  const dev = scratch.file('dev');
  const files = 'null zero full random urandom tty';
  const hide = `mkdir ${dev} && cd ${dev} && mkdir pts shm && touch ${files} && ln -s pts/ptmx ptmx &&
    for name in ${files}; do mount --bind /dev/$name $name; done &&
    mount --rbind /dev/pts pts && mount --rbind ${dev} /dev && cd ${root}`;
  return spawnSync('unshare', ['-m', 'sh', '-c', `${hide} && ${words}`], {
    encoding: 'latin1',
    input: '',
    timeout: 60_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
}

const noNamespaces =
  withoutKvm('test ! -e /dev/kvm').status === 0
    ? false
    : 'SKIPPED: only root may hide /dev/kvm from a process';
const terrarium = `${process.execPath} ${cli}`;

describe('where there is no /dev/kvm', { skip: noNamespaces }, () => {
  test('guests run on the software CPU, and the report has the reason', () => {
    using scratch = new Scratch();
    const report = scratch.file('report.json');
    const ran = withoutKvm(`${terrarium} run guests/khw-real --report ${report}`);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout, 'Hello, world!\n');
    assert.match(ran.stderr, /^terrarium: soft: halted after/);
    const { engine } = JSON.parse(readFileSync(report, 'utf8'));
    assert.deepEqual(engine, { name: 'soft', because: 'there is no /dev/kvm on this host' });
  });

  test('a terminal shows that in one line', () => {
    const ran = withoutKvm(`script -qec '${terrarium} run guests/khw-real' /dev/null`);
    assert.match(
      ran.stdout,
      /^terrarium: there is no \/dev\/kvm on this host: running on the software CPU\r?\n/,
    );
    assert.equal(ran.stdout.split('no /dev/kvm').length, 2);
  });

  test('a request for KVM fails with advice', () => {
    const ran = withoutKvm(`${terrarium} run guests/khw-real --engine kvm`);
    assert.equal(ran.status, 4);
    assert.match(ran.stderr, /\/dev\/kvm: ENOENT: load the module/);
  });

  test('doctor reports what auto selects', () => {
    const ran = withoutKvm(`${terrarium} doctor`);
    assert.equal(ran.status, 0);
    assert.match(ran.stdout, /the software CPU +ran and halted/);
    assert.match(ran.stdout, /engine auto +uses the software CPU/);
    assert.match(ran.stdout, /This host can run guests, on the software CPU\./);
  });
});

describe('where the library that calls KVM cannot be loaded, or the system is not Linux', () => {
  /** Runs a command line in a process that simulates this. */
  function elsewhere(platform: string, words: string[]): SpawnSyncReturns<string> {
    using scratch = new Scratch();
    const lie = scratch.file('elsewhere.cjs');
    writeFileSync(
      lie,
      `const Module = require('node:module'), resolve = Module._resolveFilename;
       Module._resolveFilename = (name, ...rest) => {
         if (/^(koffi|@koromix)/.test(name)) throw new Error('it does not exist');
         return resolve(name, ...rest);
       };
       const open = process.dlopen;
       process.dlopen = (module, file, ...rest) => {
         if (file.includes('koffi')) throw new Error('it is not there');
         return open.call(process, module, file, ...rest);
       };
       Object.defineProperty(process, 'platform', { value: '${platform}' });`,
    );
    const env = { ...process.env, NODE_OPTIONS: `--require ${lie}` };
    return spawnSync(process.execPath, [cli, ...words], {
      encoding: 'latin1',
      cwd: root,
      env,
      timeout: 60_000,
    });
  }

  for (const platform of ['linux', 'darwin', 'win32']) {
    test(`guests run on the software CPU, and KVM is refused with a message: ${platform}`, () => {
      using scratch = new Scratch();
      const image = scratch.file('guest.bin');
      // MOV AL, 'A'; OUT E9h, AL; HLT
      writeFileSync(image, Uint8Array.of(0xb0, 0x41, 0xe6, 0xe9, 0xf4));
      const ran = elsewhere(platform, ['run', image]);
      assert.equal(ran.stdout, 'A', ran.stderr);
      assert.match(ran.stderr, /^terrarium: soft: halted after 2 exits/);
      const refused = elsewhere(platform, ['run', image, '--engine', 'kvm']);
      assert.equal(refused.status, 4);
      assert.match(refused.stderr, platform === 'linux' ? /koffi.*could not be loaded/ : /KVM needs Linux/);
    });
  }
});

describe('engine auto', () => {
  test('selects KVM without a message where KVM works', { skip: noKvm }, () => {
    const { engine, because } = chooseEngine('auto');
    assert.deepEqual({ name: engine.name, because }, { name: 'kvm', because: undefined });
  });

  test('selects the software CPU where the device is missing or is not KVM’s', () => {
    const missing = chooseEngine('auto', { device: '/dev/no-such-kvm' });
    assert.equal(missing.engine.name, 'soft');
    assert.equal(missing.because, 'there is no /dev/no-such-kvm on this host');
    const wrong = chooseEngine('auto', { device: '/dev/null' });
    assert.equal(wrong.engine.name, 'soft');
    assert.match(wrong.because ?? '', /^\/dev\/null does not work here \(.*is not the KVM device/);
  });

  test('refuses an unknown name, here and on a thread', async () => {
    const hosted = { image: loadImage('guests/khw-real').image, engine: 'bochs' as 'auto' };
    assert.throws(() => chooseEngine('bochs' as 'auto'), /there is no engine 'bochs'/);
    await assert.rejects(hostMachine(hosted), /"engine" is "bochs", not one of auto, kvm, soft/);
  });

  test('32-bit paging goes to the software CPU where this KVM refuses it', { skip: noKvm }, (t) => {
    const { image, spec } = loadImage('guests/khw-paged');
    const refused = (() => {
      try {
        new Machine({ engine: kvmEngine(), image, mode: 'paged' })[Symbol.dispose]();
        return false;
      } catch (error) {
        if (error instanceof EngineLimit) return true;
        throw error;
      }
    })();
    if (!refused) return t.skip('SKIPPED: this host’s KVM can do 32-bit paging');
    const { engine, because } = chooseEngine('auto', { mode: 'paged' });
    assert.equal(engine.name, 'soft');
    assert.equal(because, 'this host’s KVM cannot do 32-bit paging (--mode paged)');
    assert.equal(spec.mode, 'paged');
  });

  test('is the default of createMachine and hostMachine', { skip: noKvm }, async () => {
    using machine = createMachine({ image: 'guests/khw-real' });
    assert.equal(machine.engine.name, 'kvm');
    await using hosted = await hostMachine({ image: loadImage('guests/khw-real').image, mode: 'real' });
    assert.equal(hosted.engine, 'kvm');
    assert.equal(hosted.engineBecause, undefined);
  });
});
