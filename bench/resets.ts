/** A machine that runs briefly and is reset, repeatedly: the loop of a fuzzer. */
import { parseImage } from '../src/boot/index.js';
import { createMachine } from '../src/runtime/index.js';
import { median, type Row } from './measure.js';

const GOAL = 5000;
const ROUND = 1000;
const ROUNDS = 9;

// Writes three pages and a port: mov edi, 200000h; three times inc dword [edi], add edi, 1000h; out 80h, al; hlt
const image = parseImage(
  Uint8Array.of(
    ...[0xbf, 0, 0, 0x20, 0],
    ...[0xff, 0x07, 0x81, 0xc7, 0, 0x10, 0, 0, 0xff, 0x07, 0x81, 0xc7, 0, 0x10, 0, 0, 0xff, 0x07],
    ...[0xe6, 0x80, 0xf4],
  ),
  'writer',
);

export function benchResets(): Row[] {
  return (['soft', 'kvm'] as const).map((engine) => {
    using machine = createMachine({ engine, image, mode: 'protected' });
    const state = machine.logWrites();
    const reset = () => {
      machine.run();
      machine.load(state);
    };
    for (let i = 0; i < ROUND; i++) reset();
    const rates = Array.from({ length: ROUNDS }, () => {
      const started = performance.now();
      for (let i = 0; i < ROUND; i++) reset();
      return (ROUND * 1000) / (performance.now() - started);
    });
    const rate = median(rates);
    return {
      name: `runs of a small guest with a reset, ${engine}`,
      unit: 'a second',
      terrarium: rate,
      goal: `≥ ${GOAL}`,
      holds: rate >= GOAL,
      note: '16 MiB of RAM, three pages written in each run',
    };
  });
}
