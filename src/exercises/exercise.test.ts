import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { parseExercise } from './exercise.js';
import { FileCollector, SubmissionError, shownName } from './files.js';
import { Random, seedOf } from './random.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-exercise-'));
after(() => rmSync(folder, { recursive: true }));

const good = {
  guest: { image: 'kernel.S', mode: 'real' },
  checks: [{ expect: 'ax=42', missing: 'AX must be 42.', points: 2 }],
};
const parse = (said: unknown) => parseExercise(JSON.stringify(said), path.join(folder, 'exercise.json'));

describe('exercise.json', () => {
  test('says what is checked and where a run ends', () => {
    const exercise = parse({
      ...good,
      limits: { instructions: 1000, memory: '64K' },
      also: [{ input: 'x', hidden: true, checks: [{ expect: 'al=1', missing: 'no' }] }],
      source: [{ matches: 'iret', missing: 'IRET' }],
    });
    assert.equal(exercise.points, 4);
    assert.equal(exercise.limits.instructions, 1000);
    assert.equal(exercise.guest.memory, 65536);
    assert.deepEqual(
      exercise.runs.map(({ hidden }) => hidden),
      [false, true],
    );
  });

  for (const [what, said, message] of [
    ['no object', 7, /exercise\.json: 7 is not an object/],
    ['an unknown field', { ...good, check: [] }, /there is no field "check"/],
    ['no guest', { checks: good.checks }, /"guest" does not name the source/],
    ['a source outside of the folder', { ...good, guest: { image: '../kernel.S' } }, /not a file beside it/],
    ['nothing to check', { guest: good.guest }, /nothing is checked/],
    ['checks that are not a list', { ...good, checks: {} }, /"checks" is not a list/],
    [
      'an invalid expectation',
      { ...good, checks: [{ expect: 'rxa=1', missing: 'x' }] },
      /"checks"\[0\]: .*'rxa'/,
    ],
    [
      'a check without a message',
      { ...good, checks: [{ expect: 'ax=1' }] },
      /"checks"\[0\]: "missing" is missing/,
    ],
    ['points below 0', { ...good, checks: [{ expect: 'ax=1', missing: 'x', points: -1 }] }, /"points" is -1/],
    ['an invalid pattern', { ...good, source: [{ matches: '(', missing: 'x' }] }, /"source"\[0\]: "matches"/],
    ['points that are not the sum', { ...good, points: 3 }, /"points" is 3, and the checks have 2/],
    [
      'a module that does not exist',
      { ...good, module: 'checks.mjs', points: 2 },
      /names checks\.mjs, which does not exist/,
    ],
    ['a device elsewhere', { ...good, device: '/etc/passwd' }, /not a file beside it/],
    ['a limit of 0', { ...good, limits: { instructions: 0 } }, /"limits": "instructions" is 0/],
  ] as const) {
    test(`with ${what} is refused`, () => assert.throws(() => parse(said), message));
  }

  test('needs its points where a module checks', () => {
    writeFileSync(path.join(folder, 'checks.mjs'), '');
    assert.throws(() => parse(good), /"points" is missing/);
    rmSync(path.join(folder, 'checks.mjs'));
  });

  test('that is truncated or changed gives an error message, or an exercise', () => {
    const text = JSON.stringify(good);
    fc.assert(
      fc.property(fc.nat(text.length), fc.string({ maxLength: 3 }), (at, middle) => {
        try {
          parseExercise(text.slice(0, at) + middle + text.slice(at + 1), path.join(folder, 'exercise.json'));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'EEXERCISE', String(error));
        }
      }),
    );
  });
});

describe('random inputs', () => {
  test('follow from the seed', () => {
    const draw = (seed: string) => {
      const random = new Random(seed);
      return [random.int(0, 1e6), random.letters(8), [...random.bytes(4)], random.shuffle([1, 2, 3, 4, 5])];
    };
    assert.deepEqual(draw('ada'), draw('ada'));
    assert.notDeepEqual(draw('ada'), draw('bob'));
  });

  test('lie in their range, and each value is about equally frequent', () => {
    const random = new Random('range');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 7000; i++) counts[random.int(-3, 3) + 3]!++;
    // Chi-squared with 6 degrees of freedom exceeds 27.9 once in ten thousand; the seed is fixed.
    assert.ok(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0) < 27.9, counts.join());
    assert.throws(() => random.int(2, 1), /the lower one first/);
  });

  test('a teacher’s secret changes all seeds', () => {
    assert.equal(seedOf('sum', 'ada', 's'), seedOf('sum', 'ada', 's'));
    assert.notEqual(seedOf('sum', 'ada', 's'), seedOf('sum', 'ada', 't'));
    assert.notEqual(seedOf('sum', 'ada'), seedOf('sum', 'ad', 'a'));
  });
});

describe('names in a submission', () => {
  const collector = new FileCollector();
  for (const name of [
    '../kernel.S',
    '/etc/passwd',
    'a/../../b',
    'C:\\x',
    'C:x',
    'a\\b',
    'a\0b',
    './a',
    'a//b',
    '',
  ])
    test(`${JSON.stringify(name)} is refused`, () =>
      assert.throws(() => collector.wants(name), SubmissionError));

  test('of tools are left out, unusual ones are accepted', () => {
    for (const name of ['.git/config', '__MACOSX/kernel.S', 'a/node_modules/x'])
      assert.equal(collector.wants(name), false);
    for (const name of ['kernel.S', 'a b/ü.S', '-rf', '*.S', '$(id).S', 'a\nb'])
      assert.equal(collector.wants(name), true);
  });

  test('cannot move a terminal’s cursor', () =>
    assert.equal(shownName('a\x1b[2J\u202eb'), 'a\ufffd[2J\ufffdb'));
});
