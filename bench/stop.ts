/** How long an endless guest lives on after somebody wants it to stop. */
import { parseImage } from '../src/boot/index.js';
import { hostMachine } from '../src/host/index.js';
import { median, type Row } from './measure.js';

const STOPS = 1000;
const GOAL_P50 = 1;
const GOAL_MAX = 50;

export async function benchStop(): Promise<Row[]> {
  await using machine = await hostMachine({
    image: parseImage(new Uint8Array([0xeb, 0xfe]), 'endless'),
    mode: 'real',
  });
  const latencies: number[] = [];
  for (let i = 0; i < STOPS; i++) {
    const running = machine.run();
    // Somewhere into the run, never at the same point.
    await new Promise((resolve) => setTimeout(resolve, 1 + (i % 4)));
    const started = performance.now();
    void machine.stop();
    const outcome = await running;
    latencies.push(performance.now() - started);
    if (outcome.kind !== 'stopped') throw new Error(`the guest ${outcome.reason}`);
  }
  const p50 = median(latencies);
  const max = Math.max(...latencies);
  return [
    {
      name: `stop an endless guest, ${STOPS} times`,
      unit: 'ms (p50)',
      terrarium: p50,
      goal: `p50 ≤ ${GOAL_P50} ms, max ≤ ${GOAL_MAX} ms`,
      holds: p50 <= GOAL_P50 && max <= GOAL_MAX,
      note: `max ${max.toFixed(2)} ms, from stop() to the outcome in hand`,
    },
  ];
}
