/** `terrarium run` as a whole process, compared with an empty Node. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { inTurns, type Row } from './measure.js';

const PAIRS = 15;
const GOAL_MS = 60;

function time(...args: string[]): number {
  const started = performance.now();
  const done = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${done.status}`);
  return performance.now() - started;
}

export function benchStartup(root: string): Row[] {
  const cli = path.join(root, 'dist/cli.cjs');
  const guest = path.join(root, 'guests/hello');
  const { terrarium, control } = inTurns(
    PAIRS,
    () => time(cli, 'run', guest),
    () => time('-e', '0'),
  );
  const over = terrarium - control;
  return [
    {
      name: 'terrarium run guests/hello',
      unit: 'ms',
      terrarium,
      control: { name: 'node -e 0', value: control },
      goal: `≤ ${GOAL_MS} ms over it`,
      holds: over <= GOAL_MS,
      note: `${over.toFixed(1)} ms over it`,
    },
  ];
}
