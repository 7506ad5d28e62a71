/**
 * SeaBIOS, QEMU's firmware, and Bochs' BIOS on this PC: they find the chipset, set it up, and boot from a disk, a
 * floppy and a CD with their own drivers. They are Debian's packages; nothing here was adapted to them.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createMachine } from '../../src/index.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const noSeaBios = existsSync(SEABIOS) ? false : 'SKIPPED: SeaBIOS is not installed: apt-get install seabios';
const BOCHS = '/usr/share/bochs';
const noBochs = existsSync(BOCHS)
  ? false
  : 'SKIPPED: Bochs’ BIOS is not installed: apt-get install bochsbios';
const MESSAGE = 'read by the firmware\n';

/** A boot sector that reads 4 sectors from the second on to 8000 by INT 13h AH=`call`, and prints them to port E9 up to a zero. */
function bootSector(call: 0x02 | 0x42): Uint8Array {
  const sector = new Uint8Array(512);
  const read =
    call === 0x42
      ? [0xb4, 0x42, 0xbe, 0x80, 0x7c, 0xcd, 0x13]
      : [0xb8, 0x04, 0x02, 0xbb, 0x00, 0x80, 0xb9, 0x02, 0x00, 0xb6, 0x00, 0xcd, 0x13];
  // xor ax,ax; mov ds,ax; mov es,ax; …; jc end; mov si,8000; l: lodsb; test al,al; jz end; out e9,al; jmp l; end: cli; hlt
  sector.set([
    0x31,
    0xc0,
    0x8e,
    0xd8,
    0x8e,
    0xc0,
    ...read,
    0x72,
    0x0c,
    0xbe,
    0x00,
    0x80,
    0xac,
    0x84,
    0xc0,
    0x74,
    0x04,
    0xe6,
    0xe9,
    0xeb,
    0xf7,
    0xfa,
    0xf4,
  ]);
  sector.set([16, 0, 4, 0, 0x00, 0x80, 0, 0, 1], 0x80);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

function image(sectors: number, call: 0x02 | 0x42): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  bytes.set(bootSector(call));
  bytes.set(Buffer.from(MESSAGE), 512);
  return bytes;
}

/** An ISO whose boot catalogue (El Torito 1.0) names a boot sector of its own without emulation. */
function iso(): Uint8Array {
  const bytes = new Uint8Array(40 * 2048);
  const view = new DataView(bytes.buffer);
  const text = (at: number, says: string) => bytes.set(Buffer.from(says), at);
  bytes[16 * 2048] = 1;
  text(16 * 2048 + 1, 'CD001\u0001');
  text(17 * 2048, '\0CD001\u0001EL TORITO SPECIFICATION');
  view.setUint32(17 * 2048 + 0x47, 19, true);
  bytes[18 * 2048] = 255;
  text(18 * 2048 + 1, 'CD001\u0001');
  const catalogue = 19 * 2048;
  bytes.set([1, 0], catalogue);
  bytes.set([0x55, 0xaa], catalogue + 30);
  let sum = 0;
  for (let at = 0; at < 32; at += 2) sum += view.getUint16(catalogue + at, true);
  view.setUint16(catalogue + 28, -sum & 0xffff, true);
  bytes.set([0x88, 0, 0, 0, 0, 0, 4, 0, 20], catalogue + 32);
  // The sector loaded is 2 KiB, the message right after its boot code: printed from there.
  bytes.set(
    [
      0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x00, 0x7e, 0xac, 0x84, 0xc0, 0x74, 0x04, 0xe6, 0xe9, 0xeb, 0xf7, 0xfa,
      0xf4,
    ],
    20 * 2048,
  );
  text(20 * 2048 + 512, MESSAGE);
  return bytes;
}

function boot(image: Uint8Array, firmware = SEABIOS) {
  let [printed, log] = ['', ''];
  using machine = createMachine({
    engine: 'soft',
    firmware,
    memory: 64 * 1024 * 1024,
    image,
    devices: [
      {
        name: 'log',
        ports: [{ first: 0x402, count: 1, width: 1 }],
        readPort: () => 0xe9,
        writePort(_port, _size, value) {
          log += String.fromCharCode(value);
        },
      },
    ],
    output: (chunk) => {
      printed += Buffer.from(chunk).toString('latin1');
    },
  });
  const outcome = machine.run({ timeoutMs: 60_000 });
  return { outcome, printed, log };
}

describe('SeaBIOS', { skip: noSeaBios }, () => {
  test('finds QEMU’s chipset and boots a hard disk', () => {
    const { outcome, printed, log } = boot(image(8192, 0x42));
    for (const wanted of [
      /Running on QEMU \(i440fx\)/,
      /Found 5 PCI devices/,
      /PIIX3\/PIIX4 init: elcr=00 0c/,
      /Found 4 serial ports/,
      /Found 1 lpt ports/,
      /PS2 keyboard initialized/,
      /ata0-0: Terrarium disk ATA-6 Hard-Disk \(4 MiBytes\)/,
    ])
      assert.match(log, wanted);
    // The firmware's own text also comes through INT 10h of the VGA's ROM.
    assert.match(printed, /^SeaBIOS \(version .*Booting from Hard Disk/s);
    assert.ok(printed.endsWith(MESSAGE), `${printed}\n${log}`);
    assert.equal(outcome.kind, 'halted');
  });

  test('boots a floppy', () => {
    const { printed, log } = boot(image(2880, 0x02));
    assert.ok(printed.endsWith(MESSAGE), `${printed}\n${log}`);
  });

  test('boots a CD without emulation', () => {
    const { printed, log } = boot(iso());
    assert.match(log, /DVD\/CD \[ata1-0: Terrarium CD-ROM ATAPI-\d DVD\/CD\]/);
    assert.ok(printed.endsWith(MESSAGE), `${printed}\n${log}`);
  });
});

test('VBE is available under another firmware, through the ROM of the display adapter', {
  skip: noSeaBios,
}, () => {
  // mov ax, 4f02; mov bx, 4112 (640 by 480 in 24 bits, linear); int 10; AX to port E9; then the display interface's width and bits.
  const out = [0xe6, 0xe9, 0x88, 0xe0, 0xe6, 0xe9];
  const register = (index: number) => [0xba, 0xce, 0x01, 0xb8, index, 0, 0xef, 0x42, 0xed, ...out];
  const code = [0xb8, 0x02, 0x4f, 0xbb, 0x12, 0x41, 0xcd, 0x10, ...out, ...register(1), ...register(3)];
  const floppy = new Uint8Array(2880 * 512);
  floppy.set([...code, 0xfa, 0xf4]);
  floppy.set([0x55, 0xaa], 510);
  const { printed, outcome } = boot(floppy);
  assert.equal(outcome.kind, 'halted');
  assert.deepEqual([...Buffer.from(printed.slice(-6), 'latin1')], [0x4f, 0, 0x80, 0x02, 24, 0]);
});

describe('Bochs’ BIOS', { skip: noBochs }, () => {
  for (const rom of ['BIOS-bochs-latest', 'BIOS-bochs-legacy', 'BIOS-qemu-latest'])
    test(`${rom} boots a hard disk, a floppy and a CD`, () => {
      for (const [name, bytes] of [
        ['Hard Disk', image(8192, 0x42)],
        ['Floppy', image(2880, 0x02)],
        ['CD-Rom', iso()],
      ] as const) {
        const { outcome, printed, log } = boot(bytes, `${BOCHS}/${rom}`);
        assert.match(printed, new RegExp(`Booting from ${name}`), log);
        assert.ok(printed.endsWith(MESSAGE), `${printed}\n${log}`);
        assert.equal(outcome.kind, 'halted');
      }
    });
});

test('a firmware with an image that no firmware starts is refused', () => {
  for (const [image, kind] of [
    [new Uint8Array([0xf4]), 'a flat image'],
    [readFileSync('guests/multiboot/multiboot.elf'), 'a multiboot kernel'],
  ] as const)
    assert.throws(
      () => createMachine({ engine: 'soft', firmware: noSeaBios ? 'package.json' : SEABIOS, image }),
      (error: Error) => error.message.includes(`firmware starts disks, and this is ${kind}`),
    );
});
