/**
 * A class of 10,000 by a queue in a real Redis: one worker compared with two, and two of which one is killed every 5
 * seconds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type ClassReport, gradeClass, QueueService, toJson } from '../src/grading/index.js';
import { type Class, makeClass } from './grade-class.js';
import type { Row } from './measure.js';

const STUDENTS = Number(process.env.STUDENTS ?? 10_000);
/** The number of different contents. */
const CONTENTS = 200;
/** Submissions of the comparison of one worker with two: each differs, so that no result is reused. */
const COMPARED = Number(process.env.COMPARED ?? 400);
const KILL_MS = 5000;
const GOAL = 1.8;
/** Submissions that wait in the queue. */
const AT_A_TIME = 64;

interface Queue extends AsyncDisposable {
  readonly url: string;
  /** Starts a worker with its own cache; resolves when it takes jobs. */
  work(): Promise<ChildProcess>;
}

async function startQueue(root: string): Promise<Queue> {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-bench-'));
  const port = await freePort();
  const children: ChildProcess[] = [
    spawn('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ];
  await said(children[0]!, 'Ready to accept connections');
  const url = `redis://127.0.0.1:${port}`;
  return {
    url,
    async work() {
      const worker = spawn(process.execPath, [path.join(root, 'dist/cli.cjs'), 'worker', '--queue', url], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, XDG_CACHE_HOME: mkdtempSync(path.join(folder, 'cache-')) },
      });
      children.push(worker);
      await said(worker, 'takes 1 job');
      return worker;
    },
    async [Symbol.asyncDispose]() {
      const ended = children.filter(({ exitCode, signalCode }) => (exitCode ?? signalCode) === null);
      const gone = ended.map((child) => once(child, 'exit'));
      for (const child of ended) child.kill('SIGKILL');
      await Promise.all(gone);
      // Their graders end when they notice that: their last output is not read.
      await setTimeout(1000);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function said(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.includes(words)) resolve();
      });
    child.once('exit', () => reject(new Error(`ended before it said '${words}': ${text}`)));
  });
}

async function grade(url: string, { exercise, submissions }: Class): Promise<ClassReport> {
  const service = await QueueService.open(url, exercise, () => {});
  return gradeClass({
    exercise,
    submissions,
    jobs: AT_A_TIME,
    cache: undefined,
    service,
    patienceMs: 60_000,
  });
}

/** Submissions per second with this many workers, each with an empty cache. */
async function rateWith(root: string, workers: number): Promise<number> {
  await using queue = await startQueue(root);
  for (let i = 0; i < workers; i++) await queue.work();
  const started = performance.now();
  await grade(queue.url, makeClass(root, COMPARED, COMPARED));
  return (COMPARED * 1000) / (performance.now() - started);
}

export async function benchGradeQueue(root: string): Promise<Row[]> {
  const [one, two] = [await rateWith(root, 1), await rateWith(root, 2)];
  await using queue = await startQueue(root);
  let killed = 0;
  const workers = [await queue.work(), await queue.work()];
  const killing = setInterval(() => {
    const index = killed++ % workers.length;
    workers[index]!.kill('SIGKILL');
    void queue.work().then(
      (worker) => {
        workers[index] = worker;
      },
      () => {},
    );
  }, KILL_MS);
  const all = makeClass(root, STUDENTS, CONTENTS);
  const started = performance.now();
  const report = await grade(queue.url, all).finally(() => clearInterval(killing));
  const rate = (STUDENTS * 1000) / (performance.now() - started);
  const here = await gradeClass({ ...all, jobs: 2, cache: undefined, patienceMs: 60_000 });
  const lost = STUDENTS - new Set(report.entries.map(({ id }) => id)).size + report.count('set-aside');
  const same = toJson(report) === toJson(here);
  return [
    {
      name: 'two workers of a queue beside one',
      unit: '×',
      terrarium: two / one,
      goal: `≥ ${GOAL}`,
      holds: two / one >= GOAL,
      note: `${one.toFixed(1)} and ${two.toFixed(1)} a second, each of ${COMPARED} compiled`,
    },
    {
      name: `${STUDENTS} submissions by workers, one killed every ${KILL_MS / 1000} s`,
      unit: 'a second',
      terrarium: rate,
      goal: '0 lost, 0 doubled',
      holds: lost === 0 && same,
      note: `${killed} killed, ${lost} lost or set aside; the report ${same ? 'equals' : 'differs from'} that without a queue`,
    },
  ];
}
