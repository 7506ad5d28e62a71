#!/usr/bin/env node
/**
 * The command `terrarium`.
 *
 * @module
 */
import { loadCompiled, saveCompiled } from '../../runtime/thread/compiled.js';
import { warmUp } from '../../runtime/thread/worker-pool.js';
import type * as program from './program.js';

// A machine's thread takes longer to start than everything else here: start it before the rest is loaded, which is why
// this file reaches past runtime's face, which would load all of it.
const said = new Set(process.argv);
const elsewhere = said.has('--detach') && !said.has('--detached-child');
const runs = process.argv[2] === 'run' || process.argv[2] === 'debug';
if (runs && !said.has('--help') && !said.has('-h') && !elsewhere) warmUp();
process.on('exit', saveCompiled);
void loadCompiled<typeof program>('program.cjs').main(process.argv);
