/**
 * The six rules on which recordings, time travel, several CPUs and grading depend (docs/architecture.md). The tests
 * that `heldBy` names check runs; here are scans for the usual ways to break a rule.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import * as room from '../../src/devices/index.js';

const rules = {
  inputs: {
    rule: 'Rule 1: inputs from outside pass one gate, machine/inputs.',
    why: 'An input on another path is missing in a recording, whose replay then differs.',
    what: 'Take it from `host.inputs` or `host.clock` of the device’s DeviceHost.',
    heldBy: ['test/machine/inputs.test.ts', 'test/tree/outside.test.ts'],
  },
  time: {
    rule: 'Rule 2: time is one clock with alarms, and nothing polls.',
    why: 'The software CPU jumps from alarm to alarm and KVM sleeps between them: a device that is asked regularly slows every exit down.',
    what: 'Schedule an alarm: `host.clock`, `at`, `cancel`.',
    heldBy: ['src/time/time.test.ts', 'test/engines/deterministic.test.ts'],
  },
  state: {
    rule: 'Rule 3: a device’s state is whole.',
    why: 'Snapshots, forks and time travel restore it in the middle of everything, and no guest may notice.',
    what: 'Give the class `save` and `load` for its whole state.',
    heldBy: ['test/machine/snapshot.test.ts', 'src/devices/every-device.test.ts'],
  },
  lines: {
    rule: 'Rule 4: a device has a line or sends messages, and knows no controller.',
    why: 'The controllers are ours, KVM’s, or divided between both; several devices share a pin.',
    what: 'Use the `Line` of the DeviceHost; the board (src/pc/) wires it to a controller.',
    heldBy: ['test/machine/lines.test.ts'],
  },
  cpus: {
    rule: 'Rule 5: CPUs are a list.',
    why: 'Code that takes the first one for the only one is wrong as soon as there are two.',
    what: 'Use the CPU that the exit, the stop or the selection names.',
    heldBy: ['src/trace/exit-log.test.ts', 'src/trace/json.test.ts'],
  },
  claims: {
    rule: 'Rule 6: claims of ports and addresses move, and only the bus knows who answers.',
    why: 'A guest moves a PCI BAR or a window while it runs: another place that knows the address would be wrong then.',
    what: 'Call the bus (machine/bus), which looks the claim up.',
    heldBy: ['test/machine/claims.test.ts', 'src/machine/bus/claims.test.ts'],
  },
} as const;

const src = path.resolve('src');

function sources(folder: string): string[] {
  return readdirSync(path.join(src, folder), { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !/\.test\.ts$|testing\.ts$|test-host\.ts$|-bench\.ts$/.test(file),
    )
    .map((file) => path.join(folder, file));
}

/** A source without its comments. */
const code = (file: string) =>
  readFileSync(path.join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, '');

/** @param wrong the files or names that break the rule */
function refuse(name: keyof typeof rules, wrong: readonly string[]): void {
  const { rule, why, what } = rules[name];
  assert.equal(wrong.length, 0, `\n  ${wrong.join('\n  ')}\n${rule}\n${why}\n${what}`);
}

describe('the six rules', () => {
  test('are each checked by tests that exist', () => {
    for (const { rule, heldBy } of Object.values(rules))
      assert.deepEqual(
        heldBy.filter((file) => !existsSync(file)),
        [],
        `${rule} Name the tests that hold it now.`,
      );
  });

  test('1: devices read no source of input themselves', () => {
    const reads = /\bprocess\.|\bsource\??\.(?:available|read)\b/i;
    refuse(
      'inputs',
      sources('devices').filter((file) => reads.test(code(file))),
    );
  });

  test('2: no device is polled', () => {
    // SIMVIRTIO's subject is polling: of a guest's queue, on another thread or by an alarm.
    const files = [...sources('devices'), ...sources('pc')].filter((file) => !file.includes('simvirtio'));
    refuse(
      'time',
      files.filter((file) => /^\s+(?:poll|tick|everyExit)\w*\??\(/m.test(code(file))),
    );
  });

  test('3: every device saves and restores its state', () => {
    const isDevice = ({ prototype }: { prototype: object }) =>
      ['readPort', 'writePort', 'readMemory', 'writeMemory'].some((name) => name in prototype);
    const classes = Object.entries(room).filter(
      ([, value]) => typeof value === 'function' && /^class /.test(String(value)),
    ) as [string, { prototype: object }][];
    const devices = classes.filter(([, value]) => isDevice(value));
    assert.ok(devices.length >= 15, `${devices.length} devices`);
    refuse(
      'state',
      devices
        .filter(([, { prototype }]) => !('save' in prototype && 'load' in prototype))
        .map(([name]) => name),
    );
  });

  test('4: no device imports a controller', () => {
    const own = /^devices\/(?:apic|pic8259|index\.ts)/;
    refuse(
      'lines',
      sources('devices').filter(
        (file) => !own.test(file) && /from '(?:\.\.?\/)+(?:apic|pic8259)\//.test(code(file)),
      ),
    );
  });

  test('5: no code treats the first CPU as the only one', () => {
    const allowed = [
      // The CPU that starts first, from which a machine boots.
      'machine/machine.ts',
      // FERR# of a PC goes from its first processor to IRQ 13 (IBM AT Technical Reference).
      'devices/fpu-errors.ts',
    ];
    const files = readdirSync(src).filter((name) => !name.includes('.') && name !== 'apps');
    refuse(
      'cpus',
      files
        .flatMap(sources)
        .filter((file) => !allowed.includes(file) && /\bcpus(?:\[0\]|\.at\(0\))/.test(code(file))),
    );
  });

  test('6: only the bus calls a device for an access', () => {
    const calls = /\.(?:read|write)(?:Port|Memory)\(/;
    const files = ['machine', 'pc', 'debug', 'runtime'].flatMap(sources);
    refuse(
      'claims',
      files.filter((file) => !file.startsWith('machine/bus/') && calls.test(code(file))),
    );
  });
});
