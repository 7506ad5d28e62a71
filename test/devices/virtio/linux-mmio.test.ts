/** Debian's stock kernel finds virtio devices without PCI in ACPI's tables, and drives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Drives, MemoryDisk } from '../../../src/devices/index.js';
import { bootLinux, initial, noVirtioLinux } from './debian.js';

const SCRIPT = `
echo rng: $(cat /sys/class/misc/hw_random/rng_current)
echo random: $(dd if=/dev/hwrng bs=32 count=1 2>/dev/null | wc -c)
echo disk: $(dd if=/dev/vda bs=512 skip=3 count=1 2>/dev/null | head -c 11)
echo -n 'from the guest' | dd of=/dev/vda bs=512 seek=9 conv=notrunc,fsync 2>/dev/null
grep -c virtio /proc/interrupts
`;

test('Debian’s kernel drives a disk and a source of entropy by registers in memory', {
  skip: noVirtioLinux,
}, () => {
  const bytes = Buffer.alloc(2048 * 512);
  bytes.write('on the disk', 3 * 512);
  const drives = new Drives([{ name: 'vd0', kind: 'virtio', file: 'disk.img', disk: new MemoryDisk(bytes) }]);
  const { said, end } = bootLinux(initial(['mmio', 'blk', 'rng'], SCRIPT), {
    virtio: ['rng'],
    virtioBus: 'mmio',
    drives,
  });
  for (const expected of [/rng: virtio_rng/, /random: 32/, /disk: on the disk/, /^2\r?$/m])
    assert.match(said, expected, `${end}\n${said}`);
  assert.equal(bytes.toString('latin1', 9 * 512, 9 * 512 + 14), 'from the guest');
});
