/** A machine from its creation to its first exit and its disposal, and the leaks of thousands of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseImage } from '../src/boot/index.js';
import { kvmEngine } from '../src/engine/kvm/index.js';
import { Machine } from '../src/machine/index.js';
import { bareLifecycle } from './bare-calls.js';
import { type Floor, inTurns, median, type Row } from './measure.js';

/** Short alternating rounds: the kernel's part, mostly waiting, changes by half within seconds. */
const ROUND = 60;
const PAIRS = 25;
const GOAL = 1.25;
const MANY = 10_000;
/** V8's young generation also grows to its full size during the first thousands, and stays there. */
const WARM_UP = 10_000;

const halt = parseImage(new Uint8Array([0xf4]), 'halt');

function lifecycle(): void {
  using machine = new Machine({ engine: kvmEngine(), image: halt, mode: 'real' });
  const outcome = machine.run();
  if (outcome.kind !== 'halted') throw new Error(`the guest ${outcome.reason}`);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The process's resources apart from garbage: open files, mappings, resident memory in MB. */
function holdings() {
  collectGarbage();
  return {
    fds: readdirSync('/proc/self/fd').length,
    maps: readFileSync('/proc/self/maps', 'utf8').split('\n').length,
    rss: process.memoryUsage.rss() / 1e6,
  };
}

export function benchLifecycle(floor: Floor): Row[] {
  const timed = (once: () => void) => () => {
    const times = Array.from({ length: ROUND }, () => {
      const started = performance.now();
      once();
      return (performance.now() - started) * 1000;
    });
    return median(times);
  };
  const ours = timed(lifecycle);
  const first = ours();
  // V8 optimises code after some hundred runs; from then on the cost of a machine is stable.
  for (let i = 0; i < WARM_UP; i++) lifecycle();
  // The promise is relative to the same work in C; also shown: the fewest calls that run this guest, without CPUID.
  const { terrarium, control, ratio } = inTurns(PAIRS, ours, () => floor.run('monitor', ROUND) / 1000);
  const fewest = inTurns(PAIRS, ours, () => floor.run('lifecycle', ROUND) / 1000);
  const bare = inTurns(PAIRS, timed(bareLifecycle()), () => floor.run('monitor', ROUND) / 1000);
  const before = holdings();
  const started = performance.now();
  for (let i = 0; i < MANY; i++) lifecycle();
  const each = ((performance.now() - started) * 1000) / MANY;
  const after = holdings();
  const grown = { fds: after.fds - before.fds, maps: after.maps - before.maps, rss: after.rss - before.rss };
  return [
    {
      name: 'create, first exit, destroy',
      unit: 'µs',
      terrarium,
      control: { name: 'C, the same work', value: control },
      ratio,
      goal: `ratio ≤ ${GOAL}`,
      holds: ratio <= GOAL,
      note: `the first ${ROUND} of a process: ${first.toFixed(0)} µs each`,
    },
    {
      name: 'create, first exit, destroy',
      unit: 'µs',
      terrarium: fewest.terrarium,
      control: { name: 'C, the fewest calls', value: fewest.control },
      ratio: fewest.ratio,
      note: 'C here leaves CPUID unset (0.1 ms) and reads no registers back',
    },
    {
      name: 'the same, by bare calls from Node',
      unit: 'µs',
      terrarium: bare.terrarium,
      control: { name: 'C, the same work', value: bare.control },
      ratio: bare.ratio,
      note: 'what a process with Node’s threads and mappings pays the kernel',
    },
    {
      name: `${MANY} machines, one after another`,
      unit: 'µs each',
      terrarium: each,
      goal: 'fds +0, mappings ≤ +10, RSS ≤ +5 MB',
      // V8 may return memory that it took for the previous pairs.
      holds: grown.fds === 0 && grown.maps <= 10 && grown.rss <= 5,
      note: `fds ${signed(grown.fds)}, mappings ${signed(grown.maps)}, RSS ${signed(Number(grown.rss.toFixed(1)))} MB`,
    },
  ];
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}
