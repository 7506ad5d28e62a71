/** `terrarium grade`: a class with all kinds of submissions. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { cli, noGcc, root, Scratch, terrarium } from '../support.js';

const scratch = new Scratch();
after(() => scratch[Symbol.dispose]());
// Results of earlier runs on this host must not be used here.
process.env.XDG_CACHE_HOME = scratch.file('cache');

const lesson = path.join(root, 'docs/course/05-interrupts');
const solution = readFileSync(path.join(lesson, 'solution/kernel.S'), 'utf8');

/** Makes a submission: a folder with files. */
function hand(folder: string, files: Record<string, string | Buffer>): void {
  mkdirSync(scratch.file(folder), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(scratch.file(`${folder}/${name}`)), { recursive: true });
    writeFileSync(scratch.file(`${folder}/${name}`), text);
  }
}

interface Report {
  passed: number;
  submissions: {
    id: string;
    name?: string;
    seed: string;
    verdict: {
      state: string;
      points: number;
      outOf: number;
      problem?: string;
      build?: { message: string };
      checks: { name: string; ok: boolean }[];
      runs: { outcome: string; console: string }[];
    };
  }[];
}

const run = (...words: string[]) => terrarium(['grade', ...words], { cwd: scratch.path });
function grade(...words: string[]): Report {
  const { status, stdout, stderr } = run(...words, '--json', '-');
  assert.ok(stdout.startsWith('{'), `status ${status}: ${stderr}`);
  return JSON.parse(stdout) as Report;
}
const one = (report: Report, id: string) => {
  const found = report.submissions.find((entry) => entry.id === id);
  assert.ok(found, `${id} among ${report.submissions.map((entry) => entry.id).join()}`);
  return found.verdict;
};

describe('terrarium grade', { skip: noGcc }, () => {
  hand('class/ada', { 'kernel.S': solution });
  hand('class/nested', { 'lesson 5/src/kernel.S': solution });
  hand('class/renamed', { 'my-kernel.S': solution });
  hand('class/start', { 'kernel.S': readFileSync(path.join(lesson, 'start/kernel.S')) });
  hand('class/nothing', {});
  hand('class/not-code', { 'essay.txt': 'I did it.' });
  hand('class/broken', { 'kernel.S': '.code16\n_start: movv $1, %ax\n' });
  hand('class/endless', { 'kernel.S': '.code16\n.globl _start\n_start: jmp _start\n' });
  hand('class/flood', {
    'kernel.S': ".code16\n.globl _start\n_start: mov $'x', %al\n1: out %al, $0xe9\njmp 1b\n",
  });
  hand('class/sleeper', {
    'kernel.S':
      '#include "interrupts.h"\n.code16\n.globl _start\n_start: cli\nmovw $tick, VECTOR_PIC * 4\nmovw %cs, VECTOR_PIC * 4 + 2\npic_init 1 << IRQ_TIMER\npit_init 1000\nsti\n1: hlt\njmp 1b\ntick: push %ax\nmov $PIC_EOI, %al\nout %al, $PORT_PIC\npop %ax\niret\n',
  });
  hand('class/dies', { 'kernel.S': '.code16\n.globl _start\n_start: lidt 0x700\nint $3\n' });
  hand('class/thief', { 'kernel.S': '.code16\n.globl _start\n_start: .incbin "/etc/passwd"\n' });
  hand('class/linker', { 'kernel.S': solution, 'kernel.lds': 'INCLUDE /etc/passwd\n' });
  hand('class/settings', {
    'kernel.S': solution,
    // A student can choose neither the machine nor the compiler's options.
    'guest.json': '{ "image": "kernel.S", "cflags": "-wrapper /bin/false", "memory": "1G", "mode": "long" }',
    Makefile: `all:\n\trm -rf ${scratch.file('class')}\n`,
  });
  hand('class/odd \' " $(id) ; <b>', { 'kernel.S': solution });
  hand('class/link', { 'other.txt': '' });
  symlinkSync('/etc/passwd', scratch.file('class/link/kernel.S'));
  hand('class/large', { 'kernel.S': solution, 'disk.img': Buffer.alloc(20 * 1024 * 1024) });
  execFileSync('tar', [
    '-czf',
    scratch.file('class/packed.tar.gz'),
    '-C',
    scratch.file('class/ada'),
    'kernel.S',
  ]);
  writeFileSync(scratch.file('class/cut.zip'), 'PK\x03\x04');

  test('judges each submission by its guest’s results, and those that cannot run by their errors', () => {
    const report = grade(lesson, 'class');
    for (const id of ['ada', 'nested', 'renamed', 'packed', 'settings', 'odd \' " $(id) ; <b>']) {
      const { state, points, outOf, checks } = one(report, id);
      assert.deepEqual(
        [state, points],
        ['graded', outOf],
        `${id}: ${JSON.stringify(checks.filter(({ ok }) => !ok))}`,
      );
    }
    assert.match(one(report, 'renamed').build!.message, /my-kernel\.S, the only source, was taken/);
    for (const id of ['start', 'endless', 'flood', 'sleeper', 'dies']) {
      const { state, points, outOf } = one(report, id);
      assert.equal(state, 'graded', id);
      assert.ok(points < outOf, id);
    }
    assert.equal(one(report, 'endless').runs[0]!.outcome, 'limit');
    assert.equal(one(report, 'sleeper').runs[0]!.outcome, 'limit');
    assert.ok(one(report, 'flood').runs[0]!.console.length <= 2000);
    assert.equal(one(report, 'dies').runs[0]!.outcome, 'shutdown');
    assert.ok(one(report, 'dies').checks.every(({ name, ok }) => !ok || name.startsWith('the source')));
    for (const [id, message] of [
      ['nothing', /is empty/],
      ['not-code', /no kernel\.S in the submission, which has essay\.txt/],
      ['broken', /kernel\.S:2: .*movv/],
      ['thief', /passwd/],
      ['linker', /passwd|kernel\.lds/],
      ['link', /'kernel\.S' is a link/],
      ['large', /larger than 16 MiB/],
      ['cut', /damaged/],
    ] as const) {
      const { state, build } = one(report, id);
      assert.equal(state, 'not-compiled', id);
      assert.match(build!.message, message, id);
      assert.doesNotMatch(build!.message, /root:|\/tmp\//, id);
    }
    assert.ok(existsSync(scratch.file('class/ada')), 'no Makefile was run');
    assert.equal(report.passed, 6);
  });

  test('gives the same report to the byte: again, without a cache, and with another number of processes', () => {
    const read = (name: string) => readFileSync(scratch.file(name));
    const files = ['--json', 'x.json', '--csv', 'x.csv', '--junit', 'x.xml', '--html', 'pages'];
    const pages = () => [
      ...readdirSync(scratch.file('pages/students'))
        .sort()
        .map((name) => `pages/students/${name}`),
      'pages/index.html',
      'x.json',
      'x.csv',
      'x.xml',
    ];
    run(lesson, 'class', ...files, '-j', '1', '--fresh');
    const first = new Map(pages().map((name) => [name, read(name)]));
    assert.equal(first.size, 19 + 4);
    for (const more of [[], ['--fresh', '-j', '3']]) {
      run(lesson, 'class', ...files, ...more);
      assert.deepEqual(pages(), [...first.keys()]);
      for (const [name, bytes] of first) assert.ok(bytes.equals(read(name)), name);
    }
    // A student's text is text on a page, at all places.
    const page = first.get('pages/index.html')!.toString();
    assert.ok(page.includes('$(id) ; &#60;b&#62;') && !page.includes('<b>"'));
    // A run opens in the lab; only a link's own letters follow the # of the address.
    const ada = first.get('pages/students/ada.html')!.toString();
    assert.match(ada, /<a href="http:\/\/localhost:8086\/#k=[\w-]+">Open this run in the lab<\/a>/);
    assert.match(first.get('x.csv')!.toString(), /^id,name,key,points/);
    execFileSync('python3', [
      '-c',
      'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])',
      scratch.file('x.xml'),
    ]);
  });

  test('continues after an interruption, and loses nothing', async () => {
    for (let i = 0; i < 40; i++) hand(`many/s${i}`, { 'kernel.S': `${solution}\n// ${i}\n` });
    const child = spawn(process.execPath, [cli, 'grade', lesson, 'many', '-j', '1'], {
      cwd: scratch.path,
      stdio: 'ignore',
    });
    const verdicts = scratch.file('cache/terrarium/grading/verdicts');
    const count = () =>
      readdirSync(verdicts, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /[0-9a-f]{64}$/.test(name),
      ).length;
    const before = count();
    while (count() < before + 5) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const known = count() - before;
    const again = run(lesson, 'many', '--json', 'many.json');
    assert.match(again.stdout, /40 submissions of Interrupts: 40 passed/);
    assert.equal(count() - before, 40);
    assert.ok(known >= 5 && known < 40);
  });

  test('reads exports of Moodle and Gradescope, and writes Moodle’s worksheet', () => {
    hand('moodle/Ada Lovelace_4711_assignsubmission_file_', { 'kernel.S': solution });
    hand('moodle/Bob Müller_4712_assignsubmission_file_', {
      'hand-in.tar.gz': readFileSync(scratch.file('class/packed.tar.gz')),
    });
    execFileSync('python3', [
      '-c',
      'import shutil, sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])',
      scratch.file('moodle'),
      scratch.file('moodle'),
    ]);
    for (const from of ['moodle', 'moodle.zip']) {
      const report = grade(lesson, from, '--moodle', 'moodle.csv');
      assert.deepEqual(
        report.submissions.map(({ name }) => name),
        ['Ada Lovelace', 'Bob Müller'].map((name) => Buffer.from(name).toString('latin1')),
      );
      assert.equal(report.passed, 2);
      assert.match(
        readFileSync(scratch.file('moodle.csv'), 'utf8'),
        /^Participant 4712,Bob Müller,7\.00,7\.00,All checks hold\.\r$/m,
      );
    }
    hand('scope/submission_9', { 'kernel.S': solution });
    writeFileSync(
      scratch.file('scope/submission_metadata.yml'),
      'submission_9:\n  :submitters:\n  - :name: Ada Lovelace\n    :sid: "7"\n    :email: ada@example.org\n  :score: 1\n',
    );
    const [ada] = grade(lesson, 'scope').submissions;
    assert.deepEqual([ada!.id, ada!.name], ['ada@example.org', 'Ada Lovelace']);
  });

  test('reads branches of a repository, a single source, and one folder', () => {
    mkdirSync(scratch.file('repo'));
    const git = (...words: string[]) =>
      execFileSync(
        'git',
        ['-C', scratch.file('repo'), '-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words],
        { stdio: 'pipe' },
      );
    git('init', '-q', '-b', 'hand-in/ada');
    cpSync(scratch.file('class/ada/kernel.S'), scratch.file('repo/kernel.S'));
    git('add', '.');
    git('commit', '-q', '-m', 'mine');
    const report = grade(lesson, 'git:repo#hand-in/*', 'class/ada/kernel.S', 'class/ada', 'class/ada');
    assert.deepEqual(
      report.submissions.map(({ id }) => id),
      ['ada', 'ada (2)', 'hand-in/ada', 'kernel'],
    );
    assert.equal(report.passed, 4);
  });

  test('reports missing words on the command line', () => {
    mkdirSync(scratch.file('none'));
    for (const [words, message] of [
      [[lesson, 'none'], /there are no submissions in none/],
      [[lesson, 'nowhere'], /nowhere: no such file or folder/],
      [['nowhere', 'class'], /nowhere: no such folder/],
      [['class', 'class'], /class: no exercise: it has no exercise\.json/],
      [[lesson], /missing required argument/],
      [[lesson, 'git:class'], /git in class/],
      [[lesson, 'class', '--gradescope', 'r.json'], /for one submission/],
    ] as const) {
      const { status, stderr } = run(...words);
      assert.match(stderr, message);
      assert.equal(status, 2, stderr);
    }
  });

  test('stops at an exercise that fails for all', () => {
    mkdirSync(scratch.file('throws'));
    cpSync(lesson, scratch.file('throws'), { recursive: true });
    const said = JSON.parse(readFileSync(scratch.file('throws/lesson.json'), 'utf8')) as object;
    writeFileSync(scratch.file('throws/lesson.json'), JSON.stringify({ ...said, points: 7 }));
    writeFileSync(
      scratch.file('throws/checks.mjs'),
      'export default () => {\n  throw new Error("typing mistake");\n};\n',
    );
    const { status, stderr } = run('throws', 'many');
    assert.match(
      stderr,
      /none of the first 5 submissions could be graded: checks\.mjs failed in line 2: Error: typing mistake/,
    );
    assert.notEqual(status, 0);
  });

  test('grades also with a cache that cannot be written', {
    skip: process.getuid?.() === 0,
  }, () => {
    chmodSync(scratch.path, 0o500);
    assert.equal(run(lesson, 'class/ada').status, 0);
    chmodSync(scratch.path, 0o700);
  });
});
