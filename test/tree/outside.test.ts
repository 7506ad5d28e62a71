/**
 * The host's clock and randomness have one path to a guest: src/machine/inputs/host.ts. A scan of the sources, in
 * addition to the tests of runs.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

const src = path.resolve('src');
/** The rooms of a guest's machine. */
const rooms = [
  ...['boot', 'devices', 'engine/assist', 'engine/contract', 'engine/soft', 'machine', 'memory', 'net', 'pc'],
  ...['time', 'x86'],
];
const gate = 'machine/inputs/host.ts';
/** Files that read the host's clock for purposes that no guest can see. */
const unseen: Record<string, string> = {
  'engine/assist/cpu.ts': 'when the monitor wants the CPU back',
  'engine/soft/host/shared.ts': 'when the monitor wants the CPU back',
  'engine/soft/translate/index.ts': 'how long translation may take at a time',
  'engine/soft/translate/preparation.ts': 'how long translation may take at a time',
  'engine/soft/translate/region.ts': 'how long translation may take at a time',
};
/** Sources of values that differ from run to run. */
const outside =
  /\bperformance\b|\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b|\bcrypto\b|\bhrtime\b|\bset(?:Timeout|Interval|Immediate)\b|\bprocess\b/;

function sources(room: string): string[] {
  return readdirSync(path.join(src, room), { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.ts') && !/\.test\.ts$|testing\.ts$|test-host\.ts$|-bench\.ts$/.test(file),
    )
    .map((file) => path.join(room, file));
}

/** A source without its comments and texts. */
function code(file: string): string {
  return readFileSync(path.join(src, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

describe('the rooms of a machine', () => {
  const files = rooms.flatMap(sources);

  test('read the host’s time and randomness in only one file', () => {
    assert.ok(files.length > 100, `${files.length} files`);
    const found = files.filter((file) => outside.test(code(file)));
    assert.deepEqual(
      found.sort(),
      [...Object.keys(unseen), gate].sort(),
      `Rule 1: inputs from outside pass one gate, machine/inputs. A run with a clock or random numbers of its own cannot be replayed.
Take them from the device’s \`host.clock\` and \`host.inputs\`; the monitor’s own deadlines take \`hostTime\`.`,
    );
  });

  test('use the host’s time only for purposes that a guest cannot see, and in the gate', () => {
    const users = files.filter((file) => /(?<!#)\bhostTime\b/.test(code(file)) && !file.endsWith('index.ts'));
    assert.deepEqual(users.sort(), [
      'machine/cpus/pace.ts',
      'machine/cpus/run-loop.ts',
      // The time of machines that go by the host's clock.
      'machine/cpus/time.ts',
      gate,
    ]);
  });

  test('have devices that read no source themselves: only the gate does', () => {
    const asks = files.filter(
      (file) => file !== 'machine/inputs/inputs.ts' && /\bsource\??\.(?:available|read)\b/i.test(code(file)),
    );
    assert.deepEqual(asks, []);
  });
});
