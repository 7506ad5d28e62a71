/**
 * What a Worker of the pool begins with: its real program is a file of its own, so that it can be loaded faster.
 *
 * @module
 */
import { loadCompiled, saveCompiled } from './compiled.js';
import type * as worker from './worker.js';

loadCompiled<typeof worker>('machine-thread.cjs').setAfterRun(saveCompiled);
