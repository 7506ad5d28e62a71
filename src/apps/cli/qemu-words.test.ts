import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromQemu } from './qemu-words.js';

const ours = (line: string) => fromQemu(line.split(' ')).words.join(' ');

describe('QEMU’s options', () => {
  const cases: [theirs: string, ours: string][] = [
    ['-kernel k -initrd i -append a', 'k --initrd i --append a'],
    ['-nographic -serial mon:stdio -m 512 -kernel k', '--memory 512M k'],
    ['-m size=1g -smp 1 -enable-kvm -kernel k', '--memory 1G --engine kvm k'],
    ['-smp cpus=4,cores=2 -kernel k', '--smp 4 k'],
    ['-hda d.img', 'd.img --as disk'],
    ['-hda d.img -hdb e.img -boot order=c', 'd.img --as disk --disk e.img --boot c'],
    ['-fda f.img -boot a', 'f.img --boot a'],
    ['-boot d -cdrom c.iso -vga std', 'c.iso --boot d --vga'],
    ['-drive format=raw,file=d.img,if=floppy', 'd.img'],
    ['-kernel k -hda d.img -machine q35,accel=tcg', 'k --disk d.img --engine soft'],
    ['k.elf -m 64', 'k.elf --memory 64M'],
    ['-bios b.rom -hda d', 'd --as disk --firmware b.rom'],
    [
      '-fw_cfg name=opt/a,file=f -fw_cfg opt/b,string=x -bios r',
      '--fw-cfg opt/a=f --fw-cfg opt/b=string:x --firmware r',
    ],
    ['-s -S -kernel k', '--gdb=1234 k'],
    [
      '-netdev user,id=n,hostfwd=tcp::8080-:80 -device virtio-net-pci,netdev=n -hda d',
      'd --as disk --net user,forward=8080:80',
    ],
    ['-nic user,model=e1000 -kernel k', '--net user,model=e1000 k'],
    ['-net nic -net user -kernel k', '--net user k'],
    ['-nic none -kernel k', 'k'],
    ['-rtc base=utc -usb -parallel none -device isa-debug-exit -device VGA -kernel k', '--vga k'],
    ['-nic tap,ifname=tap0 -kernel k', '--net tap=tap0 k'],
  ];
  for (const [theirs, expected] of cases) test(theirs, () => assert.equal(ours(theirs), expected));

  test('are reported with ours', () => {
    const { note } = fromQemu(['-kernel', 'k', '-append', 'a b']);
    assert.equal(note, "terrarium: QEMU’s options in ours: terrarium run k --append 'a b'");
  });

  test('are left alone where they are ours, or another program’s', () => {
    const line = 'kernel.elf --memory 64M --append -kernel --timeout 2s';
    assert.deepEqual(fromQemu('k --trace --memory 64M'.split(' ')), {
      words: ['k', '--trace', '--memory', '64M'],
    });
    assert.deepEqual(fromQemu(['k', '--', '-hda', 'x']).words, ['k', '--', '-hda', 'x']);
    assert.deepEqual(fromQemu(line.split(' ')).words.join(' '), line);
  });

  test('are answered where nothing here does it', () => {
    assert.throws(() => fromQemu(['-smp', 'cores=4']), /how many CPUs/);
    assert.throws(() => fromQemu(['-serial', 'tcp::4444']), /serial port/);
    assert.throws(() => fromQemu(['-nic', 'bridge']), /a network of bridge/);
    assert.throws(() => fromQemu(['-device', 'ivshmem']), /-device ivshmem is QEMU’s/);
    assert.throws(() => fromQemu(['-device', 'isa-debug-exit,iobase=0xf4,iosize=4']), {
      hint: /port 0xf4 ends/,
    });
    assert.throws(() => fromQemu(['-d', 'int']), { hint: /--trace/ });
    assert.throws(() => fromQemu(['-kernel']), /value is missing/);
  });
});
