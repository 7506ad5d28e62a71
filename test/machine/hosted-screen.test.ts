/** Pictures of a machine on its own thread: while it runs, at a moment, and afterwards. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import type { Picture } from '../../src/devices/contract/index.js';
import { hostMachine, loadImage } from '../../src/runtime/index.js';

const golden = (name: string) => PNG.sync.read(readFileSync(`test/devices/vga/${name}.png`));

async function host(guest: string, more: Partial<Parameters<typeof hostMachine>[0]> = {}) {
  const { image, spec } = loadImage(`guests/${guest}`);
  return hostMachine({ image, engine: 'soft', ...spec, ...more });
}

describe('a hosted machine’s screen', () => {
  test('is available when the run has ended, and so is the memory that it shows', async () => {
    await using machine = await host('vga-plasma');
    const before = await machine.screen();
    assert.deepEqual([before!.width, before!.height], [720, 400]);
    assert.equal(machine.memory.read16(0xb8000), 0x0720);
    await machine.run({ timeoutMs: 60_000 });
    const { width, height, rgba } = (await machine.screen())!;
    assert.deepEqual([width, height], [320, 200]);
    assert.deepEqual(Buffer.from(rgba), golden('vga-plasma').data);
    // The text mode has ended, and A0000 has pixels now.
    assert.equal(machine.memory.contains(0xb8000, 2), false);
    assert.equal(machine.memory.contains(0xa0000, 0x10000), true);
  });

  test('comes as frames while the guest runs, one at a time, and the parts form the whole picture', async () => {
    await using machine = await host('vga-plasma', { frames: true });
    const sizes = new Set<string>();
    let frames = 0;
    let [showing, most] = [0, 0];
    machine.onFrame(async ({ width, height, rgba, changed }: Picture) => {
      most = Math.max(most, ++showing);
      frames++;
      sizes.add(`${width}x${height}`);
      assert.equal(rgba.length, width * height * 4);
      assert.ok(changed !== undefined && changed.x + changed.width <= width);
      await new Promise((resolve) => setTimeout(resolve, 5));
      showing--;
    });
    assert.equal((await machine.run({ timeoutMs: 60_000 })).kind, 'halted');
    assert.ok(frames >= 2, `${frames} frames`);
    assert.ok(sizes.has('320x200'), [...sizes].join());
    assert.equal(most, 1);
  });

  test('is taken at the requested moment, and once', async () => {
    await using machine = await host('vga-plasma', { captureAt: [{ at: 'exit', exit: 3 }] });
    const taken: Picture[] = [];
    machine.onCaptured((picture) => taken.push(picture));
    await machine.run({ timeoutMs: 60_000 });
    assert.deepEqual(
      taken.map(({ width }) => width),
      [720],
    );
  });

  test('does not exist without a VGA', async () => {
    await using machine = await host('khw-real');
    await machine.run({ timeoutMs: 60_000 });
    assert.equal(await machine.screen(), undefined);
  });
});
