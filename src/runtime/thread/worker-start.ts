/**
 * The start file of a Worker in the pool: its program is a separate file, so that it can be loaded faster.
 *
 * @module
 */
import { loadCompiled, saveCompiled } from './compiled.js';
import type * as worker from './worker.js';

loadCompiled<typeof worker>('machine-thread.cjs', require).setAfterRun(saveCompiled);
