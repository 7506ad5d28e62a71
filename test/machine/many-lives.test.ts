/**
 * A machine that has ended is garbage at once. If a long-lived object refers to it, or its objects refer to the next
 * machine's, V8 copies it to its old generation, and the young one grows to its full size: mappings and megabytes in a
 * process that makes thousands of machines.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noKvm } from '../support.js';

const LIVES = 1500;
/** V8 keeps 1.9 MB for the program and its compiled code; a machine's lifecycle allocates 14 KB. */
const MAX_PROMOTED = 3_500_000;

test('machines that have ended do not survive in the garbage collector', { skip: noKvm }, (t) => {
  const program = fileURLToPath(new URL('many-lives.js', import.meta.url));
  const flags = ['--max-semi-space-size=1', '--trace-gc-nvp'];
  const trace = execFileSync(process.execPath, [...flags, program, String(LIVES)], { encoding: 'utf8' });
  const promoted = [...trace.matchAll(/ gc=s .* promoted=(\d+)/g)].map(([, bytes]) => Number(bytes));
  assert.ok(promoted.length > 10, `V8 tells of ${promoted.length} collections:\n${trace.slice(0, 500)}`);
  const sum = promoted.reduce((all, one) => all + one, 0);
  t.diagnostic(`${(sum / LIVES).toFixed(0)} bytes a life`);
  assert.ok(sum < MAX_PROMOTED, `${sum} bytes of ${LIVES} machines survived`);
});
