/**
 * What a Worker of the pool begins with: its real program is a file of its own, so that it can be loaded faster.
 *
 * @module
 */
import { loadCompiled } from './compiled.js';

loadCompiled('machine-thread.cjs');
