/** Grading by a queue in a real Redis, with workers that are killed. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { decodeTerra, encodeTerra } from '../../src/terra/index.js';
import { cli, noGcc, root, Scratch } from '../support.js';

const noRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'SKIPPED: no redis-server here: apt-get install redis-server';

/** A library that shows a program another time of day (package faketime). */
const fakeTime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => `${folder}/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));
const noFakeTime = fakeTime === undefined && 'SKIPPED: no faketime here: apt-get install faketime';

const scratch = new Scratch();
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
  scratch[Symbol.dispose]();
});

const lesson = path.join(root, 'docs/course/05-interrupts');
const read = (name: string) => readFileSync(path.join(lesson, name), 'utf8');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + 120_000;
  while (!(await holds())) {
    assert.ok(performance.now() < limit, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A Redis that stores nothing on the disk. */
async function startRedis(port: number, ...more: string[]): Promise<ChildProcess> {
  const words = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', scratch.path, ...more];
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.add(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await until(() => said.includes('Ready to accept connections'), 'Redis is ready');
  return child;
}

interface Running {
  child: ChildProcess;
  said(): string;
  ended: Promise<number | null>;
}

/** Starts the command, each time with a separate cache: results of one must not be used by another. */
const start = (cache: string, ...words: string[]) => startWith({}, cache, ...words);

function startWith(env: NodeJS.ProcessEnv, cache: string, ...words: string[]): Running {
  const child = spawn(process.execPath, [cli, ...words], {
    cwd: scratch.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', XDG_CACHE_HOME: scratch.file(cache), ...env },
  });
  children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  const ended = once(child, 'close').then(() => child.exitCode);
  return { child, said: () => said, ended };
}

/** Submissions that differ, of every kind: right, wrong, endless, not compiling. */
function makeClass(folder: string, count: number): void {
  const kinds = [
    read('solution/kernel.S'),
    read('start/kernel.S'),
    '.code16\n.globl _start\n_start: jmp _start\n',
    '.code16\nmovv\n',
    '.code16\n.globl _start\n_start: lidt 0x700\nint $3\n',
  ];
  for (let i = 0; i < count; i++) {
    mkdirSync(scratch.file(`${folder}/s${i}`), { recursive: true });
    writeFileSync(
      scratch.file(`${folder}/s${i}/kernel.S`),
      `${kinds[i % kinds.length]}\n// ${folder} ${i}\n`,
    );
  }
}

describe('terrarium grade --queue', { skip: noGcc || noRedis }, () => {
  test('grades with workers that are killed at random, and loses and doubles nothing', async () => {
    const port = await freePort();
    await startRedis(port);
    const url = `redis://127.0.0.1:${port}`;
    // A class of 10,000 with workers that die repeatedly is a benchmark: npm run bench -- grade-queue.
    makeClass('class', 24);
    const local = start('local', 'grade', lesson, 'class', '--json', 'local.json', '-q');
    assert.equal(await local.ended, 0, local.said());
    const grading = start('graders', 'grade', lesson, 'class', '--queue', url, '--json', 'queue.json', '-q');
    await until(() => grading.said().includes('there is no worker yet'), 'it says that there is no worker');
    let working = true;
    let killed = 0;
    const workers = new Set<Running>();
    const keep = () => {
      if (!working) return;
      const one = start('workers', 'worker', '--queue', url, '--jobs', '2');
      workers.add(one);
      void one.ended.then(() => {
        workers.delete(one);
        keep();
      });
    };
    keep();
    keep();
    // One of the two workers is killed repeatedly, as soon as it has begun; the other one less often.
    const killer = (async () => {
      while (working && killed < 3) {
        const ready = [...workers].find((one) => one.said().includes('takes 2 jobs'));
        if (ready !== undefined && workers.size === 2) {
          await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1500));
          ready.child.kill('SIGKILL');
          killed++;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    assert.equal(await grading.ended, 0, grading.said());
    working = false;
    await killer;
    for (const { child } of workers) child.kill('SIGTERM');
    assert.deepEqual(readFileSync(scratch.file('queue.json')), readFileSync(scratch.file('local.json')));
    assert.ok(killed > 0);
    // A second run of the same class finds each result, once.
    const { Redis } = await import('ioredis');
    const redis = new Redis(port);
    const keys = await redis.keys('bull:terrarium-grading-*:completed');
    assert.equal(keys.length, 1);
    assert.equal(await redis.zcard(keys[0]!), 24);
    redis.disconnect();
    await Promise.all([...workers].map(({ ended }) => ended));
    const again = start('graders-2', 'grade', lesson, 'class', '--queue', url, '--json', 'again.json', '-q');
    assert.equal(await again.ended, 0, again.said());
    assert.deepEqual(readFileSync(scratch.file('again.json')), readFileSync(scratch.file('local.json')));
  });

  test('sets a submission aside that ends its worker three times', async () => {
    const port = await freePort();
    await startRedis(port);
    const url = `redis://127.0.0.1:${port}`;
    cpSync(lesson, scratch.file('killer'), { recursive: true });
    const said = JSON.parse(read('lesson.json')) as object;
    writeFileSync(scratch.file('killer/lesson.json'), JSON.stringify({ ...said, points: 7 }));
    // A possible mistake in a teacher's check: it ends the worker, the parent of its process.
    writeFileSync(
      scratch.file('killer/checks.mjs'),
      `export default ({ sources }) => { if (/END MY WORKER/.test(sources[0].text)) process.kill(process.ppid, 'SIGKILL'); };\n`,
    );
    makeClass('deadly', 3);
    writeFileSync(scratch.file('deadly/s0/kernel.S'), `${read('solution/kernel.S')}// END MY WORKER\n`);
    const grading = start(
      'deadly-1',
      'grade',
      'killer',
      'deadly',
      '--queue',
      url,
      '--json',
      'deadly.json',
      '-q',
    );
    let working = true;
    let deaths = 0;
    const keep = () => {
      const one = start('deadly-2', 'worker', '--queue', url);
      void one.ended.then(() => {
        deaths++;
        if (working) keep();
      });
    };
    keep();
    assert.equal(await grading.ended, 1, grading.said());
    working = false;
    const { submissions } = JSON.parse(readFileSync(scratch.file('deadly.json'), 'utf8')) as {
      submissions: { id: string; verdict: { state: string; problem?: string } }[];
    };
    assert.deepEqual(submissions.map(({ verdict }) => verdict.state).sort(), [
      'graded',
      'graded',
      'set-aside',
    ]);
    assert.match(submissions.find(({ id }) => id === 's0')!.verdict.problem!, /ended its worker 3 times/);
    assert.equal(deaths, 3);
  });

  test('waits for a Redis that stops and comes back empty, and continues', async () => {
    const port = await freePort();
    const redis = await startRedis(port);
    const url = `redis://127.0.0.1:${port}`;
    makeClass('stopped', 12);
    const grading = start('stop-1', 'grade', lesson, 'stopped', '--queue', url, '-q');
    await until(() => grading.said().includes('there is no worker yet'), 'jobs are queued');
    redis.kill('SIGKILL');
    await until(() => grading.said().includes('does not answer'), 'it says that Redis is unreachable');
    await startRedis(port);
    await until(() => grading.said().includes('answers again'), 'it says that Redis is back');
    const worker = start('stop-2', 'worker', '--queue', url, '--jobs', '2');
    assert.equal(await grading.ended, 0, grading.said());
    assert.match(grading.said(), /12 submissions of Interrupts: 3 passed/);
    worker.child.kill('SIGTERM');
    assert.equal(await worker.ended, 0, worker.said());
  });

  test('ignores another version’s jobs and workers, and reports them', async () => {
    const port = await freePort();
    await startRedis(port);
    const { Redis } = await import('ioredis');
    const { Queue } = await import('bullmq');
    const connection = new Redis(port, { maxRetriesPerRequest: null });
    const other = new Queue('terrarium-grading-99.0.0', { connection });
    await other.add('grade', { of: 'another form' });
    const info = { version: '99.0.0', engine: 'soft', sandbox: 'bubblewrap', jobs: 1 };
    await connection.set('terrarium:worker:x', JSON.stringify(info));
    makeClass('versions', 2);
    const url = `redis://127.0.0.1:${port}`;
    const worker = start('version-1', 'worker', '--queue', url);
    await until(() => worker.said().includes('takes 1 job'), 'the worker is ready');
    const grading = start('version-2', 'grade', lesson, 'versions', '--queue', url, '-q');
    assert.equal(await grading.ended, 0, grading.said());
    assert.match(
      grading.said(),
      /1 worker for 1 job at a time \(soft, compiling in .*\); 1 of another version, which takes none/,
    );
    assert.equal(await other.getWaitingCount(), 1);
    await other.close();
    connection.disconnect();
    worker.child.kill('SIGTERM');
    await worker.ended;
  });

  test('reports a wrong address, an absent Redis and a full one', async () => {
    makeClass('few', 1);
    const absent = start(
      'wrong',
      'grade',
      lesson,
      'few',
      '--queue',
      `redis://user:secret@127.0.0.1:${await freePort()}`,
    );
    assert.equal(await absent.ended, 2);
    assert.match(absent.said(), /no Redis at redis:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/);
    assert.doesNotMatch(absent.said(), /secret/);
    const bad = start('wrong', 'worker', '--queue', 'http://example.org');
    assert.equal(await bad.ended, 2);
    assert.match(bad.said(), /'http:\/\/example\.org' is no address of a Redis/);
    const port = await freePort();
    await startRedis(port, '--maxmemory', '1kb', '--maxmemory-policy', 'noeviction');
    const full = start('wrong', 'grade', lesson, 'few', '--queue', `redis://127.0.0.1:${port}`);
    assert.notEqual(await full.ended, 0);
    assert.match(full.said(), /Redis takes no more data|OOM/);
  });

  test('does parts of a verification, and repeats recordings, each once although workers die', async () => {
    const port = await freePort();
    await startRedis(port);
    const url = `redis://127.0.0.1:${port}`;
    const record = start(
      'verify',
      ...['run', path.join(root, 'guests/hello'), '--engine', 'soft', '--record', 'good.terra'],
    );
    assert.equal(await record.ended, 0, record.said());
    // The same with another digest of its end: a recording of another version.
    const good = await decodeTerra(readFileSync(scratch.file('good.terra')));
    const bad = await encodeTerra({ ...good, end: { ...good.end!, digest: '0'.repeat(64) } });
    writeFileSync(scratch.file('bad.terra'), bad);
    let worker = start('verify', 'worker', '--queue', url);
    await until(() => worker.said().includes('takes 1 job'), 'the worker is ready');
    const words = ['verify', '--engine', 'soft', '--mode', 'real', '--seed', '7', '--count', '50000'];
    const verifying = start('verify', ...words, '--queue', url);
    const replaying = start('verify', 'replay', 'good.terra', 'bad.terra', '--queue', url);
    await until(() => replaying.said().includes('1 worker'), 'the jobs are queued');
    worker.child.kill('SIGKILL');
    await worker.ended;
    worker = start('verify', 'worker', '--queue', url);
    assert.equal(await verifying.ended, 0, verifying.said());
    assert.match(verifying.said(), /real, seeds 7 to 9, 3 parts\n {2}tests {8}50,000\n/);
    assert.equal(await replaying.ended, 1, replaying.said());
    const local = start('verify', 'replay', 'good.terra', 'bad.terra');
    assert.equal(await local.ended, 1);
    assert.ok(replaying.said().endsWith(local.said()), `${replaying.said()}\nhere:\n${local.said()}`);
    assert.match(local.said(), /^good\.terra: the same run: .*\nbad\.terra: .*registers or memory differ/);
    worker.child.kill('SIGTERM');
    await worker.ended;
  });

  test('counts nothing twice where the clocks of workers are wrong, and jump', {
    skip: noFakeTime,
  }, async () => {
    const port = await freePort();
    await startRedis(port);
    const url = `redis://127.0.0.1:${port}`;
    makeClass('clocks', 15);
    const local = start('clocks-0', 'grade', lesson, 'clocks', '--json', 'local-clocks.json', '-q');
    assert.equal(await local.ended, 0, local.said());
    writeFileSync(scratch.file('clock'), '+3d');
    // Only the time of day: the monotonic clock does not jump, as on a host that sets its clock.
    const wrong = {
      LD_PRELOAD: fakeTime!,
      FAKETIME_TIMESTAMP_FILE: scratch.file('clock'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const workers = [{}, wrong].map((env, i) => startWith(env, `clocks-${i + 1}`, 'worker', '--queue', url));
    const grading = start(
      'clocks-3',
      'grade',
      lesson,
      'clocks',
      '--queue',
      url,
      '--json',
      'clocks.json',
      '-q',
    );
    let jumps = 0;
    const jumping = setInterval(
      () => writeFileSync(scratch.file('clock'), jumps++ % 2 ? '+3d' : '-400d'),
      300,
    );
    assert.equal(await grading.ended, 0, grading.said());
    clearInterval(jumping);
    assert.deepEqual(
      readFileSync(scratch.file('clocks.json')),
      readFileSync(scratch.file('local-clocks.json')),
    );
    for (const { child } of workers) child.kill('SIGTERM');
    await Promise.all(workers.map(({ ended }) => ended));
  });

  test('shows the queue to a browser of this host, only by its own address', async () => {
    const port = await freePort();
    await startRedis(port);
    const board = start('board', 'worker', '--queue', `redis://127.0.0.1:${port}`, '--dashboard', '0');
    await until(() => board.said().includes('is shown at'), 'the dashboard is served');
    const [url] = /http:\S+/.exec(board.said())!;
    assert.match(await (await fetch(url)).text(), /<html/i);
    const queues = (await (await fetch(new URL('api/queues', url))).json()) as { queues: { name: string }[] };
    assert.match(queues.queues[0]!.name, /^terrarium-grading-/);
    const said = spawnSync('curl', ['-s', '-H', 'Host: evil.example', url], { encoding: 'utf8' });
    if (said.status === 0) assert.match(said.stdout, /open the address/);
    board.child.kill('SIGTERM');
    assert.equal(await board.ended, 0);
  });
});
