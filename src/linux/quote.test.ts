import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { escaped, scriptOf } from './quote.js';

test('any arguments reach a program unchanged, through the line, printf and the shell', () => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).map((one) => one.replaceAll('\0', ''));
  const odd = fc.oneof(text, fc.constantFrom('\\', '\n', "'", '\\n', "'\\''", '$(id)', ' ', '\\0', '\\c'));
  fc.assert(
    fc.property(fc.array(odd, { minLength: 1, maxLength: 4 }), (args) => {
      const script = scriptOf(['printf', '%s|', ...args], { cwd: '/' });
      assert.ok(!escaped(script).includes('\n'));
      const back = `read -r line; line=$(printf "%b." "$line"); exec sh -c "\${line%.}"`;
      const { stdout } = spawnSync('sh', ['-c', back], { input: `${escaped(script)}\n` });
      assert.ok(stdout.equals(Buffer.from(args.map((one) => `${one}|`).join(''))), JSON.stringify(args));
    }),
    { numRuns: 60 },
  );
});
