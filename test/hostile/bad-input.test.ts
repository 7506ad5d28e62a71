/**
 * For every error, the command reports what is wrong, where, and what to do, with the documented status, and leaves no
 * files behind.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { Device } from '../../src/devices/contract/index.js';
import { DeviceError, type Outcome } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { compileTestGuest } from '../guests/catalogue.js';
import { cli, holdings, noGcc, noKvm, root, Scratch, terrarium } from '../support.js';

/** The command's complaint: one or two lines on stderr, nothing on stdout, the status of a usage error. */
function complaint(args: string[], status = 2): string {
  const done = terrarium(args);
  assert.equal(done.status, status, done.stderr);
  assert.equal(done.stdout, '');
  assert.match(done.stderr, /^terrarium: /);
  assert.doesNotMatch(done.stderr, /\n\s+at /, 'no stack traces for the caller’s mistakes');
  return done.stderr;
}

describe('an image that cannot be run', () => {
  test('missing, empty, a directory, a special file', () => {
    using scratch = new Scratch();
    const empty = scratch.file('empty.bin');
    writeFileSync(empty, '');
    mkdirSync(scratch.file('folder'));
    assert.match(complaint(['run', '/nowhere/kernel']), /\/nowhere\/kernel: no such file/);
    assert.match(complaint(['run', empty]), /empty\.bin.*empty/);
    assert.match(complaint(['run', scratch.file('folder')]), /a directory without a guest\.json/);
    assert.match(complaint(['run', '/dev/null']), /not a regular file/);
  });

  test('larger than memory, or loaded outside of it', () => {
    using scratch = new Scratch();
    const large = scratch.file('large.bin');
    writeFileSync(large, new Uint8Array(200_000));
    assert.match(complaint(['run', large, '--memory', '64K']), /large\.bin.*65,?536|64K/s);
    assert.match(complaint(['run', large, '--load', '0xfffff000']), /large\.bin/);
  });

  test('ELF: truncated, for another CPU, overlapping, of the wrong class for the mode', () => {
    using scratch = new Scratch();
    const elf = elf64([{ address: 0x100000, bytes: 16 }]);
    const file = (name: string, bytes: Uint8Array) => {
      writeFileSync(scratch.file(name), bytes);
      return scratch.file(name);
    };
    assert.match(
      complaint(['run', file('cut.elf', elf.subarray(0, elf.length - 8))]),
      /cut\.elf.*needs a file of 136 bytes, it has 128.*cut off/s,
    );
    const arm = elf.slice();
    arm[18] = 183;
    assert.match(complaint(['run', file('arm.elf', arm)]), /AArch64|ARM/);
    const overlapping = elf64([
      { address: 0x100000, bytes: 16 },
      { address: 0x100008, bytes: 16 },
    ]);
    assert.match(complaint(['run', file('over.elf', overlapping)]), /overlap/);
    assert.match(complaint(['run', file('long.elf', elf), '--mode', 'protected']), /64-bit code \(ELF64\)/);
  });

  test('a source with an error shows the compiler’s own message', { skip: noGcc }, () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('bad.S'), '.code16\n  mov $1, %nonsense\n');
    const text = complaint(['run', scratch.file('bad.S')]);
    assert.match(text, /bad\.S:2: Error: bad register name/);
  });
});

describe('invalid options', () => {
  const guest = 'guests/lj-kernel2';
  test('memory of 0, not whole pages, over the maximum, not a size', () => {
    assert.match(complaint(['run', guest, '--memory', '0']), /0 bytes/);
    assert.match(complaint(['run', guest, '--memory', '1000000']), /does not start and end on a page/);
    assert.match(
      complaint(['run', guest, '--memory', '5G']),
      /more than a machine can have.*the most is 4064M/s,
    );
    assert.match(complaint(['run', guest, '--memory', 'lots']), /'lots' is not a size/);
  });

  test('an unknown option, command, mode, engine, register', () => {
    assert.match(complaint(['run', guest, '--trase']), /unknown option '--trase'.*--trace/s);
    assert.match(complaint(['rnu', guest]), /unknown command 'rnu'.*run/s);
    assert.match(complaint(['run', guest, '--mode', 'unreal']), /unreal.*reset.*long/s);
    assert.match(complaint(['run', guest, '--engine', 'qemu']), /qemu.*auto, kvm/s);
    assert.match(complaint(['run', guest, '--expect', 'rux=42']), /rux.*rax/s);
    assert.match(complaint(['run', guest, '--timeout', 'soon']), /'soon' is not a duration/);
    assert.match(complaint(['run', guest, '--max-exits', '0']), /'0' is not a whole number from 1/);
    assert.match(complaint(['run']), /missing.*image/);
  });

  test('each command points to its own help', () => {
    const helps = {
      'terrarium --help': ['rnu'],
      'terrarium run --help': ['run', guest, '--trase'],
      'terrarium trace --help': ['trace'],
      'terrarium bench simvirtio --help': ['bench', 'simvirtio', '--rounds', 'many'],
      'terrarium course check --help': ['course', 'check', '--engine', 'qemu'],
    };
    for (const [help, args] of Object.entries(helps))
      assert.ok(complaint(args).endsWith(`\n  see: ${help}\n`));
  });

  test('a report that cannot be written', { skip: noKvm }, () => {
    const done = terrarium(['run', guest, '--report', '/nowhere/report.json']);
    assert.equal(done.status, 2);
    assert.match(done.stderr, /--report: the folder \/nowhere of .* does not exist/);
  });
});

describe('a host without KVM', () => {
  test('doctor reports it, for people and for programs, and that guests run nevertheless', () => {
    const missing = terrarium(['doctor', '--device', '/dev/no-such-kvm']);
    assert.equal(missing.status, 0);
    assert.match(missing.stdout, /ENOENT/);
    assert.match(missing.stdout, /sudo modprobe kvm_intel/);
    assert.match(missing.stdout, /This host can run guests, on the software CPU/);
    assert.match(missing.stdout, /without KVM +guests run on the software CPU/);
    for (const tool of ['C and assembler', 'gdb', 'make'])
      assert.match(missing.stdout, new RegExp(`^.+ ${tool} `, 'm'));
    const json = terrarium(['doctor', '--device', '/dev/null', '--json']);
    assert.equal(json.status, 0);
    const { usable, auto } = JSON.parse(json.stdout);
    assert.deepEqual({ usable, auto }, { usable: false, auto: 'soft' });
  });

  const notRoot =
    process.getuid?.() === 0 ? false : 'SKIPPED: only root can become somebody without permission';
  test('a device without permission: run and doctor say how to get it', {
    skip: notRoot || noKvm,
  }, (t) => {
    const asNobody = (...args: string[]) =>
      spawnSync(
        'setpriv',
        ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, cli, ...args],
        {
          encoding: 'utf8',
          cwd: root,
        },
      );
    if (asNobody('--version').status !== 0) return t.skip('SKIPPED: somebody else cannot run this checkout');
    const doctor = asNobody('doctor');
    if (!doctor.stdout.includes('EACCES')) return t.skip('SKIPPED: /dev/kvm is open to everybody here');
    // A group helps where it may write to the device: src/engine/kvm/api/access.test.ts.
    const [, advice] = /EACCES: (.*)/.exec(doctor.stdout) ?? [];
    assert.match(advice ?? '', /usermod -aG \w+ |setfacl -m u:/);
    const run = asNobody('run', 'guests/lj-kernel2', '--engine', 'kvm');
    assert.equal(run.status, 4);
    assert.equal(run.stderr, `terrarium: /dev/kvm: EACCES: ${advice}\n`);
    assert.match(asNobody('run', 'guests/lj-kernel2').stderr, /^terrarium: soft: halted/);
  });

  test('doctor tests with a guest, not by CPU flags', { skip: noKvm }, () => {
    const json = terrarium(['doctor', '--json']);
    assert.equal(json.status, 0, json.stdout);
    const { usable, checks } = JSON.parse(json.stdout);
    assert.equal(usable, true);
    assert.equal(checks.find(({ name }: { name: string }) => /two instructions/.test(name)).status, 'ok');
  });
});

describe('a guest that misbehaves', { skip: noKvm || noGcc }, () => {
  const run = (name: string, mode: 'auto' | 'long' | 'protected' = 'auto'): Outcome => {
    const image = parseImage(compileTestGuest(name, mode), name);
    using machine = createMachine({ image, mode });
    return machine.run({ timeoutMs: 60_000 });
  };

  test('triple-faults at once', () => {
    assert.equal(run('triple-fault-protected', 'protected').kind, 'shutdown');
    assert.equal(run('triple-fault-long', 'long').kind, 'shutdown');
  });

  test('jumps to an unmapped address or executes garbage: ends by itself, with a message, within its time', () => {
    for (const outcome of [run('jump-nowhere', 'protected'), run('jump-unmapped', 'long'), run('garbage')]) {
      assert.ok(['shutdown', 'engineError', 'halted', 'timeout'].includes(outcome.kind), outcome.reason);
      assert.notEqual(outcome.reason, '');
    }
  });

  test('accesses every port with every size, and every kind of MMIO hole', () => {
    assert.equal(run('every-port').registers.rax & 0xffffn, 0xd0en);
    assert.equal(run('mmio-holes').kind, 'halted');
  });

  test('is refused where its device throws: the error names device and port, and nothing is left behind', () => {
    const broken: Device = {
      name: 'broken',
      ports: [{ first: 0x80, count: 1 }],
      writePort() {
        throw new Error('out of paper');
      },
    };
    const attempt = () => {
      using machine = createMachine({ image: new Uint8Array([0xe6, 0x80, 0xf4]), devices: [broken] });
      machine.run();
    };
    assert.throws(attempt, DeviceError);
    const before = holdings();
    for (let i = 0; i < 50; i++) {
      assert.throws(attempt, {
        code: 'EDEVICE',
        message: /'broken' failed in a write to port 0x80.*out of paper/,
      });
    }
    const after = holdings();
    assert.equal(after.fds, before.fds);
    assert.ok(after.maps <= before.maps, `mappings went from ${before.maps} to ${after.maps}`);
  });

  test('shares its process with another machine', () => {
    const image = new Uint8Array([0xe6, 0xe9, 0xf4]);
    const printed: string[] = [];
    using one = createMachine({ image, output: () => printed.push('one') });
    using two = createMachine({ image, output: () => printed.push('two') });
    assert.equal(two.run().kind, 'halted');
    assert.equal(one.run().kind, 'halted');
    assert.deepEqual(printed, ['two', 'one']);
  });
});

/** A small ELF64 executable of HLTs, by the ELF specification's figures. */
function elf64(segments: { address: number; bytes: number }[]): Uint8Array {
  const headers = 64 + 56 * segments.length;
  const total = segments.reduce((sum, { bytes }) => sum + bytes, headers);
  const view = new DataView(new ArrayBuffer(total));
  const bytes = new Uint8Array(view.buffer);
  bytes.fill(0xf4, headers);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(segments[0]!.address), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = headers;
  for (const [index, segment] of segments.entries()) {
    const at = 64 + 56 * index;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 7, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(segment.address), true);
    view.setBigUint64(at + 24, BigInt(segment.address), true);
    view.setBigUint64(at + 32, BigInt(segment.bytes), true);
    view.setBigUint64(at + 40, BigInt(segment.bytes), true);
    view.setBigUint64(at + 48, 1n, true);
    offset += segment.bytes;
  }
  return bytes;
}
