/**
 * After each test the event loop turns once. A test that only waits for programs never lets it, and the results of a file of such tests
 * would come all at its end: nobody could tell a slow file from one that hangs.
 */
import { afterEach } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

// Not in the programs that tests start.
if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) afterEach(() => turn());
