#!/usr/bin/env node
/**
 * The command `terrarium`.
 *
 * @module
 */
import { loadCompiled, saveCompiled } from '../../runtime/thread/compiled.js';
import { warmUp } from '../../runtime/thread/worker-pool.js';
import type * as program from './every-command.js';

// A machine's thread, where it gets one (see `canRunHere`), takes longer to start than everything else here: start it before the rest is
// loaded. So this file imports past runtime's index, which would load all of it.
const said = new Set(process.argv.map((word) => word.replace(/=.*/, '')));
const elsewhere = said.has('--detach') && !said.has('--detached-child');
const threaded = ['--screen', '--gdb', '--name', '--device', '--hypercalls', '--simvirtio'];
const runs =
  process.argv[2] === 'debug' || (process.argv[2] === 'run' && threaded.some((word) => said.has(word)));
if (runs && !said.has('--help') && !said.has('-h') && !elsewhere) warmUp();
process.on('exit', saveCompiled);
const bundle = process.argv[2] === 'run' ? 'run.cjs' : 'program.cjs';
void loadCompiled<typeof program>(bundle, require).main(process.argv);
