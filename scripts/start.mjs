// `npm start` sets up and runs a guest; `npm start -- run FILE …` runs any command.
import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.mjs';
import { setup } from './setup.mjs';

const given = process.argv.slice(2);
await setup({ soft: needsSoft() });
const cli = path.join(root, 'dist/cli.cjs');
process.argv = [
  process.argv[0],
  cli,
  ...(given.length > 0 ? given : ['run', path.join(root, 'guests/hello')]),
];
await import(pathToFileURL(cli).href);

/**
 * Building the software CPU takes long, so it is built only if it is requested, if there is no KVM, or if KVM may need
 * assistance: a KVM without VMX and SVM emulates most guest code, and gives up on some instructions.
 */
function needsSoft() {
  if (given.some((word) => /^(--engine=)?soft$/.test(word)) || !hasKvm()) return true;
  // It runs a guest where a debugger needs features that KVM does not support.
  if (given[0] === 'debug' || given[0] === 'dap' || given.some((word) => word.startsWith('--gdb')))
    return true;
  const native = ['kvm_intel', 'kvm_amd'].some((module) => existsSync(`/sys/module/${module}`));
  return given.length > 0 && !native;
}

function hasKvm() {
  try {
    closeSync(openSync('/dev/kvm', 'r+'));
    return true;
  } catch {
    return false;
  }
}
