/** How long an endless guest continues after a request to stop. */
import { parseImage } from '../src/boot/index.js';
import { type HostedMachine, hostMachine } from '../src/runtime/index.js';
import { ENDLESS_MEMORY, endless } from '../test/guests/endless.js';
import { Terminal } from '../test/tui/terminal.js';
import { median, type Row } from './measure.js';

const STOPS = 1000;
/** For each of the software CPU's guests. */
const SOFT_STOPS = 150;
const GOAL_P50 = 1;
/** On the software CPU, which checks the control block every few thousand instructions. */
const GOAL_SOFT_P50 = 5;
const GOAL_MAX = 50;

/** The number of debugger sessions that a key ends, and the goal in ms: waiting for a thread would take a second. */
const LEAVES = 5;
const GOAL_LEAVE = 500;

export async function benchStop(): Promise<Row[]> {
  const rows = [await stopping('kvm', 'a tight loop', STOPS, GOAL_P50), await leaving()];
  for (const guest of Object.keys(endless)) {
    rows.push(await stopping('soft', guest, SOFT_STOPS, GOAL_SOFT_P50));
  }
  return rows;
}

/** From the key that quits the debugger to the end of its process. */
async function leaving(): Promise<Row> {
  const waits: number[] = [];
  for (let turn = 0; turn < LEAVES; turn++) {
    const guest = ['test/guests/spin-real.S', '--mode', 'real', '--engine', 'soft'];
    using terminal = new Terminal(['debug', ...guest]);
    await terminal.sees(/before its first instruction/);
    const pressed = performance.now();
    terminal.press('q');
    await terminal.ended();
    waits.push(performance.now() - pressed);
  }
  const p50 = median(waits);
  return {
    name: 'leave the debugger by q',
    unit: 'ms (p50)',
    terrarium: p50,
    goal: `≤ ${GOAL_LEAVE} ms`,
    holds: p50 <= GOAL_LEAVE,
  };
}

async function stopping(engine: 'kvm' | 'soft', guest: string, stops: number, goal: number): Promise<Row> {
  await using machine = await hostMachine({
    engine,
    image: parseImage(Uint8Array.from(endless[guest]!), 'endless'),
    mode: 'real',
    memory: ENDLESS_MEMORY,
    irqchip: 'user',
  });
  const latencies: number[] = [];
  for (let n = 0; n < stops; n++) latencies.push(await stopOnce(machine, n));
  const p50 = median(latencies);
  const max = Math.max(...latencies);
  return {
    name: `stop ${guest} on ${engine}, ${stops} times`,
    unit: 'ms (p50)',
    terrarium: p50,
    goal: `p50 ≤ ${goal} ms, max ≤ ${GOAL_MAX} ms`,
    holds: p50 <= goal && max <= GOAL_MAX,
    note: `max ${max.toFixed(2)} ms, from stop() to the outcome in hand`,
  };
}

async function stopOnce(machine: HostedMachine, n: number): Promise<number> {
  const running = machine.run();
  // At a random point of the run.
  await new Promise((resolve) => setTimeout(resolve, 1 + (n % 4)));
  const started = performance.now();
  void machine.stop();
  const outcome = await running;
  if (outcome.kind !== 'stopped') throw new Error(`the guest ${outcome.reason}`);
  return performance.now() - started;
}
