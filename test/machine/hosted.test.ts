import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseImage } from '../../src/boot/index.js';
import { createMachine, drainPool, type HostedOptions, hostMachine } from '../../src/runtime/index.js';
import { holdings, noKvm, Scratch, settled } from '../support.js';

/** jmp . */
const endless = parseImage(new Uint8Array([0xeb, 0xfe]), 'endless');
const image = (...bytes: number[]) => parseImage(new Uint8Array(bytes), 'test');

describe('a hosted machine', { skip: noKvm }, () => {
  test('prints while it runs: a guest’s output is visible even if the guest then spins forever', async () => {
    // mov $'!',%al; out %al,$0xe9; jmp .
    const shout = image(0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe);
    await using machine = await hostMachine({ image: shout, mode: 'real' });
    const seen = new Promise<void>((resolve) => machine.onOutput(() => resolve()));
    const running = machine.run();
    await seen;
    await machine.stop();
    assert.equal((await running).kind, 'stopped');
  });

  test('is stopped 1,000 times in a row and leaves nothing behind', async () => {
    const warm = await hostMachine({ image: endless, mode: 'real' });
    const first = warm.run();
    await warm.stop();
    await first;
    await warm[Symbol.asyncDispose]();
    await drainPool();
    const before = holdings();
    {
      await using machine = await hostMachine({ image: endless, mode: 'real' });
      for (let i = 0; i < 1000; i++) {
        const running = machine.run();
        if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
        await machine.stop();
        const outcome = await running;
        assert.equal(outcome.kind, 'stopped');
      }
    }
    await drainPool();
    const after = await settled(before);
    assert.equal(after.fds, before.fds);
    assert.equal(after.threads, before.threads);
    // On Node 22 and later V8's heap takes some pages of its own, up to ten over thousands of stops, and then no more.
    // A leak of each stop would be counted a thousand times.
    const heap = Number.parseInt(process.versions.node, 10) < 22 ? 0 : 16;
    assert.ok(after.maps <= before.maps + heap, `mappings went from ${before.maps} to ${after.maps}`);
  });

  test('ends by an AbortSignal, and can continue afterwards', async () => {
    // 1: incl 0x500; jmp 1b
    await using machine = await hostMachine({
      image: image(0x66, 0xff, 0x06, 0x00, 0x05, 0xeb, 0xf9),
      mode: 'real',
    });
    const controller = new AbortController();
    const running = machine.run({ signal: controller.signal });
    const counts = async (above: number) => {
      while (machine.memory.read32(0x500) <= above) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await counts(0);
    controller.abort();
    assert.equal((await running).kind, 'stopped');
    const before = machine.memory.read32(0x500);
    const second = machine.run();
    await counts(before);
    await machine.stop();
    assert.equal((await second).kind, 'stopped');
  });

  test('that is aborted has the same outcome before the run, during it, and on this thread', async () => {
    for (const engine of ['kvm', 'soft'] as const) {
      await using hosted = await hostMachine({ image: endless, mode: 'real', engine });
      using local = createMachine({ image: endless, mode: 'real', engine });
      const before = AbortSignal.abort(new Error('no longer needed'));
      const [here, there] = [local.run({ signal: before }), await hosted.run({ signal: before })];
      const controller = new AbortController();
      const running = hosted.run({ signal: controller.signal });
      setTimeout(() => controller.abort(new Error('no longer needed')), 20);
      for (const { kind, reason } of [here, there, await running])
        assert.deepEqual({ kind, reason }, { kind: 'stopped', reason: 'aborted: no longer needed' }, engine);
      assert.equal(there.registers.rip, 0n, 'not an instruction was executed');
    }
  });

  test('with a value that cannot be sent to its thread is refused at once, with the name of the field', async () => {
    const refused: [object, RegExp][] = [
      [
        { devices: [{ module: 'file:///x.mjs', options: { onDice: () => 6 } }] },
        /"devices"\[0\]\.options\.onDice is a function/,
      ],
      [
        { hypercalls: { module: 'file:///x.mjs', options: [Symbol.iterator] } },
        /"hypercalls"\.options\[0\] is a symbol/,
      ],
      [{ output: () => {} }, /hostMachine: there is no field "output"/],
      [{ memroy: 1 }, /hostMachine: there is no field "memroy"/],
      [{ image: 5 }, /"image" is 5, not a path/],
      [{ image: undefined }, /there is no "image"/],
    ];
    const circle: { self?: unknown } = {};
    circle.self = circle;
    refused.push([
      { devices: [{ module: 'file:///x.mjs', options: circle }] },
      /nested too deeply or contains itself/,
    ]);
    for (const [options, message] of refused)
      await assert.rejects(hostMachine({ image: endless, mode: 'real', ...options } as HostedOptions), {
        code: 'ECONFIG',
        message,
      });
    await using next = await hostMachine({ image: image(0xf4), mode: 'real' });
    assert.equal((await next.run()).kind, 'halted');
  });

  test('takes its image as a path, as bytes and parsed', async () => {
    for (const source of ['guests/khw-real', Uint8Array.of(0xf4), image(0xf4)]) {
      await using machine = await hostMachine({ image: source });
      machine.onOutput(() => {});
      assert.equal((await machine.run()).kind, 'halted');
    }
  });

  test('may be disposed twice at once, and the next one on its thread works', async () => {
    const machine = await hostMachine({ image: endless, engine: 'soft', mode: 'real' });
    const running = machine.run();
    await Promise.all([machine[Symbol.asyncDispose](), machine[Symbol.asyncDispose]()]);
    assert.equal((await running).kind, 'stopped');
    for (let i = 0; i < 3; i++) {
      await using next = await hostMachine({ image: image(0xf4), engine: 'soft', mode: 'real' });
      assert.equal((await next.run()).kind, 'halted');
    }
  });

  test('leaves no timer of its device behind that could affect the process or another machine', async () => {
    using scratch = new Scratch();
    const file = scratch.file('late.mjs');
    writeFileSync(
      file,
      `export default () => ({
         name: 'late',
         ports: [{ first: 0x10, count: 1 }],
         writePort() { setTimeout(() => { throw new Error('late'); }, 100); },
       });`,
    );
    const devices = [{ module: pathToFileURL(file).href }];
    const code = image(0xe6, 0x10, 0xf4);
    // On a busy host a timer may come before its machine's end: then the error is that machine's.
    const life = async () => {
      await using machine = await hostMachine({ image: code, engine: 'soft', mode: 'real', devices });
      await machine.run();
    };
    await life().catch(({ message }) => assert.equal(message, 'late'));
    // An error that is thrown while the machine exists belongs to it: the next use rejects with the error.
    await using failed = await hostMachine({ image: code, engine: 'soft', mode: 'real', devices });
    const use = async (): Promise<never> => {
      await failed.run();
      await using other = await hostMachine({ image: endless, engine: 'soft', mode: 'real' });
      assert.equal((await other.run({ timeoutMs: 300 })).kind, 'timeout');
      for (;;) await failed.screen();
    };
    await assert.rejects(use, { message: 'late' });
  });

  test('receives bytes for its serial port, all of them, in order', async () => {
    // 1: mov $0x3fd,%dx; in %dx,%al; test $1,%al; jz 1b; mov $0x3f8,%dx; in %dx,%al; out %al,$0xe9; cmp $'q',%al; jne 1b; hlt
    const echo = image(
      0xba,
      0xfd,
      0x03,
      0xec,
      0xa8,
      0x01,
      0x74,
      0xf8,
      0xba,
      0xf8,
      0x03,
      0xec,
      0xe6,
      0xe9,
      0x3c,
      0x71,
      0x75,
      0xee,
      0xf4,
    );
    await using machine = await hostMachine({ image: echo, mode: 'real' });
    let printed = Buffer.alloc(0);
    machine.onOutput((bytes) => {
      printed = Buffer.concat([printed, bytes]);
    });
    const sent = Buffer.alloc(3000, 'abcdefgh\0\xff\n', 'latin1');
    sent[2999] = 'q'.charCodeAt(0);
    const running = machine.run({ timeoutMs: 60_000 });
    await machine.send(sent);
    const outcome = await running;
    assert.equal(outcome.kind, 'halted');
    assert.ok(printed.equals(sent));
  });

  test('passes errors between threads with their code and hint', async () => {
    await assert.rejects(hostMachine({ image: endless, memory: 100 }), {
      name: 'GuestMemoryError',
      code: 'EMEMORY',
    });
    await assert.rejects(
      hostMachine({ image: endless, devices: [{ module: 'file:///nowhere.mjs' }] }),
      /nowhere\.mjs/,
    );
  });

  test('loads custom devices as modules, and names the one that throws', async () => {
    using scratch = new Scratch();
    const file = scratch.file('device.mjs');
    writeFileSync(
      file,
      `export default ({ answer }) => ({
         name: 'oracle',
         ports: [{ first: 0x99, count: 1 }],
         readPort: () => answer,
         writePort() { throw new RangeError('not writable'); },
       });`,
    );
    const devices = [{ module: pathToFileURL(file).href, options: { answer: 42 } }];
    {
      // in $0x99,%al; hlt
      await using machine = await hostMachine({ image: image(0xe4, 0x99, 0xf4), mode: 'real', devices });
      const outcome = await machine.run();
      assert.equal(outcome.registers.rax & 0xffn, 42n);
    }
    // out %al,$0x99; hlt
    await using machine = await hostMachine({ image: image(0xe6, 0x99, 0xf4), mode: 'real', devices });
    const error = await machine.run().then(
      () => assert.fail('the guest went on'),
      (thrown: Error) => thrown,
    );
    assert.equal(error.name, 'DeviceError');
    assert.equal(error.message, "device 'oracle' failed in a write to port 0x99 (1 byte): not writable");
    // The stack shows the place where the device threw, for its author.
    const { name, message, stack } = error.cause as Error;
    assert.deepEqual({ name, message }, { name: 'RangeError', message: 'not writable' });
    assert.match(stack ?? '', /writePort.*device\.mjs/s);
    const state = await machine.state();
    assert.ok(state.registers.rip <= 2n);
  });

  test('that is disposed reports so, and sends nothing to the thread that another machine may use now', async () => {
    const gone = await hostMachine({ image: image(0xf4), mode: 'real' });
    const target = gone.debugTarget();
    await gone[Symbol.asyncDispose]();
    await gone[Symbol.asyncDispose]();
    await using next = await hostMachine({ image: image(0xf4), mode: 'real' });
    const uses = {
      run: () => gone.run(),
      state: () => gone.state(),
      screen: () => gone.screen(),
      debugOutcome: () => gone.debugOutcome(),
      memory: async () => gone.memory.read8(0),
      target: async () => target.view(),
    };
    for (const [name, use] of Object.entries(uses))
      await assert.rejects(use, /was used after it was disposed|after its machine was disposed/, name);
    // Bytes sent to it are dropped, as for a machine that ends.
    await gone.send(new Uint8Array(3));
    await gone.type('abc');
    await gone.stop();
    assert.equal((await next.run()).kind, 'halted');
  });

  test('can be disposed during a request, and the next one on its thread gets its own answers', async () => {
    for (let i = 0; i < 3; i++) {
      const machine = await hostMachine({ image: endless, engine: 'soft', mode: 'real', debug: true });
      const asked = machine.debugTarget().view();
      await machine[Symbol.asyncDispose]();
      assert.equal((await asked).registers.rip, 0n);
    }
  });

  test('shares its memory with the thread that made it', async () => {
    // mov $7,%al; mov %al,0x500; hlt
    await using machine = await hostMachine({ image: image(0xb0, 7, 0xa2, 0x00, 0x05, 0xf4), mode: 'real' });
    await machine.run();
    assert.equal(machine.memory.read8(0x500), 7);
  });

  test('works beside another one in the same process', async () => {
    await using first = await hostMachine({ image: endless, mode: 'real' });
    await using second = await hostMachine({ image: endless, mode: 'real' });
    const runs = [first.run({ timeoutMs: 100 }), second.run()];
    await second.stop();
    const [one, two] = await Promise.all(runs);
    assert.deepEqual([one!.kind, two!.kind], ['timeout', 'stopped']);
  });

  test('has its console and its serial port as Web streams, and its exits to iterate over', async () => {
    // 1: mov $0x3fd,%dx; in %dx,%al; test $1,%al; jz 1b; mov $0x3f8,%dx; in %dx,%al; out %al,$0xe9; cmp $'q',%al; jne 1b; hlt
    const echo = Uint8Array.of(
      ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xba, 0xf8, 0x03, 0xec, 0xe6, 0xe9],
      ...[0x3c, 0x71, 0x75, 0xee, 0xf4],
    );
    const machine = await hostMachine({
      image: echo,
      mode: 'real',
      engine: 'soft',
      trace: { format: 'ndjson' },
    });
    const kinds: string[] = [];
    machine.onEnd(({ kind }) => kinds.push(kind));
    const writes = (async () => {
      let count = 0;
      for await (const { kind, address } of machine.exits()) if (kind === 'io' && address === 0xe9) count++;
      return count;
    })();
    const printed = new Response(machine.output).text();
    const running = machine.run();
    const writer = machine.input.getWriter();
    await writer.write(new TextEncoder().encode('to and fro, q'));
    assert.equal((await running).kind, 'halted');
    await machine[Symbol.asyncDispose]();
    assert.equal(await printed, 'to and fro, q');
    assert.equal(await writes, 13);
    assert.deepEqual(kinds, ['halted']);
    await using plain = await hostMachine({ image: endless, mode: 'real', engine: 'soft' });
    assert.throws(() => plain.exits(), /trace: { format: 'ndjson' }|does not trace/);
  });

  test('waits for the reader of its stream while it runs, but not after its end', async () => {
    // 1: mov $'x',%al; out %al,$0xe9; jmp 1b
    const flood = Uint8Array.of(0xb0, 0x78, 0xe6, 0xe9, 0xeb, 0xfa);
    await using machine = await hostMachine({ image: flood, mode: 'real', engine: 'soft' });
    const reader = machine.output.getReader();
    const running = machine.run();
    const first = await reader.read();
    assert.ok((first.value?.length ?? 0) > 0);
    await machine.stop();
    assert.equal((await running).kind, 'stopped');
    // A run whose output nobody reads also ends.
    const printsOnce = Uint8Array.of(0xb0, 0x78, 0xe6, 0xe9, 0xf4);
    await using unread = await hostMachine({ image: printsOnce, mode: 'real', engine: 'soft' });
    const { output } = unread;
    assert.equal((await unread.run()).kind, 'halted');
    await output.cancel();
  });

  test('loads a device in TypeScript: with Node where it strips types, else with esbuild where that is installed', async () => {
    const source = `interface Options { answer: number }
      export default ({ answer }: Options) => ({
        name: 'typed',
        ports: [{ first: 0x99, count: 1 }],
        readPort: (): number => answer,
      });`;
    const run = async (file: string) => {
      writeFileSync(file, source);
      const devices = [{ module: pathToFileURL(file).href, options: { answer: 42 } }];
      await using machine = await hostMachine({
        image: image(0xe4, 0x99, 0xf4),
        mode: 'real',
        engine: 'soft',
        devices,
      });
      return (await machine.run()).registers.rax & 0xffn;
    };
    // In a folder of this project, and elsewhere: then the esbuild beside the package is used.
    const here = path.resolve('build', `typed-device-${process.pid}.ts`);
    try {
      assert.equal(await run(here), 42n);
    } finally {
      rmSync(here, { force: true });
    }
    using scratch = new Scratch();
    assert.equal(await run(scratch.file('typed.ts')), 42n);
  });
});
