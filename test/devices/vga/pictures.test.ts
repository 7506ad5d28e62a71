/** The pictures of the VGA guests: on both engines those that are stored here, and QEMU's for the same images. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { parseImage } from '../../../src/boot/index.js';
import { createMachine } from '../../../src/runtime/index.js';
import { type GuestFile, noCompiler, readGuestImage, readGuests, root } from '../../guests/catalogue.js';
import { noKvm } from '../../support.js';
import { noQemu, qemuScreen } from './qemu.js';

interface Pixels {
  width: number;
  height: number;
  rgba: Uint8Array;
}

/** Guests whose last picture is always the same. */
const names = ['vga-text', 'vga-plasma', 'vga-modex', 'vga-400x300', 'multiboot-vga'];
const guests = readGuests().filter(({ name }) => names.includes(name));

function run(guest: GuestFile, engine: 'kvm' | 'soft'): Pixels {
  using machine = createMachine({
    engine,
    image: parseImage(readGuestImage(guest), guest.image),
    memory: guest.memory,
    mode: guest.mode,
    vga: true,
  });
  assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
  const { width, height, rgba } = machine.screen!;
  return { width, height, rgba: Uint8Array.from(rgba) };
}

function golden({ name }: GuestFile): string {
  return path.join(root, 'test/devices/vga', `${name}.png`);
}

function readGolden(guest: GuestFile): Pixels {
  const { width, height, data } = PNG.sync.read(readFileSync(golden(guest)));
  return { width, height, rgba: Uint8Array.from(data) };
}

/** A VGA has six bits per colour; their conversion to eight is not defined. */
const six = (part: number) => part >> 2;

describe('the pictures of the VGA guests', () => {
  for (const guest of guests) {
    // `UPDATE_PICTURES=1` stores the picture of the software CPU's run; then check it, and the result of the test with
    // QEMU.
    test(`${guest.name}, software CPU`, () => {
      const seen = run(guest, 'soft');
      if (process.env.UPDATE_PICTURES) {
        const png = new PNG({ width: seen.width, height: seen.height });
        png.data = Buffer.from(seen.rgba);
        writeFileSync(golden(guest), PNG.sync.write(png, { colorType: 2, deflateLevel: 9 }));
      }
      assert.deepEqual(seen, readGolden(guest));
    });
    test(`${guest.name}, KVM`, { skip: noKvm }, () => {
      assert.deepEqual(run(guest, 'kvm'), readGolden(guest));
    });
  }
});

describe('the pictures beside QEMU’s', { skip: noQemu || noCompiler }, () => {
  for (const guest of guests) {
    test(guest.name, async (t) => {
      const ours = readGolden(guest);
      const theirs = await qemuScreen(readGuestImage(guest));
      // QEMU shows each pixel as often as the monitor would.
      const [across, down] = [theirs.width / ours.width, theirs.height / ours.height];
      assert.ok(Number.isInteger(across) && Number.isInteger(down), `${theirs.width} × ${theirs.height}`);
      const skipped = notCompared(guest);
      let different = 0;
      let compared = 0;
      for (let y = 0; y < theirs.height; y++) {
        for (let x = 0; x < theirs.width; x++) {
          const [px, py] = [Math.floor(x / across), Math.floor(y / down)];
          if (skipped(px, py)) continue;
          const [at, its] = [(py * ours.width + px) * 4, (y * theirs.width + x) * 3];
          compared++;
          for (let part = 0; part < 3; part++) {
            if (six(ours.rgba[at + part]!) !== six(theirs.rgb[its + part]!)) {
              different++;
              break;
            }
          }
        }
      }
      t.diagnostic(`${compared} pixels compared`);
      assert.equal(different, 0);
    });
  }
});

/** Where QEMU differs, and hardware does not: see README.md. */
function notCompared({ name }: GuestFile): (x: number, y: number) => boolean {
  if (name !== 'vga-text') return () => false;
  const inRow = (y: number, row: number) => y >= row * 16 && y < row * 16 + 16;
  const cursor = (x: number, y: number) => inRow(y, 3) && x >= 54 * 9 && x < 55 * 9;
  return (x, y) => cursor(x, y) || inRow(y, 21);
}
