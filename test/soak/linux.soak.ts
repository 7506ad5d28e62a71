/**
 * Debian's stock kernel to a shell of busybox, by each of its protocols: some 10 s of a processor each. TERRARIUM_DEBIAN names the root
 * of an unpacked system, where the packages are not installed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { boot, debian, noDebian, without } from '../firmware/systems.js';
import { init, system, userspace } from '../firmware/userspace.js';

const IPXE_CD = '/usr/lib/ipxe/ipxe.iso';
const MEMTEST = '/boot/memtest86+x64.bin';

/** The ELF file in a bzImage that LZ4 packed (its legacy frame, lz4_Frame_format.md). */
function unpacked(bzImage: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  const start = (view.getUint8(0x1f1) + 1) * 512 + view.getUint32(0x248, true);
  const end = start + view.getUint32(0x24c, true) - 4;
  if (view.getUint32(start, true) !== 0x184c2102) return undefined;
  const out = new Uint8Array(view.getUint32(end, true));
  let to = 0;
  for (let at = start + 4; at < end; ) {
    const blockEnd = at + 4 + view.getUint32(at, true);
    at += 4;
    const more = (length: number): number => {
      let sum = length;
      for (let byte = 255; byte === 255; sum += byte) byte = bzImage[at++]!;
      return sum;
    };
    while (at < blockEnd) {
      const token = bzImage[at++]!;
      const literals = token >> 4 === 15 ? more(15) : token >> 4;
      out.set(bzImage.subarray(at, at + literals), to);
      at += literals;
      to += literals;
      if (at >= blockEnd) break;
      const from = to - view.getUint16(at, true);
      at += 2;
      const length = ((token & 15) === 15 ? more(15) : token & 15) + 4;
      for (let n = 0; n < length; n++) out[to + n] = out[from + n]!;
      to += length;
    }
  }
  return out;
}

describe('Debian’s kernel reaches a shell', { skip: noDebian }, () => {
  const bzImage = debian === undefined ? new Uint8Array() : new Uint8Array(readFileSync(debian.kernel));

  function reaches(options: Pick<MachineOptions, 'image' | 'as'>): void {
    let console = '';
    using machine = createMachine({
      engine: 'soft',
      ...options,
      append: 'console=ttyS0 nokaslr panic=-1',
      // Two archives in a row, as --initrd given twice.
      beside: {
        initrds: [
          { text: 'system', bytes: system(readFileSync(debian!.busybox)) },
          { text: 'init', bytes: init() },
        ],
      },
      output: (bytes) => {
        console += Buffer.from(bytes).toString('latin1');
      },
    });
    const outcome = machine.run({ timeoutMs: 20 * 60_000 });
    assert.match(console, userspace, `${outcome.reason}\n${console.slice(-2000)}`);
  }

  for (const as of ['linux64', 'linux32', 'linux16'] as const)
    test(`by ${as}`, () => reaches({ image: bzImage, as }));

  test('by PVH, and by the 64-bit entry of its vmlinux', (t) => {
    const image = unpacked(bzImage);
    if (image === undefined) return t.skip('SKIPPED: this kernel is not packed with LZ4');
    reaches({ image });
    reaches({ image, as: 'linux64' });
  });
});

test('memtest86+ completes a pass over 16 MiB without an error', {
  skip: without({ [MEMTEST]: 'memtest86+' }),
}, () => {
  const memory = 16 * 1024 * 1024;
  // Four minutes of the guest's time, two of them for tests that wait for memory to lose bits.
  const { screen } = boot(
    { image: MEMTEST, memory, vga: true, machine: 'pc' },
    (_, rows) => rows().some((row) => /Pass: +[1-9]/.test(row)),
    [],
    20 * 60_000,
  );
  const text = screen.join('\n');
  assert.match(text, /Pass: +1 +Errors: 0/, text);
});

test('iPXE starts from its CD, by ISOLINUX', { skip: without({ [IPXE_CD]: 'ipxe' }) }, () => {
  const { printed } = boot({ image: IPXE_CD }, (said) => /iPXE .* -- Open Source/.test(said));
  assert.match(printed, /ISOLINUX/);
  assert.match(printed, /iPXE .* -- Open Source/);
});
