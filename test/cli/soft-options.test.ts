/** Every option of `terrarium run` has the same effect on the software CPU as on KVM, or is refused with a message. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

// Named machines only of these tests, all removed at the end.
const place = new Scratch();
process.env.XDG_RUNTIME_DIR = place.path;
after(() => place[Symbol.dispose]());

const device = `export default () => ({
  name: 'answers', ports: [{ first: 0x99, count: 1 }], readPort: () => 42, writePort() {},
});`;
const hypercalls = `export default () => ({ 64: { name: 'own', handle: () => 0 } });`;

interface Row {
  option: string;
  args: (file: (name: string, text?: string) => string) => string[];
  /** Exit status; default 0. */
  status?: number;
  stdout?: RegExp;
  stderr?: RegExp;
  /** A file that the run leaves. */
  leaves?: string;
}

const rows: Row[] = [
  {
    // Each of its 338 letters is five instructions after the one before, and HLT the sixth after the last.
    option: '--stat',
    args: () => ['guests/hello', '--stat'],
    stderr:
      /^exit +where +device .* instructions +median +handle ms.*\nio out +0x00e9 +debug-console +338 +338 +338 +1690 +5 .*\nhalt +1 +0 +0 +6 +6 .*\n339 exits; 1696 instructions run, /m,
  },
  { option: '--trace', args: () => ['guests/hello', '--trace'], stderr: /out +0x00e9/ },
  {
    option: '--trace=FILE',
    args: (file) => ['guests/hello', `--trace=${file('t.json')}`],
    leaves: 't.json',
  },
  { option: '--report', args: (file) => ['guests/hello', '--report', file('r.json')], leaves: 'r.json' },
  {
    option: '--expect, held',
    args: () => ['guests/khw-long', '--expect', 'rax=42', '--expect', 'mem64[0x400]=42'],
  },
  {
    option: '--expect, not held',
    args: () => ['guests/khw-long', '--expect', 'rax=43'],
    status: 1,
    stderr: /rax/,
  },
  { option: '--irqchip user', args: () => ['guests/tick-real', '--irqchip', 'user'] },
  { option: '--irqchip none', args: () => ['guests/khw-real', '--irqchip', 'none'] },
  {
    option: '--irqchip split',
    args: () => ['guests/tick-real', '--irqchip', 'split'],
    status: 2,
    stderr: /no interrupt controllers of its own.*--irqchip user/s,
  },
  {
    option: '--irqchip kernel',
    args: () => ['guests/tick-real', '--irqchip', 'kernel'],
    status: 2,
    stderr: /no interrupt controllers of its own.*--irqchip user/s,
  },
  { option: '--simvirtio exits', args: () => ['guests/simvirtio-hello', '--simvirtio', 'exits'] },
  { option: '--simvirtio polling', args: () => ['guests/simvirtio-hello', '--simvirtio', 'polling'] },
  {
    option: '--device',
    // in al, 0x99; hlt
    args: (file) => [file('in.bin', '\xe4\x99\xf4'), '--device', file('d.mjs', device), '--expect', 'al=42'],
  },
  {
    option: '--hypercalls',
    args: (file) => ['guests/hypercalls', '--hypercalls', file('h.mjs', hypercalls)],
  },
  { option: '--region', args: () => ['guests/khw-long', '--region', '0x40000000:64K:ro'] },
  { option: '--max-exits', args: () => ['guests/hello', '--max-exits', '5'], stderr: /5 exits/, status: 124 },
  {
    option: '--timeout',
    args: () => ['guests/lj-kernel1', '--timeout', '50ms'],
    stderr: /timed out|50 ms/,
    status: 124,
  },
  { option: '--type', args: () => ['guests/keyboard-irq', '--type', 'Hi\\e'], stdout: /Hi/ },
  {
    option: '--vga, --screenshot',
    args: (file) => ['guests/vga-text', '--vga', '--screenshot', file('s.png')],
    leaves: 's.png',
  },
  {
    option: '--dump, --why',
    args: () => ['guests/hello', '--dump', 'regs,gdt,pages', '--why'],
    stderr: /rip/,
  },
  { option: '--clock wall', args: () => ['guests/tick-real', '--clock', 'wall'] },
  { option: '--ips', args: () => ['guests/tick-real', '--ips', '1000000'] },
  { option: '--seed', args: () => ['guests/hypercalls', '--seed', '7'] },
  { option: '--no-coalesce', args: () => ['guests/khw-real', '--no-coalesce'], stdout: /^Hello, world!\n$/ },
  { option: '--quiet', args: () => ['guests/khw-real', '--quiet'], stderr: /^$/ },
];

describe('terrarium run --engine soft', () => {
  for (const { option, args, status = 0, stdout, stderr, leaves } of rows) {
    test(option, () => {
      using scratch = new Scratch();
      const file = (name: string, text?: string) => {
        if (text !== undefined) writeFileSync(scratch.file(name), text, 'latin1');
        return scratch.file(name);
      };
      // Not the guest's own limit, which a busy host may pass.
      const ran = terrarium(['run', '--timeout', '60s', ...args(file), '--engine', 'soft']);
      assert.equal(ran.status, status, ran.stderr);
      if (stdout) assert.match(ran.stdout, stdout);
      if (stderr) assert.match(ran.stderr, stderr);
      if (leaves) assert.ok(existsSync(file(leaves)) && readFileSync(file(leaves)).length > 0);
    });
  }

  test('--name, --detach; then ps and stop', () => {
    using scratch = new Scratch();
    const name = 'spinner';
    const guest = scratch.file('spin.bin');
    writeFileSync(guest, Uint8Array.of(0xeb, 0xfe));
    const ran = terrarium(['run', guest, '--engine', 'soft', '--name', name, '--detach']);
    assert.equal(ran.status, 0, ran.stderr);
    try {
      assert.match(terrarium(['ps']).stdout, new RegExp(`^${name} +\\d+ +soft `, 'm'));
    } finally {
      assert.equal(terrarium(['stop', name]).status, 0);
    }
    assert.doesNotMatch(terrarium(['ps']).stdout, new RegExp(`^${name} `, 'm'));
    terrarium(['rm', name]);
  });

  test('errors in an image or an option are reported as on KVM', () => {
    using scratch = new Scratch();
    const large = scratch.file('large.bin');
    writeFileSync(large, new Uint8Array(200_000));
    const wrong: [args: string[], says: RegExp][] = [
      [['/nowhere/kernel'], /\/nowhere\/kernel: no such file/],
      [['/dev/null'], /not a regular file/],
      [[large, '--memory', '64K'], /large\.bin/],
      [['guests/hello', '--memory', '100'], /memory/],
      [['guests/hello', '--memory', '64G'], /memory/i],
      [['guests/hello', '--expect', 'nonsense'], /nonsense/],
      [['guests/hello', '--device', '/nowhere.mjs'], /nowhere\.mjs/],
    ];
    for (const [args, says] of wrong) {
      const ran = terrarium(['run', ...args, '--engine', 'soft']);
      assert.ok(ran.status === 2 || ran.status === 4, `${args.join(' ')}: ${ran.status} ${ran.stderr}`);
      assert.match(ran.stderr, says);
      assert.doesNotMatch(ran.stderr, /\n +at /, 'no stack');
    }
  });
});
