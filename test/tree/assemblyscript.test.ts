/**
 * The software CPU's AssemblyScript in an editor, by `src/engine/soft/cpu/tsconfig.json`: TypeScript reads all of it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** TypeScript's errors for correct code: where AssemblyScript is another language. */
const dialect: readonly { why: string; says: RegExp }[] = [
  {
    why: 'a type parameter may be a number, with which one calculates',
    says: /TS236[235]: .*(arithmetic operation|Operator '.*' cannot be applied to types)/,
  },
  {
    why: 'a number is given where a type parameter is',
    says: /TS23(22|45): .*'number' is not assignable to (parameter of )?type 'T'/,
  },
  {
    why: 'a boolean is a number of one bit',
    says: /TS2352: Conversion of type 'boolean' to type 'number'|TS2322: Type 'bool' is/,
  },
  {
    why: 'these two are generated from the opcode table',
    says: /TS2307: .*'(\.\.?\/)+(decode-table|handlers)'/,
  },
  {
    why: 'a type parameter of the library is bounded by classes',
    says: /TS2344: Type '\w+' does not satisfy the constraint/,
  },
  {
    why: 'its library names a kind of floats Number, which is a class in TypeScript',
    says: /std\/assembly\/index\.d\.ts\(.*TS2316: Global type 'Number'/,
  },
];

test('the software CPU’s sources have no errors but those of the dialect', () => {
  const tsc = spawnSync(
    process.execPath,
    ['node_modules/@typescript/native/bin/tsc', '-p', 'src/engine/soft/cpu', '--noEmit', '--pretty', 'false'],
    { encoding: 'utf8' },
  );
  // Lines that begin with a blank explain the one before.
  const errors = tsc.stdout.split('\n').filter((line) => /^\S/.test(line));
  assert.ok(errors.length > 0, tsc.stderr);
  assert.deepEqual(
    errors.filter((error) => !dialect.some(({ says }) => says.test(error))),
    [],
  );
  // Every exception still has its cause.
  for (const { why, says } of dialect)
    assert.ok(
      errors.some((error) => says.test(error)),
      why,
    );
});
