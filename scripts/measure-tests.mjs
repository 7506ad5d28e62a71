// Loaded into each test file's process by `npm test -- --times`: at its end it reports what the process and its children have used of
// the processor.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { TERRARIUM_TIMES: order, NODE_TEST_CONTEXT: context } = process.env;
const stat = '/proc/self/stat';

if (order !== undefined && context !== undefined && isMainThread) {
  const { report, NODE_OPTIONS } = JSON.parse(order);
  // What a test starts is not measured by itself.
  delete process.env.TERRARIUM_TIMES;
  if (NODE_OPTIONS === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = NODE_OPTIONS;
  if (existsSync(stat)) process.on('exit', () => write(report));
}

function write(report) {
  const { own, waited } = usage('self');
  // Those that still run, such as the one that runs commands (test/support/command.ts), and what they have waited for.
  const running = childrenOf('self').map(usage);
  const programs = running.reduce((sum, child) => sum + child.own + child.waited, waited);
  appendFileSync(report, `${JSON.stringify({ file: process.argv[1], own, programs })}\n`);
}

/** What a process, and the children of it that have ended, used: seconds. */
function usage(pid) {
  // proc(5): the name in brackets, eleven fields, then utime, stime, cutime and cstime in hundredths of a second.
  const fields = read(`/proc/${pid}/stat`).replace(/.*\) /s, '').split(' ');
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields
    .slice(11, 15)
    .map((ticks) => ticks / 100);
  return { own: user + system, waited: childrenUser + childrenSystem };
}

function childrenOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads
    .flatMap((tid) => read(`/proc/${pid}/task/${tid}/children`).trim().split(' '))
    .filter(Boolean);
}

/** A process may end at any time. */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
