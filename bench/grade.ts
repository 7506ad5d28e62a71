/** A class of 10,000, graded on this host. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gradeClass, writePages } from '../src/grading/index.js';
import { makeClass } from './grade-class.js';
import type { Row } from './measure.js';

const STUDENTS = Number(process.env.STUDENTS ?? 10_000);
/** The number of different contents. */
const CONTENTS = Number(process.env.CONTENTS ?? 200);
const GOAL = 40;
const JOBS = 2;

export async function benchGrade(root: string): Promise<Row[]> {
  const { exercise, submissions } = makeClass(root, STUDENTS, CONTENTS);
  const scratch = mkdtempSync(path.join(tmpdir(), 'terrarium-bench-'));
  try {
    const memory: number[] = [];
    const started = performance.now();
    const report = await gradeClass({
      exercise,
      submissions,
      jobs: JOBS,
      cache: scratch,
      patienceMs: 120_000,
      onProgress({ done }) {
        if (done % Math.ceil(STUDENTS / 10) === 0) memory.push(residentOfChildren() / 2 ** 20);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    const rate = STUDENTS / seconds;
    // After the first fifth, in which contents are compiled and code is optimised.
    const [early = 0, late = 0] = [memory[1], memory.at(-1)];
    writePages(report, path.join(root, 'bench/results/class'), 'http://localhost:8086/');
    const lost = STUDENTS - new Set(report.entries.map(({ id }) => id)).size + report.count('set-aside');
    return [
      {
        name: `submissions of lesson 5, ${STUDENTS} of them`,
        unit: 'a second',
        terrarium: rate,
        goal: `≥ ${GOAL}`,
        holds: rate >= GOAL && lost === 0,
        note: `${JOBS} processes, soft, ${CONTENTS} contents compiled once, in the rate; ${lost} lost or set aside`,
      },
      {
        name: 'memory of the grader’s processes, end beside a fifth',
        unit: '×',
        terrarium: late / early,
        goal: '≤ 1.3',
        holds: late / early <= 1.3,
        note: `${Math.round(early)} MiB, then ${Math.round(late)} MiB, both processes together`,
      },
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Bytes of memory of this process's children. */
function residentOfChildren(): number {
  let bytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      if (Number(parent) !== process.pid) continue;
      const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
      bytes += Number(kib ?? 0) * 1024;
    } catch {
      // It has ended.
    }
  }
  return bytes;
}
