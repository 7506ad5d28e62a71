/** `terrarium exercise`: it makes exercises, and reports the mistakes in one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { noGcc, root, Scratch, terrarium } from '../support.js';

describe('terrarium exercise', { skip: noGcc }, () => {
  test('makes one that its check accepts, and reports the mistakes in a changed one', () => {
    using scratch = new Scratch();
    const inFolder = (...words: string[]) => terrarium(['exercise', ...words], { cwd: scratch.path });
    assert.match(inFolder('new', 'sum').stdout, /terrarium exercise check sum/);
    assert.match(inFolder('new', 'sum').stderr, /sum is not empty/);
    const good = inFolder('check', 'sum');
    assert.equal(good.status, 0, good.stdout + good.stderr);
    assert.match(
      good.stdout,
      / solution, seed 5: 10 of 10 points\n\S+ start: 0 of 10 points\n\S+ wrong\/eight-bits\.S/,
    );

    // A wrong solution that is right, one that is refused by another check, and a folder as a wrong solution.
    const wrong = scratch.file('sum/wrong');
    cpSync(scratch.file('sum/solution/kernel.S'), path.join(wrong, 'right.S'));
    writeFileSync(path.join(wrong, 'right.S'), `// refused: the sum\n${terrariumSolution}`);
    writeFileSync(
      path.join(wrong, 'other.S'),
      '// refused: no such message\n.code16\n.globl _start\n_start: hlt\n',
    );
    mkdirSync(path.join(wrong, 'folder'));
    writeFileSync(path.join(wrong, 'folder/kernel.S'), '.code16\n.globl _start\n_start: jmp .\n');
    writeFileSync(path.join(wrong, 'folder/refused.txt'), 'The guest did not end\n');
    cpSync(scratch.file('sum/wrong/nothing.S'), scratch.file('sum/solution/kernel.S'));
    const bad = inFolder('check', 'sum').stdout;
    assert.match(bad, / solution, seed 1: it must pass, and misses the sum of a short list/);
    assert.match(bad, / wrong\/right\.S: it passes, and must not/);
    assert.match(bad, / wrong\/other\.S: it must be refused by 'no such message'/);
    assert.match(bad, / wrong\/folder: 0 of 10 points/);
    rmSync(wrong, { recursive: true });
    assert.match(inFolder('check', 'sum').stdout, / wrong: there is no wrong solution/);
  });

  test('packs the students’ part, without solutions, and an autograder', () => {
    using scratch = new Scratch();
    const inFolder = (...words: string[]) => terrarium(['exercise', ...words], { cwd: scratch.path });
    inFolder('new', 'sum');
    assert.match(inFolder('pack', 'sum').stderr, /--students FILE\.zip/);
    const packed = inFolder('pack', 'sum', '--students', 'sum.zip', '--gradescope', 'auto.zip');
    assert.equal(packed.status, 0, packed.stderr);
    const names = (file: string) =>
      JSON.parse(
        execFileSync(
          'python3',
          [
            '-c',
            `import zipfile, json; print(json.dumps(zipfile.ZipFile('${scratch.file(file)}').namelist()))`,
          ],
          { encoding: 'utf8' },
        ),
      ) as string[];
    assert.deepEqual(names('sum.zip').sort(), ['sum/README.md', 'sum/guest.json', 'sum/kernel.S']);
    assert.ok(
      names('auto.zip').includes('run_autograder') && names('auto.zip').includes('exercise/exercise.json'),
    );
    assert.ok(!names('auto.zip').some((name) => /solution|wrong/.test(name)));
  });

  test('reports checks that throw, hang, or do not exist, within their time', () => {
    using scratch = new Scratch();
    terrarium(['exercise', 'new', 'sum'], { cwd: scratch.path });
    for (const name of readdirSync(scratch.file('sum')))
      if (/^checks/.test(name)) rmSync(scratch.file(`sum/${name}`));
    const check = (module: string, ...options: string[]) => {
      writeFileSync(scratch.file('sum/checks.mjs'), module);
      return terrarium(['exercise', 'check', 'sum', ...options], { cwd: scratch.path }).stdout;
    };
    assert.match(
      check('export default (exam) => {\n  exam.run().nothing();\n}'),
      /checks\.mjs failed in line 2: TypeError/,
    );
    assert.match(
      check('export default () => { for (;;); }', '--patience', '1s'),
      /after 1 s without a result: a check that does not end/,
    );
    assert.match(check('export default 7;'), /no function as its default export/);
    assert.match(check('export default () => process.exit(7);'), /the grader ended 3 times: with status 7/);
    assert.match(
      check('export default () => {};'),
      /the checks have 0 points together, and exercise\.json says 10/,
    );
    rmSync(scratch.file('sum/checks.mjs'));
    assert.match(terrarium(['exercise', 'check', 'sum'], { cwd: scratch.path }).stderr, /nothing is checked/);
    assert.match(terrarium(['exercise', 'check', 'nowhere'], { cwd: scratch.path }).stderr, /no such folder/);
  });

  // In assembly, with a device of its own, in C. test/docs/course.test.ts checks every lesson.
  for (const name of ['01-hlt', '03-string-io', '07-paging'])
    test(`lesson ${name} is an exercise: its solution passes, its start and each wrong solution do not`, () => {
      const { status, stdout, stderr } = terrarium([
        'exercise',
        'check',
        path.join(root, 'docs/course', name),
      ]);
      assert.equal(status, 0, stdout + stderr);
    });
});

const terrariumSolution = `
.code16
.globl _start
_start: mov $0x500, %si
        xor %ax, %ax
        xor %bx, %bx
next:   mov (%si), %bl
        add %bx, %ax
        inc %si
        test %bl, %bl
        jnz next
        hlt
`;
