/**
 * Bytes from a guest through a SIMVIRTIO queue: with exits and with polling, compared with C with one exit per byte.
 */
import { type ProfileRow, profileOnce } from '../src/apps/cli/commands/bench/simvirtio-profile.js';
import { type Floor, median, type Row } from './measure.js';

const ROUNDS = 5;
const C_BYTES = 20_000;
const TIMES_FASTER = 20;
const BATCH = 1024;

export async function benchSimvirtio(floor: Floor): Promise<Row[]> {
  const ways = [
    ['exits', 1],
    ['polling', 1],
    ['exits', BATCH],
    ['polling', BATCH],
  ] as const;
  const measured: ProfileRow[][] = ways.map(() => []);
  const control: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const c = floor.run('console', C_BYTES) / 1000;
    for (const [i, [notification, batch]] of ways.entries()) {
      const row = await profileOnce(notification, batch);
      if (round > 0) measured[i]!.push(row);
    }
    // The first round is a warm-up.
    if (round > 0) control.push(c);
  }
  return ways.map(([notification, batch], i) => {
    const us = measured[i]!.map(({ bytesPerSecond }) => 1e6 / bytesPerSecond);
    const ratio = median(us.map((value, round) => value / control[round]!));
    const polled = notification === 'polling' && batch === 1;
    const times = 1 / ratio;
    return {
      name: `SIMVIRTIO by ${notification}, ${batch === 1 ? 'a byte' : `${batch} bytes`} a time`,
      unit: 'µs a byte',
      terrarium: median(us),
      control: { name: 'C, an exit a byte', value: median(control) },
      ratio,
      ...(polled && { goal: `≥ ${TIMES_FASTER} times faster`, holds: times >= TIMES_FASTER }),
      note: `${median(measured[i]!.map(({ exits }) => exits))} exits for ${measured[i]![0]!.bytes} bytes, ${(1 / median(us)).toPrecision(3)} MB/s`,
    };
  });
}
