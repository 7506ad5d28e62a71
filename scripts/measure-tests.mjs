// Loaded into each test file's process by `npm test -- --times`: at its end it reports the processor time of the
// process and its children.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const { TERRARIUM_TIMES: order, NODE_TEST_CONTEXT: context } = process.env;
const stat = '/proc/self/stat';

if (order !== undefined && context !== undefined && isMainThread) {
  const { report, NODE_OPTIONS } = JSON.parse(order);
  // Processes that a test starts are not measured separately.
  delete process.env.TERRARIUM_TIMES;
  if (NODE_OPTIONS === '') delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = NODE_OPTIONS;
  if (existsSync(stat)) process.on('exit', () => write(report));
}

function write(report) {
  const { own, waited } = usage('self');
  // Children that still run, such as the one that runs commands (test/support/command.ts), and the children that they
  // have waited for.
  const running = childrenOf('self').map(usage);
  const programs = running.reduce((sum, child) => sum + child.own + child.waited, waited);
  appendFileSync(report, `${JSON.stringify({ file: process.argv[1], own, programs })}\n`);
}

/** Seconds of processor time of a process and of its children that have ended. */
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
