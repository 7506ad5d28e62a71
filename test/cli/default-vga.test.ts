/**
 * A guest that writes to a PC's screen without a request for one: it has a screen, and its text is reported at the end.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { MachineSpec } from '../../src/config/index.js';
import { withVga } from '../../src/pc/index.js';
import { noKvm, Scratch, terrarium } from '../support.js';

/** MOV AX, segment; MOV DS, AX; MOV WORD [0], 'H' in grey; MOV WORD [2], 'i'; CLI; HLT */
const writesTo = (segment: number) =>
  Uint8Array.from(
    [
      [0xb8, segment & 0xff, segment >> 8, 0x8e, 0xd8],
      [0xc7, 0x06, 0x00, 0x00, 0x48, 0x07, 0xc7, 0x06, 0x02, 0x00, 0x69, 0x07, 0xfa, 0xf4],
    ].flat(),
  );

describe('a guest that draws', () => {
  for (const engine of ['soft', 'kvm']) {
    test(`without a visible screen, on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      using scratch = new Scratch();
      const run = (segment: number, ...options: string[]) => {
        writeFileSync(scratch.file('k.bin'), writesTo(segment));
        const { status, stderr } = terrarium(['run', scratch.file('k.bin'), '--engine', engine, ...options]);
        assert.equal(status, 0, stderr);
        return stderr;
      };
      assert.match(run(0xb800), /on the guest's screen \(see it with --screen.*\):\n {2}Hi\n$/);
      assert.match(run(0xb800, '--memory', '64K'), /\n {2}Hi\n$/);
      assert.match(run(0xa000), /video memory that its screen's mode does not show.*docs\/vga\.md/);
      for (const segment of [0xb800, 0xa000])
        assert.match(run(segment, '--no-vga'), /addresses of a PC's screen, and its machine has none: --vga/);
      // An empty screen is not reported, and with --quiet no screen is.
      assert.doesNotMatch(run(0x1000), /screen/);
      assert.equal(run(0xb800, '--quiet'), '');
    });
  }
});

describe('the VGA that commands add', () => {
  const image = (bytes: number) => parseImage(new Uint8Array(bytes).fill(0x90), 'k.bin');
  const vgaOf = (spec: MachineSpec, bytes = 16) => withVga({ image: image(bytes), spec }).vga;

  test('is left out where the guest uses its addresses, or on request', () => {
    const KIB = 1024;
    assert.equal(vgaOf({}), true);
    assert.equal(vgaOf({ vga: false }), false);
    assert.equal(vgaOf({ memory: 64 * KIB }), true);
    assert.equal(vgaOf({ memory: 640 * KIB }), true);
    assert.equal(vgaOf({ standardDevices: false }), undefined);
    // RAM that ends in the hole: the boot tables are there.
    assert.equal(vgaOf({ memory: 700 * KIB }), undefined);
    assert.equal(vgaOf({ load: 0xb0000 }), undefined);
    assert.equal(vgaOf({ load: 0xc0000 }), true);
    assert.equal(vgaOf({ stack: 0xa1000 }), undefined);
    assert.equal(vgaOf({ entry: 0xbffff }), undefined);
    assert.equal(vgaOf({ regions: [{ address: 0xb8000, size: 4096 }] }), undefined);
    assert.equal(vgaOf({}, 640 * KIB), undefined, 'neither from 0 up nor down from 1 MiB');
    assert.equal(vgaOf({}, 300 * KIB), undefined, 'down from 1 MiB');
    assert.equal(vgaOf({}, 64 * KIB), true);
    assert.equal(vgaOf({ memory: 64 * KIB }, 65 * KIB), undefined, 'more than RAM');
  });

  test('does not move the stack or the tables of a guest', { skip: noKvm }, () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('k.bin'), Uint8Array.of(0xf4));
    const file = scratch.file('report.json');
    const registersWith = (...options: string[]) => {
      const { stderr } = terrarium([
        'run',
        scratch.file('k.bin'),
        '--mode',
        'long',
        '--dump',
        'regs',
        ...options,
        '--report',
        file,
      ]);
      return /rsp \w+|gdt .*|cr3 .*/.exec(stderr)?.[0];
    };
    assert.ok(registersWith());
    assert.equal(registersWith(), registersWith('--no-vga'));
  });
});
