/**
 * After each test the event loop runs once. A test that only waits for programs blocks it, and all results of such a
 * file would come at its end: a slow file could not be distinguished from one that hangs.
 */
import { afterEach } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

// Not in the programs that tests start.
if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) afterEach(() => turn());
