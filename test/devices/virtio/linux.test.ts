/** Debian's stock kernel drives the virtio devices with its own modules; QEMU's devices are driven by the same script. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Drives, MemoryDisk } from '../../../src/devices/index.js';
import { Scratch } from '../../support.js';
import { bootInQemu, bootLinux, initial, noQemu, noVirtioLinux } from './debian.js';

const SECTORS = 8 * 2048;

/** The initial content of a disk: each sector begins with its number. */
function numbered(): Buffer {
  const bytes = Buffer.alloc(SECTORS * 512);
  for (let sector = 0; sector < SECTORS; sector++) bytes.writeUInt32LE(sector, sector * 512);
  return bytes;
}

/** The output of the script, without that of the firmware before and of the kernel at its end. */
const results = (said: string) => /size.*records out/s.exec(said)?.[0];

const SCRIPT = `
cd /sys/block/vda
echo size $(cat size) serial $(cat serial) ro $(cat ro) cache $(cat queue/write_cache)
md5sum < /dev/vda
dd if=/dev/zero bs=4096 count=3 2>/dev/null | tr '\\0' 'v' | dd of=/dev/vda bs=4096 seek=100 conv=fsync 2>/dev/null
echo -n 'written by Linux' | dd of=/dev/vda bs=1 seek=5000 conv=notrunc,fsync 2>/dev/null
blkdiscard -o 1048576 -l 65536 /dev/vda 2>&1
dd if=/dev/vda bs=64k of=/dev/null 2>&1 | grep records
`;

describe('Debian’s kernel', { skip: noVirtioLinux }, () => {
  test('reads and writes a virtio disk like QEMU’s', { skip: noQemu }, () => {
    using scratch = new Scratch();
    const initrd = initial(['blk'], SCRIPT);
    const bytes = numbered();
    const drives = new Drives([
      { name: 'vd0', kind: 'virtio', file: 'disk.img', disk: new MemoryDisk(bytes), serial: 'TERRA-1' },
    ]);
    const { said, end } = bootLinux(initrd, { drives });
    const file = scratch.file('disk.img');
    writeFileSync(file, numbered());
    const theirs = bootInQemu(initrd, [
      '-drive',
      `file=${file},format=raw,if=none,id=d`,
      '-device',
      'virtio-blk-pci,drive=d,serial=TERRA-1,disable-legacy=on',
    ]);
    assert.match(said, /size 16384 serial TERRA-1 ro 0/, `${end}\n${said}`);
    assert.equal(results(said), results(theirs), end);
    assert.ok(bytes.equals(readFileSync(file)), 'the disks differ');
    assert.equal(bytes.toString('latin1', 5000, 5016), 'written by Linux');
  });
});
