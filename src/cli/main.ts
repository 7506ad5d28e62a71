#!/usr/bin/env node
/**
 * The command `terrarium`.
 *
 * @module
 */
import { warmUp } from '../host/worker-pool.js';

// A machine's thread takes longer to start than everything else here: start it before the rest is loaded, which is why
// this file reaches past host's face.
if (process.argv[2] === 'run' && !process.argv.includes('--help') && !process.argv.includes('-h')) warmUp();
void import('./program.js').then(({ main }) => main(process.argv));
