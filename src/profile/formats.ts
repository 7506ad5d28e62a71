import type { Profile } from './profile.js';

/**
 * A line for each call chain, its functions with `;` between them and then the instructions: what most tools for flame graphs take.
 */
export function folded({ functions, stacks }: Profile): string {
  const name = (index: number) => functions[index]!.replace(/[;\s]/g, '_');
  return stacks.map(({ frames, instructions }) => `${frames.map(name).join(';')} ${instructions}\n`).join('');
}

/** What https://www.speedscope.app opens, by its file format's schema. */
export function speedscope({ functions, stacks, instructions }: Profile, name: string): string {
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'terrarium',
    name,
    shared: { frames: functions.map((one) => ({ name: one })) },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: 'none',
        startValue: 0,
        endValue: instructions,
        samples: stacks.map(({ frames }) => frames),
        weights: stacks.map((stack) => stack.instructions),
      },
    ],
  });
}
