/**
 * The course as a student takes it: each lesson starts, its solution passes, and wrong solutions are refused with
 * messages.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { EngineName } from '../../src/config/index.js';
import {
  type CheckedLesson,
  checkFolder,
  type Lesson,
  readLessons,
  startLesson,
} from '../../src/course/index.js';

import { noGcc, noKvm, Scratch, terrarium } from '../support.js';

const lessons = readLessons();

/** Puts a source in place of the student's and checks the folder. */
async function checkWith(
  lesson: Lesson,
  folder: string,
  source: string,
  engine?: EngineName,
): Promise<CheckedLesson> {
  startLesson(lesson, folder);
  writeFileSync(path.join(folder, lesson.guest.image), source);
  return checkFolder(folder, engine);
}

const solutionOf = ({ folder, guest }: Lesson) =>
  readFileSync(path.join(folder, 'solution', guest.image), 'utf8');

/** A wrong solution: a separate source, or the right one with changes; and the check that refuses it. */
function readWrong(lesson: Lesson, name: string): { source: string; refused: string } {
  const text = readFileSync(path.join(lesson.folder, 'wrong', name), 'utf8');
  if (!name.endsWith('.json')) {
    const refused = /refused: (.*?)(?: \*\/)?$/m.exec(text)?.[1];
    assert.ok(refused, 'a wrong solution says in its first line which check refuses it');
    return { source: text, refused };
  }
  const { refused, changes } = JSON.parse(text) as {
    refused: string;
    changes: { from: string[]; to: string[] }[];
  };
  let source = solutionOf(lesson);
  for (const { from, to } of changes) {
    const parts = source.split(from.join('\n'));
    assert.equal(parts.length, 2, `'${from.join('\n')}' stands once in the solution`);
    source = parts.join(to.join('\n'));
  }
  return { source, refused };
}

const failed = ({ checks }: CheckedLesson) =>
  checks.filter(({ ok }) => !ok).map(({ expect, found }) => `${expect}: found ${found}`);

describe('the course', { skip: noGcc }, () => {
  test('has its lessons numbered from 1, each with a page, a start, a solution and wrong ones', () => {
    assert.deepEqual(
      lessons.map(({ number }) => number),
      lessons.map((_, i) => i + 1),
    );
    for (const { folder, checks, guest } of lessons) {
      const page = readFileSync(path.join(folder, 'README.md'), 'utf8');
      for (const part of [
        '## What to know',
        '## Read and run',
        '## Your task',
        'Hint',
        'Solution',
        '## Questions',
      ])
        assert.ok(page.includes(part), `${folder}: ${part}`);
      for (const part of ['start', 'solution']) assert.ok(existsSync(path.join(folder, part, guest.image)));
      assert.ok(readdirSync(path.join(folder, 'wrong')).length >= 2, folder);
      assert.ok(checks.length >= 2, folder);
    }
  });

  for (const lesson of lessons) {
    describe(`lesson ${lesson.number}: ${lesson.title}`, () => {
      for (const [engine, skip] of [['kvm', noKvm] as const, ['soft', false] as const]) {
        test(`its solution passes on ${engine}`, { skip }, async () => {
          using scratch = new Scratch();
          assert.deepEqual(
            failed(await checkWith(lesson, scratch.file('mine'), solutionOf(lesson), engine)),
            [],
          );
        });
      }

      test('its start files compile and do not pass', async () => {
        using scratch = new Scratch();
        startLesson(lesson, scratch.file('mine'));
        assert.notDeepEqual(failed(await checkFolder(scratch.file('mine'))), []);
      });

      for (const wrong of readdirSync(path.join(lesson.folder, 'wrong'))) {
        test(`${wrong} is refused`, async () => {
          using scratch = new Scratch();
          const { source, refused } = readWrong(lesson, wrong);
          const { checks } = await checkWith(lesson, scratch.file('mine'), source);
          const missed = checks.filter(({ ok }) => !ok);
          assert.ok(
            missed.some(({ expect }) => expect === refused),
            `refused were ${missed.map(({ expect }) => expect).join('; ') || 'none'}`,
          );
          for (const { missing } of missed) assert.ok(missing.length > 20);
        });
      }
    });
  }
});

describe('terrarium course', { skip: noGcc || noKvm }, () => {
  test('lists, starts and checks', () => {
    using scratch = new Scratch();
    const listed = terrarium(['course']);
    assert.equal(listed.status, 0, listed.stderr);
    for (const { title } of lessons) assert.ok(listed.stdout.includes(title));
    const started = terrarium(['course', 'start', '1'], { cwd: scratch.path });
    assert.match(started.stdout, /course check lesson-01/);
    const again = terrarium(['course', 'start', '1'], { cwd: scratch.path });
    assert.equal(again.status, 2);
    assert.match(again.stderr, /exists already/);
    const notYet = terrarium(['course', 'check', 'lesson-01'], { cwd: scratch.path });
    assert.equal(notYet.status, 1, notYet.stderr);
    assert.match(notYet.stdout, /Not yet/);
    // It begins without a HLT: the checks that hold nevertheless are distinguished from the others.
    assert.match(
      notYet.stdout,
      /exits=1\n {4}This does not count yet[^\n]*\n {4}expected 1, found 1 when the guest died/,
    );
    const solution = path.join(lessons[0]!.folder, 'solution/kernel.S');
    copyFileSync(solution, scratch.file('lesson-01/kernel.S'));
    const done = terrarium(['course', 'check', 'lesson-01'], { cwd: scratch.path });
    assert.equal(done.status, 0, done.stdout);
    assert.match(done.stdout, /Done\. Next: terrarium course start 2/);
  });

  test('shows the compiler’s warnings', () => {
    using scratch = new Scratch();
    terrarium(['course', 'start', '7', 'mine'], { cwd: scratch.path });
    const source = scratch.file('mine/kernel.c');
    writeFileSync(source, `${readFileSync(source, 'utf8')}\nstatic int left_over;\n`);
    const { stderr } = terrarium(['course', 'check', 'mine'], { cwd: scratch.path });
    assert.match(stderr, /kernel\.c:\d+:\d+: warning: .*left_over/);
  });

  test('checks a folder of C from inside, where each changed copy has a namesake', () => {
    using scratch = new Scratch();
    terrarium(['course', 'start', '7', 'mine'], { cwd: scratch.path });
    const { status, stdout, stderr } = terrarium(['course', 'check'], { cwd: scratch.file('mine') });
    assert.equal(status, 1, stderr);
    assert.match(stdout, /Not yet/);
  });

  test('reports errors in a folder, a number or a source', () => {
    using scratch = new Scratch();
    const inFolder = (...words: string[]) => terrarium(['course', ...words], { cwd: scratch.path });
    assert.match(inFolder('start', '99').stderr, /no lesson 99/);
    assert.equal(inFolder('check').status, 2);
    assert.match(inFolder('check').stderr, /course start 1/);
    writeFileSync(scratch.file('guest.json'), '{ "image": "kernel.S" }');
    assert.match(inFolder('check').stderr, /names no lesson/);
    inFolder('start', '1', 'mine');
    writeFileSync(scratch.file('mine/kernel.S'), 'not an instruction\n');
    const broken = inFolder('check', 'mine');
    assert.equal(broken.status, 2);
    assert.match(broken.stderr, /does not compile/);
  });
});
