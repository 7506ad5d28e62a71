/**
 * `--profile`: its counts equal those of stepping, the guest does not notice it, and other programs can read its files.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { ExitKind } from '../../src/engine/contract/index.js';
import type { SoftCpu } from '../../src/engine/soft/index.js';
import { countFunctions, flameGraph, folded, type Profile, speedscope } from '../../src/profile/index.js';
import { createMachine, hostHere, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { readGuests } from '../guests/catalogue.js';
import { noGcc, Scratch, terrarium } from '../support.js';

const SOURCE = 'test/guests/profiled.c';

/** Instructions of each function, alone and with its callees, by steps: CALL enters a function from its caller. */
function stepped(): Map<string, { own: number; total: number }> {
  const { image } = loadImage([SOURCE], {});
  const symbols = new SymbolTable(image);
  using machine = createMachine({ image, engine: 'soft' });
  const { cpu } = machine;
  const counts = new Map<string, { own: number; total: number }>();
  const of = (name: string) => {
    const known = counts.get(name);
    if (known !== undefined) return known;
    const made = { own: 0, total: 0 };
    counts.set(name, made);
    return made;
  };
  const chain: { name: string; stack: bigint }[] = [];
  for (;;) {
    const { rip, rsp } = cpu.getRegisters();
    const inside = symbols.functionAt(rip)!;
    // A stack pointer above the place of a return address: that function has returned.
    while (chain.length > 0 && rsp > chain.at(-1)!.stack) chain.pop();
    if (rip === inside.from && chain.at(-1)?.stack !== rsp) chain.push({ name: inside.name, stack: rsp });
    of(inside.name).own++;
    for (const name of new Set(chain.map((one) => one.name))) of(name).total++;
    if ((cpu as SoftCpu).step() === ExitKind.halt) return counts;
  }
}

describe('a profile', { skip: noGcc }, () => {
  test('has the counts of stepping, by function and with its callees', async () => {
    const { image } = loadImage([SOURCE], {});
    await using machine = await hostHere({ image, engine: 'soft', profile: true });
    const { profile, kind } = await machine.run();
    assert.equal(kind, 'halted');
    const exact = stepped();
    const all = [...exact.values()].reduce((sum, { own }) => sum + own, 0);
    assert.ok(Math.abs(profile!.instructions - all) < 0.02 * all, `${profile!.instructions} of ${all}`);
    const found = new Map(countFunctions(profile!).map((one) => [one.name, one]));
    for (const [name, { own, total }] of exact) {
      const { own: counted = 0, total: within = 0 } = found.get(name) ?? {};
      // Some 1,500 samples: three standard deviations of a share are below 4 %.
      assert.ok(Math.abs(counted - own) < 0.04 * all, `${name}: ${counted} of its ${own} instructions`);
      assert.ok(Math.abs(within - total) < 0.04 * all, `${name}: ${within} of ${total} with its calls`);
    }
    const chains = profile!.stacks.map(({ frames }) =>
      frames.map((one) => profile!.functions[one]).join(' '),
    );
    assert.ok(chains.includes('_start caller leaf'), chains.slice(0, 5).join('\n'));
    assert.ok(chains.some((chain) => /^_start( fibonacci){5,13}$/.test(chain)));
  });

  test('is the same each time', async () => {
    const once = async () => {
      await using machine = await hostHere({
        image: loadImage([SOURCE], {}).image,
        engine: 'soft',
        profile: true,
      });
      return (await machine.run()).profile;
    };
    assert.deepEqual(await once(), await once());
  });

  const interrupted = readGuests().filter(
    ({ irqchip, input, keys, expect }) =>
      irqchip === 'user' && input === undefined && keys === undefined && expect.outcome === 'halted',
  );
  for (const { folder, name } of interrupted) {
    test(`is not noticed by ${name}`, async () => {
      const { image, spec } = loadImage([folder], { engine: 'soft' });
      const run = async (profile: boolean) => {
        await using machine = await hostHere({ ...spec, image, profile, clock: 'instructions' });
        let printed = '';
        machine.onOutput((bytes) => {
          printed += Buffer.from(bytes).toString('latin1');
        });
        const { registers, system, exits, kind, reason } = await machine.run({ maxInstructions: 300_000 });
        return { registers, system, exits, kind, reason, printed };
      };
      assert.deepEqual(await run(true), await run(false));
    });
  }
});

describe('--profile', { skip: noGcc }, () => {
  test('shows a table, and selects the software CPU by itself', () => {
    const { stderr, status } = terrarium(['run', SOURCE, '--profile']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /soft: halted/);
    assert.match(stderr, /profile: \d+ instructions, \d+ samples\n +own +total +function\n/);
    assert.match(stderr, /^ +\d+\.\d % +100\.0 % {2}_start$/m);
  });

  test('writes a flame graph, speedscope’s JSON, lines and a table by the file’s name', () => {
    using scratch = new Scratch();
    const write = (name: string) => {
      const file = scratch.file(name);
      const { stderr, status } = terrarium(['run', SOURCE, `--profile=${file}`]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /the profile is in /);
      return readFileSync(file, 'utf8');
    };
    assert.match(
      write('p.svg'),
      /^<svg [\s\S]*<title>leaf: \d+ instructions, \d+\.\d\d %<\/title>[\s\S]*<\/svg>\n$/,
    );
    const { shared, profiles } = JSON.parse(write('p.json'));
    assert.ok(shared.frames.some(({ name }: { name: string }) => name === 'fibonacci'));
    assert.equal(profiles[0].samples.length, profiles[0].weights.length);
    assert.match(write('p.folded'), /^_start;caller;leaf \d+$/m);
    assert.match(write('p.txt'), /own +total +function/);
  });

  test('refuses KVM, and a missing folder, before the guest runs', () => {
    const kvm = terrarium(['run', SOURCE, '--profile', '--engine', 'kvm']);
    assert.equal(kvm.status, 2);
    assert.match(kvm.stderr, /--profile counts instructions.*\n.*--engine soft/);
    const nowhere = terrarium(['run', SOURCE, '--profile=/nonexistent/p.svg']);
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /--profile/);
  });
});

test('names from a hostile file are text in a flame graph, and parts of a line in no other', () => {
  const name = '</title><script>alert(1)</script>;\u0007 x&"';
  const profile: Profile = {
    instructions: 10,
    samples: 1,
    functions: [name],
    stacks: [{ frames: [0], instructions: 10 }],
  };
  const picture = flameGraph(profile, name);
  assert.doesNotMatch(picture, /<script|\p{Cc}(?<!\n)/u);
  assert.match(picture, /&lt;script&gt;/);
  assert.equal(folded(profile).split(' ').length, 2);
  assert.equal(JSON.parse(speedscope(profile, name)).shared.frames[0].name, name);
});

test('a chain of ten thousand calls is drawn', () => {
  const frames = Array.from({ length: 10_000 }, () => 0);
  const profile: Profile = {
    instructions: 7,
    samples: 1,
    functions: ['f'],
    stacks: [{ frames, instructions: 7 }],
  };
  assert.match(flameGraph(profile, 'deep'), /<\/svg>\n$/);
});
