import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { imageKinds, modes } from '../boot/index.js';
import { notifications } from '../devices/index.js';
import { irqchipNames } from '../engine/contract/index.js';
import { clockNames } from '../machine/index.js';
import { cpuVendors } from '../x86/index.js';
import { fieldNames, fieldOf, fields, type MachineSpec, optionWord } from './fields.js';
import { parseGuestFile } from './guest-file.js';
import {
  engineNames,
  machineNames,
  readSpec,
  syntaxes,
  translateModes,
  virtioBuses,
  virtioNames,
  wordsOf,
} from './index.js';
import { diskBuses, flag, isList } from './kinds.js';
import { cardModels } from './networks.js';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const region = fc.record(
  { address: number, size: number, readOnly: fc.boolean(), logDirty: fc.boolean() },
  { requiredKeys: ['address', 'size'], noNullPrototype: true },
);
const module = fc.record(
  {
    module: fc.stringMatching(/^(file:\/\/\/|https:\/\/[a-z]{1,9}\/)[\w./-]{1,40}$/),
    options: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  },
  { requiredKeys: ['module'], noNullPrototype: true },
);

/** Any description that there can be: each field, or not. */
/** `write: false` is what nothing says, too. */
const file = fc.stringMatching(/^[\w/.-]+$/);
const disk = fc.oneof(
  fc.record({ file, write: fc.constant(true) }, { requiredKeys: ['file'], noNullPrototype: true }),
  fc.record({ file, keep: file }, { noNullPrototype: true }),
  fc.record(
    {
      file,
      bus: fc.constantFrom(...diskBuses),
      serial: fc.stringMatching(/^[!-+\--~]{1,20}$/),
      write: fc.constant(true),
    },
    { requiredKeys: ['file'], noNullPrototype: true },
  ),
);
const port = fc.integer({ min: 1, max: 65_535 });
const forward = fc.record(
  {
    hostPort: port,
    guestPort: port,
    udp: fc.constant(true),
    address: fc.constantFrom('0.0.0.0', '192.168.1.255'),
  },
  { requiredKeys: ['hostPort', 'guestPort'], noNullPrototype: true },
);

const specs: fc.Arbitrary<MachineSpec> = fc.record(
  {
    engine: fc.constantFrom(...engineNames),
    assist: fc.boolean(),
    syntax: fc.constantFrom(...syntaxes),
    translate: fc.constantFrom(...translateModes),
    machine: fc.constantFrom(...machineNames),
    cpuVendor: fc.constantFrom(...cpuVendors),
    mode: fc.constantFrom(...modes),
    memory: number,
    regions: fc.array(region),
    as: fc.constantFrom(...imageKinds),
    append: fc.string(),
    initrds: fc.array(fc.string()),
    modules: fc.array(fc.string()),
    load: number,
    entry: number,
    stack: number,
    simvirtio: fc.constantFrom(...notifications),
    irqchip: fc.constantFrom(...irqchipNames),
    clock: fc.constantFrom(...clockNames),
    ips: fc.integer({ min: 1000, max: 1_000_000_000 }),
    seed: number,
    devices: fc.array(module),
    hypercalls: module,
    vga: fc.boolean(),
    disks: fc.array(disk),
    virtioBus: fc.constantFrom(...virtioBuses),
    virtio: fc.array(fc.constantFrom(...virtioNames)),
    floppies: fc.array(disk),
    cdroms: fc.array(disk),
    boot: fc.constantFrom('a', 'c,d', 'd,a,c'),
    firmware: fc.string({ minLength: 1 }),
    fwCfg: fc.array(
      fc.oneof(
        fc.record(
          { name: fc.stringMatching(/^[a-z/.]{1,55}$/), text: fc.string() },
          { noNullPrototype: true },
        ),
        fc.record(
          { name: fc.stringMatching(/^[a-z/.]{1,55}$/), file: fc.stringMatching(/^[a-f/.=,]+$/) },
          { noNullPrototype: true },
        ),
      ),
    ),
    nets: fc.array(
      fc.oneof(
        fc.record(
          {
            kind: fc.constant('user' as const),
            outside: fc.boolean(),
            forwards: fc.array(forward, { minLength: 1 }),
            model: fc.constantFrom(...cardModels),
            mac: fc.constant('52:54:00:ab:cd:ef'),
            pcap: fc.stringMatching(/^[a-z./=]{1,20}$/),
          },
          { requiredKeys: ['kind', 'outside'], noNullPrototype: true },
        ),
        fc.record(
          {
            kind: fc.constantFrom('switch' as const, 'tap' as const),
            name: fc.stringMatching(/^[a-z][a-z0-9.-]{0,14}$/),
          },
          { noNullPrototype: true },
        ),
      ),
    ),
    coalesce: fc.boolean(),
    smpQuantum: fc.integer({ min: 1, max: 1_000_000_000 }),
    smpSeed: fc.nat(0xffff_ffff),
    cpus: fc.integer({ min: 1, max: 16 }),
    standardDevices: fc.boolean(),
    name: fc.string(),
  } satisfies { [Name in keyof Required<MachineSpec>]: fc.Arbitrary<NonNullable<MachineSpec[Name]>> },
  { requiredKeys: [], noNullPrototype: true },
);

describe('a machine’s description', () => {
  test('is plain data: it survives JSON and structuredClone', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        assert.deepEqual(readSpec(JSON.parse(JSON.stringify(spec))), spec);
        assert.deepEqual(structuredClone(readSpec(spec)), spec);
      }),
      { numRuns: 500 },
    );
  });

  test('as words of the command line says the same', () => {
    const sayable = specs.map(({ standardDevices: _, name: __, ...rest }) => rest);
    fc.assert(
      fc.property(sayable, (spec) => {
        const { devices, hypercalls, ...rest } = spec;
        const words = wordsOf(rest);
        const back: Record<string, unknown> = {};
        for (const name of fieldNames) {
          const { kind } = fieldOf(name);
          const start = `--${optionWord(name)}=`;
          const texts = words
            .filter((word) => word.startsWith(start))
            .map((word) => word.slice(start.length));
          if (isList(kind) && texts.length > 0) back[name] = texts.map((text) => kind.item.parse(text));
          else if (texts.length > 0) back[name] = kind.parse(texts[0]!);
          else if (words.includes(`--${optionWord(name)}`)) back[name] = true;
          else if (words.includes(`--no-${optionWord(name)}`)) back[name] = false;
        }
        const flagless = Object.fromEntries(
          Object.entries(rest).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
        );
        assert.deepEqual(normal(back), normal(flagless));
      }),
      { numRuns: 500 },
    );
  });

  test('documents each field once, and gives each default as a value of its kind', () => {
    for (const name of fieldNames) {
      const field = fieldOf(name);
      assert.match(field.says, /^\S.*[^.]$/, name);
      if (field.default !== undefined) assert.ok(field.kind.is(field.default), name);
      if (field.off !== undefined) assert.equal(field.kind, flag, name);
    }
    const words = fieldNames.map(optionWord).filter((word) => word !== undefined);
    assert.equal(new Set(words).size, words.length);
  });

  test('that is wrong is refused by name, with the nearest one', () => {
    const wrong: [unknown, RegExp, RegExp?][] = [
      [{ memroy: 1 }, /there is no field "memroy"/, /meant: memory\?/],
      [{ xyzzy: 1 }, /there is no field "xyzzy"/, /fields are engine, assist, translate/],
      [{ memory: '16M' }, /"memory" is "16M", not a whole number of bytes/],
      [{ memory: -1 }, /"memory" is -1, not/],
      [{ memory: 1.5 }, /"memory" is 1\.5, not/],
      [{ memory: null }, /"memory" is null, not/],
      [{ memory: Number.NaN }, /"memory" is (NaN|null), not/],
      [{ memory: 10n }, /"memory" is 10n, not/],
      [{ cpus: 17 }, /"cpus" is 17, not a whole number from 1 to 16/],
      [{ cpus: 0 }, /"cpus" is 0, not/],
      [{ smpQuantum: 0 }, /"smpQuantum" is 0, not/],
      [{ vga: 1 }, /"vga" is 1, not true or false/],
      [{ engine: 'qemu' }, /"engine" is "qemu", not one of auto, kvm, soft/],
      [{ irqchip: () => {} }, /"irqchip" is a function, not one of/],
      [{ regions: [{ address: 0 }] }, /"regions" is \[{"address":0}\], not a list of regions/],
      [{ regions: {} }, /"regions" is {}, not a list of regions/],
      [{ devices: [{ readPort: 1 }] }, /"devices" is .*, not a list of modules/],
      [null, /null is not an object/],
      [[], /\[\] is not an object/],
      ['kernel.S', /"kernel.S" is not an object/],
      [JSON.parse('{"__proto__": 1}'), /there is no field "__proto__"/],
    ];
    for (const [said, message, hint = /./] of wrong) {
      assert.throws(
        () => readSpec(said),
        (error: Error & { code: string; hint?: string }) => {
          assert.equal(error.code, 'ECONFIG');
          assert.match(error.message, message);
          if (error.hint !== undefined) assert.match(error.hint, hint);
          return true;
        },
      );
    }
    // What is undefined was not said.
    assert.deepEqual(readSpec({ memory: undefined, seed: 3 }), { seed: 3 });
  });

  test('reads sizes, addresses and regions as people type them', () => {
    const { memory, load } = fields;
    assert.equal(memory.kind.parse('64K'), 65536);
    assert.equal(memory.kind.parse('1.5M'), 1572864);
    assert.equal(memory.kind.parse('0x1000'), 4096);
    assert.equal(load.kind.parse('0x7c00'), 0x7c00);
    assert.deepEqual(fields.regions.kind.parse('32M:4K:ro'), [
      { address: 0x200_0000, size: 4096, readOnly: true },
    ]);
    for (const text of ['lots', '', '1e3', '-1', '0.3', '1T'])
      assert.throws(() => memory.kind.parse(text), text);
    for (const text of ['1', '1:2:rw', '1:2:ro:ro', 'a:b'])
      assert.throws(() => fields.regions.kind.parse(text), text);
  });
});

describe('a guest.json', () => {
  const parse = (said: unknown) => parseGuestFile(JSON.stringify(said), 'g/guest.json');

  test('names the image and the machine', () => {
    const text = {
      image: 'k.bin',
      load: '0x7c00',
      memory: '1M',
      vga: true,
      timeoutMs: 100,
      summary: 'a guest',
    };
    assert.deepEqual(parse(text), {
      image: 'k.bin',
      timeoutMs: 100,
      spec: { load: 0x7c00, memory: 1048576, vga: true },
    });
  });

  test('that is wrong is an ImageError with the file, the key and what is wrong', () => {
    const wrong: [unknown, RegExp][] = [
      [null, /^g\/guest\.json: null is not an object/],
      [[1], /^g\/guest\.json: \[1\] is not an object/],
      [{}, /^g\/guest\.json: "image" does not name a file/],
      [{ image: null }, /^g\/guest\.json: "image" is null, not a text/],
      [{ image: 'k', memory: null }, /^g\/guest\.json: "memory" is null/],
      [{ image: 'k', memory: 'lots' }, /^g\/guest\.json: "memory": 'lots' is not a size/],
      [{ image: 'k', vga: 'true' }, /^g\/guest\.json: "vga" is "true", not true or false/],
      [{ image: 'k', mode: 'unreal' }, /^g\/guest\.json: "mode".*'unreal' is not one of/],
      [{ image: 'k', regions: [3] }, /^g\/guest\.json: "regions" is \[3\]/],
      [{ image: 'k', timeoutMs: -1 }, /^g\/guest\.json: "timeoutMs" is -1, not a whole number from 1/],
      [{ image: 'k', memroy: 1 }, /^g\/guest\.json: there is no field "memroy"/],
      // A folder that somebody sent does not decide which code of the host's runs.
      [
        { image: 'k', devices: [{ module: 'file:///x.mjs' }] },
        /^g\/guest\.json: "devices" can be set only by/,
      ],
      [{ image: 'k', engine: 'kvm' }, /^g\/guest\.json: "engine" can be set only by/],
    ];
    for (const [said, message] of wrong)
      assert.throws(() => parse(said), { code: 'EIMAGE', message }, String(message));
    assert.throws(() => parseGuestFile('{', 'g/guest.json'), { code: 'EIMAGE', message: /not JSON/ });
  });

  test('of any shape never ends in another error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (said) => {
        try {
          parse(said);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'EIMAGE');
        }
      }),
    );
  });
});

function normal(spec: object): unknown {
  return JSON.parse(
    JSON.stringify(spec, (_, value: unknown) =>
      value === false ? undefined : Array.isArray(value) && value.length === 0 ? undefined : value,
    ),
  );
}
