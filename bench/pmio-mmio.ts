/** Ports and memory-mapped I/O in counted loops, compared with a C program that runs the same guest with an exit per access. */
import { accesses, measureAccess } from '../src/apps/cli/commands/bench/io-costs.js';
import { type Floor, inTurns, type Row } from './measure.js';

const COUNT = 20_000;
const PAIRS = 7;
/** The goals: exits cost little more than in C, reads without an exit the same, and coalesced writes far less than an exit. */
const GOALS = { exit: 1.12, native: 1.12, coalesced: 1 / 4 } as const;

export function benchPmioMmio(floor: Floor): Row[] {
  return accesses.map((access) => {
    let exits = 0;
    const ours = () => {
      const cost = measureAccess(access, COUNT);
      exits = cost.exits;
      return cost.nanoseconds / 1000;
    };
    const control = () => floor.run('accesses', access.id, COUNT) / 1000;
    const { terrarium, control: c, ratio } = inTurns(PAIRS, ours, control);
    const goal = access.coalesced ? GOALS.coalesced : access.id === 'ro-read' ? GOALS.native : GOALS.exit;
    return {
      name: access.name,
      unit: 'µs',
      terrarium,
      control: { name: access.coalesced ? 'C, an exit each' : 'C', value: c },
      ratio,
      goal: access.coalesced ? '≥ 4 times faster' : `ratio ≤ ${goal}`,
      holds: ratio <= goal,
      note: `${exits} exits`,
    };
  });
}
