/** Devices of a hosted machine that are objects: they are called on the thread of the program that made them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseImage } from '../../src/boot/index.js';
import { type HostedOptions, hostMachine } from '../../src/runtime/index.js';
import { noKvm, Scratch } from '../support.js';

const image = (...bytes: number[]) => parseImage(new Uint8Array(bytes), 'test');
/** in al, 99h; out 9Ah, al; hlt */
const asks = image(0xe4, 0x99, 0xe6, 0x9a, 0xf4);
/** again: in al, 99h; jmp again */
const endless = image(0xe4, 0x99, 0xeb, 0xfc);
const at = (first: number) => [{ first, count: 1 }];
const engines = noKvm === false ? (['kvm', 'soft'] as const) : (['soft'] as const);

for (const engine of engines)
  describe(`device objects of a hosted machine (${engine})`, () => {
    const host = (options: Partial<HostedOptions>) =>
      hostMachine({ image: asks, mode: 'real', engine, ...options });

    test('answer from the program’s own state', async () => {
      const written: number[] = [];
      let answer = 41;
      const asked = { name: 'asked', ports: at(0x99), readPort: () => ++answer };
      const told = {
        name: 'told',
        ports: at(0x9a),
        writePort: (_: number, __: number, value: number) => void written.push(value),
      };
      await using machine = await host({ devices: [asked, told] });
      assert.equal((await machine.run()).kind, 'halted');
      assert.deepEqual(written, [42]);
    });

    test('let the event loop run while the guest runs, and a stop ends it', async () => {
      let reads = 0;
      const device = { name: 'counter', ports: at(0x99), readPort: () => ++reads & 0xff };
      await using machine = await host({ image: endless, devices: [device] });
      const run = machine.run();
      const seen: number[] = [];
      while (seen.length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (reads > (seen.at(-1) ?? 0)) seen.push(reads);
      }
      await machine.stop();
      assert.equal((await run).kind, 'stopped');
      const before = reads;
      assert.equal((await machine.run({ maxExits: 10 })).kind, 'limit');
      assert.equal(reads, before + 10);
    });

    test('reject the run with their own error as its cause', async () => {
      const own = new Error('no such register');
      const device = {
        name: 'broken',
        ports: at(0x99),
        readPort(): number {
          throw own;
        },
      };
      await using machine = await host({ devices: [device] });
      await assert.rejects(machine.run(), (error: Error) => {
        assert.equal(error.cause, own);
        assert.match(error.message, /broken/);
        return true;
      });
    });

    test('work together with modules', async () => {
      using scratch = new Scratch();
      const file = scratch.file('six.mjs');
      writeFileSync(
        file,
        `export default ({ value }) => ({ name: 'six', ports: [{ first: 0x99, count: 1 }], readPort: () => value });`,
      );
      const written: number[] = [];
      const told = {
        name: 'told',
        ports: at(0x9a),
        writePort: (_: number, __: number, value: number) => void written.push(value),
      };
      const six = { module: pathToFileURL(file).href, options: { value: 6 } };
      await using machine = await host({ devices: [told, six] });
      assert.equal((await machine.run()).kind, 'halted');
      assert.deepEqual(written, [6]);
    });
  });

test('device objects are refused where the machine needs its own thread, and where they are invalid', async () => {
  const device = { name: 'asked', ports: at(0x99), readPort: () => 0 };
  const refused: [Partial<HostedOptions>, RegExp][] = [
    [{ simvirtio: 'polling' }, /simvirtio: "polling" needs a thread of the machine's own/],
    [{ debug: true }, /debug needs a thread/],
    [{ frames: true }, /frames needs a thread/],
    [{ clock: 'paced' }, /clock: "paced" needs a thread/],
    [{ devices: [device, {} as typeof device] }, /"devices"\[1\] is no device: it has no name/],
    [{ devices: [device, 5 as unknown as typeof device] }, /"devices"/],
  ];
  for (const [options, message] of refused)
    await assert.rejects(hostMachine({ image: asks, mode: 'real', devices: [device], ...options }), {
      code: 'ECONFIG',
      message,
    });
});
