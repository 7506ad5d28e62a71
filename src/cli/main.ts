#!/usr/bin/env node
/**
 * The command `terrarium`.
 *
 * @module
 */
// A machine's thread takes longer to start than everything else here: start it before the rest is loaded.
if (process.argv[2] === 'run' && !process.argv.includes('--help') && !process.argv.includes('-h')) {
  const { warmUp } = await import('../host/index.js');
  warmUp();
}
const { main } = await import('./program.js');
await main(process.argv);

export {};
