/**
 * Debian's stock kernel to a shell of busybox, by each of its protocols: some 10 s of a processor each. TERRARIUM_DEBIAN names the root
 * of an unpacked system, where the packages are not installed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';

const system = process.env.TERRARIUM_DEBIAN ?? '/';
const boot = path.join(system, 'boot');
const [kernel] = existsSync(boot)
  ? readdirSync(boot)
      .filter((name) => /^vmlinuz-.*amd64$/.test(name))
      .map((name) => path.join(boot, name))
  : [];
const busybox = path.join(system, 'bin/busybox');
const missing =
  kernel !== undefined && existsSync(busybox)
    ? false
    : 'SKIPPED: no Debian kernel here: apt-get install linux-image-cloud-amd64 busybox-static';

const INIT = `#!/bin/busybox sh
echo "userspace of $(/bin/busybox uname -m): $(/bin/busybox expr 6 '*' 7)"
/bin/busybox poweroff -f
`;

/** An archive as the kernel unpacks it: cpio's format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */
function cpio(files: readonly [name: string, mode: number, content: Uint8Array][]): Uint8Array {
  const parts: Buffer[] = [];
  const pad = (length: number) => Buffer.alloc((4 - (length % 4)) % 4);
  for (const [name, mode, content] of [...files, ['TRAILER!!!', 0, new Uint8Array()] as const]) {
    const fields = [1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const head = Buffer.from(
      `070701${fields.map((one) => one.toString(16).padStart(8, '0')).join('')}${name}\0`,
    );
    parts.push(head, pad(head.length), Buffer.from(content), pad(content.length));
  }
  return Buffer.concat(parts);
}

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

describe('Debian’s kernel reaches a shell', { skip: missing }, () => {
  const bzImage = missing ? new Uint8Array() : new Uint8Array(readFileSync(kernel!));
  const root = (): [string, number, Uint8Array][] => [
    ['bin', 0o40755, new Uint8Array()],
    ['bin/busybox', 0o100755, readFileSync(busybox)],
  ];
  const init = Buffer.from(INIT);

  function reaches(options: Pick<MachineOptions, 'image' | 'as'>): void {
    let console = '';
    using machine = createMachine({
      engine: 'soft',
      ...options,
      append: 'console=ttyS0 nokaslr panic=-1',
      // Two archives in a row, as --initrd given twice.
      beside: {
        initrds: [
          { text: 'system', bytes: cpio(root()) },
          { text: 'init', bytes: cpio([['init', 0o100755, init]]) },
        ],
      },
      output: (bytes) => {
        console += Buffer.from(bytes).toString('latin1');
      },
    });
    const outcome = machine.run({ timeoutMs: 300_000 });
    assert.match(console, /userspace of x86_64: 42/, `${outcome.reason}\n${console.slice(-2000)}`);
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
