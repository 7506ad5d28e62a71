// Runs the launcher and checks its result.
import { spawnSync } from 'node:child_process';

const { stdout, stderr } = spawnSync(process.execPath, ['launch.mjs'], { encoding: 'utf8', cwd: import.meta.dirname });
const wanted = 'the guest writes 42 to port 0x11';
if (!stdout.includes(wanted)) {
  console.error(`expected '${wanted}', found:\n${stdout}${stderr}`);
  process.exit(1);
}
console.log('passed');
