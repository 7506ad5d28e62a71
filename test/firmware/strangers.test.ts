/** Programs that start without an operating system, unchanged from Debian's packages: iPXE, memtest86+, and Debian's kernel from GRUB. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type KeyEvent, strokesOf } from '../../src/devices/keyboard/index.js';
import { boot, debian, grubCd, noDebian, noFastKvm, noGrub, without } from './systems.js';
import { initialFiles, userspace } from './userspace.js';

const IPXE = '/boot/ipxe.lkrn';
const MEMTEST = '/boot/memtest86+x64.bin';
const BANNER = /iPXE .* -- Open Source Network Boot Firmware/;
const CTRL_B: KeyEvent[] = [
  { name: 'ControlLeft', down: true },
  { name: 'KeyB', down: true },
  { name: 'KeyB', down: false },
  { name: 'ControlLeft', down: false },
];
const engines = [
  { engine: 'soft', unable: false },
  { engine: 'kvm', unable: noFastKvm },
] as const;

describe('iPXE', { skip: without({ [IPXE]: 'ipxe' }) }, () => {
  for (const { engine, unable } of engines)
    test(`as a Linux kernel, which only has a 16-bit entry, reaches its prompt on ${engine}`, {
      skip: unable,
    }, () => {
      const { printed } = boot({ image: IPXE, engine }, (said) => /\nhi\r?\n/.test(said), [
        { when: /Press Ctrl-B/, press: CTRL_B },
        { when: /iPXE>/, press: [...strokesOf('echo hi\n')] },
      ]);
      assert.match(printed, BANNER);
      assert.match(printed, /iPXE> echo hi\r?\nhi\r?\n/);
    });
});

test('memtest86+ tests memory, and finds no fault', { skip: without({ [MEMTEST]: 'memtest86+' }) }, () => {
  const memory = 16 * 1024 * 1024;
  const { screen } = boot({ image: MEMTEST, memory, vga: true, machine: 'pc' }, (_, rows) =>
    rows().some((row) => /Test #[2-9]/.test(row)),
  );
  const text = screen.join('\n');
  assert.match(text, /Memtest86\+ v6/);
  assert.match(text, /Test #[2-9]/);
  assert.match(text, /Memory {2}: {3}16MB/);
  assert.match(text, /Errors: 0/);
});

test('Debian’s kernel goes from GRUB’s CD to userspace', { skip: noGrub || noDebian }, () => {
  const image = grubCd('debian', 'linux /boot/vmlinuz console=ttyS0 nokaslr panic=-1\ninitrd /boot/initrd', {
    'boot/vmlinuz': { file: debian!.kernel },
    'boot/initrd': initialFiles(readFileSync(debian!.busybox)),
  });
  const { outcome, printed, screen } = boot({ image, memory: 256 * 1024 * 1024 });
  assert.match(printed, userspace, printed.slice(-2000));
  assert.match(screen.join('\n'), /Booting `debian'/);
  assert.equal(outcome.kind, 'poweredOff');
});
