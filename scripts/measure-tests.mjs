// Loaded into each test file's process by `npm test -- --times`: at its end it reports what the process and its children have used of
// the processor.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
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
  // proc(5): the name in brackets, eleven fields, then utime, stime, cutime and cstime in hundredths of a second.
  const fields = readFileSync(stat, 'utf8').replace(/.*\) /s, '').split(' ');
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map((ticks) => ticks / 100);
  const seconds = { own: user + system, programs: childrenUser + childrenSystem };
  appendFileSync(report, `${JSON.stringify({ file: process.argv[1], ...seconds })}\n`);
}
