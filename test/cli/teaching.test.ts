/** The recipes of docs/teaching, run as their platforms run them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { cli, noGcc, root, Scratch, terrarium } from '../support.js';

const recipes = path.join(root, 'docs/teaching');

/** `terrarium` in PATH, as in an installation. */
function installed(scratch: Scratch): NodeJS.ProcessEnv {
  mkdirSync(scratch.file('bin'));
  writeFileSync(scratch.file('bin/terrarium'), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`);
  chmodSync(scratch.file('bin/terrarium'), 0o755);
  return {
    ...process.env,
    PATH: `${scratch.file('bin')}:${process.env.PATH}`,
    XDG_CACHE_HOME: scratch.file('cache'),
  };
}

describe('recipes for classes', { skip: noGcc }, () => {
  test('Gradescope: the packed autograder writes results.json, with the same inputs at each try', () => {
    using scratch = new Scratch();
    const env = installed(scratch);
    terrarium(['exercise', 'new', 'sum'], { cwd: scratch.path });
    assert.equal(
      terrarium(['exercise', 'pack', 'sum', '--gradescope', 'auto.zip'], { cwd: scratch.path }).status,
      0,
    );
    // As Gradescope does: the ZIP is unpacked to source/, with run_autograder beside it.
    const home = scratch.file('autograder');
    mkdirSync(path.join(home, 'submission'), { recursive: true });
    execFileSync('python3', ['-m', 'zipfile', '-e', scratch.file('auto.zip'), path.join(home, 'source')]);
    cpSync(path.join(home, 'source/run_autograder'), path.join(home, 'run_autograder'));
    writeFileSync(
      path.join(home, 'submission_metadata.json'),
      '{\n "users": [{\n  "email": "ada@example.org"\n }]\n}\n',
    );
    const grade = (source: string) => {
      cpSync(scratch.file(`sum/${source}`), path.join(home, 'submission/kernel.S'));
      const done = spawnSync('sh', [path.join(home, 'run_autograder')], {
        encoding: 'utf8',
        env: { ...env, AUTOGRADER: home },
      });
      assert.equal(done.status, 0, done.stderr);
      return JSON.parse(readFileSync(path.join(home, 'results/results.json'), 'utf8')) as {
        score: number;
        tests: { name: string; score: number; max_score: number; output?: string }[];
        extra_data: { seed: string };
      };
    };
    const right = grade('solution/kernel.S');
    assert.equal(right.score, 10);
    assert.deepEqual(
      right.tests.map(({ max_score }) => max_score),
      [0, 4, 6],
    );
    const wrong = grade('wrong/eight-bits.S');
    assert.equal(wrong.score, 0);
    assert.match(wrong.tests[1]!.output!, /16 bits.*\nexpected \d+, found \d+/);
    assert.doesNotMatch(wrong.tests[2]!.output!, /expected/, 'a hidden run shows no values');
    assert.equal(wrong.extra_data.seed, right.extra_data.seed);
  });

  test('GitHub Classroom: the step of the workflow passes and fails with the submission', () => {
    using scratch = new Scratch();
    const env = { ...installed(scratch), GITHUB_ACTOR: 'ada' };
    terrarium(['exercise', 'new', 'exercise'], { cwd: scratch.path });
    mkdirSync(scratch.file('start'));
    const [, step] = /- name: Grade\n +run: \|\n((?: {10}.*\n)+)/.exec(
      readFileSync(path.join(recipes, 'classroom.yml'), 'utf8'),
    )!;
    const run = () =>
      spawnSync('bash', ['-e', '-c', step!.replace(/^ {10}/gm, '')], {
        cwd: scratch.path,
        encoding: 'utf8',
        env,
      });
    cpSync(scratch.file('exercise/start/kernel.S'), scratch.file('start/kernel.S'));
    const before = run();
    assert.equal(before.status, 1, before.stderr);
    assert.match(before.stdout, /0 of 10 points/);
    cpSync(scratch.file('exercise/solution/kernel.S'), scratch.file('start/kernel.S'));
    const done = run();
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /10 of 10 points/);
    assert.ok(existsSync(scratch.file('report/students/ada.html')));
  });

  test('cron: each night’s report replaces the previous one', () => {
    using scratch = new Scratch();
    const env = { ...installed(scratch), CLASS: scratch.path };
    terrarium(['exercise', 'new', 'exercise'], { cwd: scratch.path });
    writeFileSync(scratch.file('secret'), 'word\n');
    const run = () => {
      const done = spawnSync('sh', [path.join(recipes, 'nightly.sh')], { encoding: 'utf8', env });
      assert.equal(done.status, 0, done.stderr + readFileSync(scratch.file('report.log'), 'utf8'));
      return readdirSync(scratch.file('report/students'));
    };
    cpSync(scratch.file('exercise/solution'), scratch.file('submissions/ada'), { recursive: true });
    assert.deepEqual(run(), ['ada.html']);
    cpSync(scratch.file('exercise/start'), scratch.file('submissions/bob'), { recursive: true });
    assert.deepEqual(run(), ['ada.html', 'bob.html']);
    assert.match(readFileSync(scratch.file('report/grades.csv'), 'utf8'), /^bob,,,0,10,graded,no,/m);
    assert.deepEqual(readdirSync(scratch.file('report.old/students')), ['ada.html']);
  });

  test('the manifests name this version’s queue, and are YAML', {
    skip: spawnSync('python3', ['-c', 'import yaml']).status !== 0 && 'SKIPPED: no python3-yaml here',
  }, () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    const text = readFileSync(path.join(recipes, 'kubernetes/workers.yml'), 'utf8');
    assert.ok(text.includes(`bull:terrarium-grading-${version}:wait`));
    for (const file of ['kubernetes/workers.yml', 'compose.yml', 'classroom.yml'])
      execFileSync('python3', [
        '-c',
        'import sys, yaml; assert all(yaml.safe_load_all(open(sys.argv[1])))',
        path.join(recipes, file),
      ]);
  });
});
