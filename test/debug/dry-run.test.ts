/** A debugger gets the dry run of the next instruction, and the guest does not change. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { hostMachine } from '../../src/runtime/index.js';
import { holdings, noKvm, settled } from '../support.js';

const engines = [
  { engine: 'soft' as const, skip: false as string | false },
  { engine: 'kvm' as const, skip: noKvm },
];

/** xor %cx,%cx; div %cx; hlt; the handler: 1: jmp 1b */
const divides = parseImage(Uint8Array.of(0x31, 0xc9, 0xf7, 0xf1, 0xf4, 0xeb, 0xfe), 'divides');

for (const { engine, skip } of engines) {
  describe(`the next instruction on ${engine}`, { skip }, () => {
    test('is an exception that has a handler, and one that ends the guest', async () => {
      await using machine = await hostMachine({
        engine,
        image: divides,
        mode: 'real',
        load: 0x7c00,
        debug: true,
      });
      const target = machine.debugTarget();
      // The vector of #DE leads to the endless loop.
      await target.write(0n, Uint8Array.of(0x05, 0x7c, 0, 0), 'physical');
      assert.doesNotMatch(await target.describe('why'), /raises/);
      await target.step();
      const before = [await target.view(), await target.read(0n, 65536, 'physical')];
      assert.match(
        (await target.describe('why')).replace(/\s+/g, ' '),
        /the guest has not died: .* its next instruction, div cx, raises #DE \(divide error\), whose handler is called: cx is 0/,
      );
      assert.deepEqual([await target.view(), await target.read(0n, 65536, 'physical')], before);
      assert.equal((await target.step()).pc, 0x7c05n);
      assert.match(await target.describe('why'), /the last exception was #DE|jumps to itself/);
    });

    test('leaves nothing behind after many calls', async () => {
      await using machine = await hostMachine({ engine, image: divides, mode: 'protected', debug: true });
      const target = machine.debugTarget();
      await target.step();
      const asked = async (times: number) => {
        for (let n = 0; n < times; n++)
          assert.match(
            await target.describe('why'),
            /the guest has not died yet, but the next instruction ends\s+it: #DE/,
          );
      };
      await asked(5);
      const before = holdings();
      await asked(30);
      const after = await settled(before);
      assert.ok(after.maps <= before.maps + 2, `mappings went from ${before.maps} to ${after.maps}`);
      assert.equal(after.fds, before.fds);
      assert.equal((await target.resume()).outcome?.kind, 'shutdown');
      assert.match(await target.describe('why'), /why: #DE/);
    });
  });
}
