/** `npm test`: several files are one run, and words choose among files and tests. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root, Scratch } from '../support.js';

const script = (name: string) => path.join(root, 'scripts', name);
const head = `import { describe, test } from 'node:test'; import assert from 'node:assert/strict';\n`;

/** Two test files: one that passes, one with a failure. */
function writeFiles(scratch: Scratch): { good: string; bad: string } {
  const [good, bad] = [scratch.file('good.mjs'), scratch.file('bad.mjs')];
  const [skipped, fails] = [
    "test('two', { skip: 'why' }, () => {});",
    "test('red one', () => assert.equal(1, 2));",
  ];
  writeFileSync(good, `${head}describe('good', () => { test('one', () => {}); ${skipped} });`);
  writeFileSync(bad, `${head}describe('bad', () => { ${fails} test('two', () => {}); });`);
  return { good, bad };
}

function runTests(plan: object) {
  // Without NODE_TEST_CONTEXT, with which Node would treat it as a test file of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const words = [script('run-tests.mjs'), JSON.stringify({ shared: [], alone: [], patterns: [], ...plan })];
  return spawnSync(process.execPath, words, { encoding: 'utf8', env: { ...env, NO_COLOR: '1' } });
}

describe('the test run', () => {
  test('of several files has one summary, and shows the failures again at its end', () => {
    using scratch = new Scratch();
    const { good, bad } = writeFiles(scratch);
    const { stdout, status } = runTests({ shared: [bad], alone: [good] });
    assert.equal(status, 1);
    const [during, after] = stdout.split('✖ failing tests:');
    assert.match(during!, /✖ red one/);
    assert.match(after!, /✖ red one/);
    const summary = [...during!.matchAll(/^ℹ (\w+ \d+)/gm)].map(([, line]) => line);
    const expected = 'tests 4, suites 2, pass 2, fail 1, cancelled 0, skipped 1, todo 0';
    assert.deepEqual(summary.slice(0, -1), expected.split(', '));
  });

  test('lists the time of each file, and the processor time of its programs', () => {
    using scratch = new Scratch();
    const [busy, idle] = [scratch.file('busy.mjs'), scratch.file('idle.mjs')];
    const work = 'while (process.cpuUsage().user < 500_000);';
    const child = `execFileSync(process.execPath, ['-e', ${JSON.stringify(work)}]);`;
    writeFileSync(busy, `import { execFileSync } from 'node:child_process'; ${child}`);
    writeFileSync(idle, head);
    const { stdout, status } = runTests({ shared: [idle, busy], times: true });
    assert.equal(status, 0);
    const [first, second] = [...stdout.matchAll(/its programs +([\d.]+) s {2}(\S+)/g)];
    assert.deepEqual([first?.[2], second?.[2]], [busy, idle]);
    assert.ok(Number(first![1]) >= 0.5, stdout);
  });

  test('of a group is one process; where it ends early each file runs again separately, and the cause is named', () => {
    using scratch = new Scratch();
    const { good, bad } = writeFiles(scratch);
    const says = (name: string) => {
      const file = scratch.file(name);
      writeFileSync(file, `${head}test('${name} in ' + process.pid, () => {});`);
      return file;
    };
    const [one, two] = [says('one.mjs'), says('two.mjs')];
    const whole = runTests({ shared: [[one, good, two]], times: true });
    assert.equal(whole.status, 0, whole.stdout);
    const [first, second] = [...whole.stdout.matchAll(/(?:one|two)\.mjs in (\d+)/g)];
    assert.equal(first![1], second![1]);
    for (const file of [one, good, two])
      assert.ok(whole.stdout.includes(`  ${file}\n`), 'with a time of its own');
    const failing = runTests({ shared: [[bad, one]] });
    assert.equal(failing.status, 1);
    assert.match(failing.stdout, /^ℹ tests 3$/m);
    const ends = scratch.file('ends.mjs');
    writeFileSync(ends, `${head}test('ends', () => process.exit(7));`);
    const ended = runTests({ shared: [[one, ends, good]] });
    assert.equal(ended.status, 1);
    assert.match(ended.stdout, /did not complete; each runs again separately/);
    assert.match(ended.stdout, /^✖ .*ends\.mjs/m);
    assert.match(ended.stdout, /^ℹ pass 2$/m);
  });

  test('ends a file that hangs, and not one that keeps reporting for as long', () => {
    using scratch = new Scratch();
    const [hangs, slow] = [scratch.file('hangs.mjs'), scratch.file('slow.mjs')];
    const forever = 'new Promise(() => setInterval(() => {}, 1000))';
    writeFileSync(hangs, `${head}test('first', () => {}); test('waits', () => ${forever});`);
    const pause = "import { setTimeout as pause } from 'node:timers/promises';";
    const steps = 'for (let n = 0; n < 8; n++) test("step " + n, () => pause(1000));';
    writeFileSync(slow, `${head}${pause}${steps}`);
    const { stdout, status } = runTests({ shared: [hangs, slow], patienceMs: 6000 });
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^✖ .*hangs\.mjs/m);
    assert.match(stdout, /hangs\.mjs reported nothing for 6 s and was ended/);
    assert.match(stdout, /✔ step 7/);
  });

  test('by name shows and counts only tests with the name', () => {
    using scratch = new Scratch();
    const { good, bad } = writeFiles(scratch);
    const { stdout, status } = runTests({ shared: [bad, good], patterns: ['one'] });
    assert.equal(status, 1);
    assert.doesNotMatch(stdout, /two/);
    assert.match(stdout, /^ℹ tests 2$/m);
    assert.match(stdout, /^ℹ skipped 0$/m);
    const none = runTests({ shared: [bad, good], patterns: ['three'] });
    assert.equal(none.status, 1);
    assert.match(none.stderr, /no test has 'three' in its name/);
  });
});

interface Selection {
  testFiles(): string[];
  select(words: readonly string[]): { files: string[]; patterns: string[] };
  schedule(files: readonly string[]): { shared: (string | string[])[]; alone: string[] };
}
const load = () => import(pathToFileURL(script('select-tests.mjs')).href) as Promise<Selection>;

describe('the words of npm test', () => {
  test('select files by their path and tests by their name', async () => {
    const { select } = await load();
    const tree = select(['test/tree/test-command']);
    assert.deepEqual(tree, { files: ['test/tree/test-command.test.ts'], patterns: [] });
    const named = select(['shows and counts what (has)']);
    assert.deepEqual(named.patterns, ['shows and counts what \\(has\\)']);
    const both = select(['tree', 'select files by their path']);
    assert.deepEqual(both.files, ['test/tree/test-command.test.ts']);
  });

  test('list each file once, among those that share the machine or those that run alone', async () => {
    const { testFiles, schedule } = await load();
    const { shared: entries, alone } = schedule(testFiles());
    const shared = entries.flat();
    assert.ok(alone.length > 0);
    assert.deepEqual(
      [...shared, ...alone].sort(),
      testFiles()
        .map((file) => `build/${file.replace(/ts$/, 'js')}`)
        .sort(),
    );
    for (const file of [...shared, ...alone]) assert.ok(existsSync(path.join(root, file)), file);
  });
});

describe('npm run dev', () => {
  test('runs the tests that a change reaches by imports, the nearest first', async () => {
    const { reachedBy } = (await import(pathToFileURL(script('import-graph.mjs')).href)) as {
      reachedBy(changed: readonly string[]): string[];
    };
    const reached = reachedBy(['src/memory/guest-memory.ts']);
    const [own, far] = ['src/memory/guest-memory.test.ts', 'test/machine/hosted.test.ts'];
    assert.ok(reached.includes(own) && reached.includes(far), 'itself, and through the rooms above');
    assert.ok(reached.indexOf(own) < reached.indexOf(far));
    assert.deepEqual(reachedBy(['test/tree/test-command.test.ts']), ['test/tree/test-command.test.ts']);
  });
});
