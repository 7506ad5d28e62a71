/** A call chain, and the instructions that ran in it. */
export interface ProfiledStack {
  /** Positions in `Profile.functions`, the outermost first; the last one ran. */
  readonly frames: readonly number[];
  readonly instructions: number;
}

/** Where a guest spent its instructions. Plain data. */
export interface Profile {
  /** Instructions that ran while samples were taken. */
  readonly instructions: number;
  readonly samples: number;
  /** Names of functions; an address where the image has no name for it. */
  readonly functions: readonly string[];
  /** Most instructions first. */
  readonly stacks: readonly ProfiledStack[];
}

/** A function of a profile. */
export interface CountedFunction {
  readonly name: string;
  /** Instructions in it. */
  readonly own: number;
  /** Those, and those in the functions that it called, directly or indirectly. */
  readonly total: number;
}

/** The functions of a profile, those with most instructions of their own first. */
export function countFunctions({ functions, stacks }: Profile): CountedFunction[] {
  const own = new Float64Array(functions.length);
  const total = new Float64Array(functions.length);
  for (const { frames, instructions } of stacks) {
    const last = frames.at(-1);
    if (last !== undefined) own[last]! += instructions;
    // Once, however often it is in the chain.
    for (const frame of new Set(frames)) total[frame]! += instructions;
  }
  return functions
    .map((name, index) => ({ name, own: own[index]!, total: total[index]! }))
    .sort((a, b) => b.own - a.own || b.total - a.total || (a.name < b.name ? -1 : 1));
}
