/** The course as a student takes it: each lesson starts, its solution passes, and what is wrong is refused in words. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import {
  type CheckedLesson,
  checkFolder,
  type Lesson,
  readLessons,
  startLesson,
} from '../src/course/index.js';
import type { EngineName } from '../src/host/index.js';
import { noGcc, noKvm, Scratch, terrarium } from './support.js';

const lessons = readLessons();

/** Puts `file` in place of the student's and checks the folder. */
async function checkWith(
  lesson: Lesson,
  folder: string,
  file: string,
  engine?: EngineName,
): Promise<CheckedLesson> {
  startLesson(lesson, folder);
  rmSync(path.join(folder, lesson.guest.image));
  copyFileSync(file, path.join(folder, lesson.guest.image));
  return checkFolder(folder, engine);
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
          const solution = path.join(lesson.folder, 'solution', lesson.guest.image);
          assert.deepEqual(failed(await checkWith(lesson, scratch.file('mine'), solution, engine)), []);
        });
      }

      test('what it starts with compiles and does not pass', async () => {
        using scratch = new Scratch();
        startLesson(lesson, scratch.file('mine'));
        assert.notDeepEqual(failed(await checkFolder(scratch.file('mine'))), []);
      });

      for (const wrong of readdirSync(path.join(lesson.folder, 'wrong'))) {
        test(`${wrong} is refused`, async () => {
          using scratch = new Scratch();
          const file = path.join(lesson.folder, 'wrong', wrong);
          const why = /refused: (.*?)(?: \*\/)?$/m.exec(readFileSync(file, 'utf8'))?.[1];
          assert.ok(why, 'a wrong solution says in its first line which check refuses it');
          const { checks } = await checkWith(lesson, scratch.file('mine'), file);
          const refused = checks.filter(({ ok }) => !ok);
          assert.ok(
            refused.some(({ expect }) => expect === why),
            `refused were ${refused.map(({ expect }) => expect).join('; ') || 'none'}`,
          );
          for (const { missing } of refused) assert.ok(missing.length > 20);
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
    assert.match(again.stderr, /is there already/);
    const notYet = terrarium(['course', 'check', 'lesson-01'], { cwd: scratch.path });
    assert.equal(notYet.status, 1, notYet.stderr);
    assert.match(notYet.stdout, /Not yet/);
    const solution = path.join(lessons[0]!.folder, 'solution/kernel.S');
    copyFileSync(solution, scratch.file('lesson-01/kernel.S'));
    const done = terrarium(['course', 'check', 'lesson-01'], { cwd: scratch.path });
    assert.equal(done.status, 0, done.stdout);
    assert.match(done.stdout, /Done\. Next: terrarium course start 2/);
  });

  test('says what is wrong with a folder, a number or a source', () => {
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
