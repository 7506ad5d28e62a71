/** The page's texts, in one place. */
import type { GuestEnd, Halt } from '../../browser/index.js';

export const words = {
  atStart: 'before the first instruction',
  fromFile: 'where the file was saved',
  noMachine: 'No machine: press Run.',
  notIsolated: 'This page may not have shared memory',
  isolate:
    'A guest’s RAM is memory that two threads share, and browsers give that only to pages that are isolated from other sites. Serve the page with the headers “Cross-Origin-Opener-Policy: same-origin” and “Cross-Origin-Embedder-Policy: require-corp”: `terrarium lab` does, and on https or localhost the page’s service worker adds them by itself. Reload once; a private window or a blocked service worker may prevent it.',
  cannotStart: 'The lab cannot start',
  emptyExits: 'No exits yet. Run a guest: each time it leaves the processor, a line appears here.',
  emptyWhy: 'Nothing has died. When a guest does, its reason is here.',
  emptyProblems: 'The source assembles.',
  emptyScreen: 'The guest has no screen.',
  needsCompiler:
    'This source is in C, for which the lab needs a compiler: `terrarium lab` on Linux has gcc. Here its built image runs.',
} as const;

const ends: Readonly<Record<string, string>> = {
  halted: 'halted',
  exited: 'exited',
  reset: 'reset itself',
  poweredOff: 'switched itself off',
  panicked: 'panicked',
  shutdown: 'died: triple fault',
  engineError: 'cannot continue',
  timeout: 'did not end',
  limit: 'reached its limit',
};

export function endText({ kind, code, reason }: GuestEnd): string {
  const text = ends[kind] ?? kind;
  return `${text}${code === undefined ? '' : ` with ${code}`}${kind === 'engineError' ? `: ${reason}` : ''}`;
}

/** True where there is no error. */
export function endedWell({ kind }: GuestEnd): boolean {
  return ['halted', 'exited', 'poweredOff'].includes(kind);
}

export function haltText({ why, end, watched }: Halt): string {
  switch (why) {
    case 'end':
      return end === undefined ? 'ended' : endText(end);
    case 'breakpoint':
      return 'at a breakpoint';
    case 'watchpoint':
      return watched === undefined
        ? 'at a watchpoint'
        : `a watched value: ${watched.before} → ${watched.after}`;
    case 'interrupt':
      return 'paused';
    case 'begin':
      return 'at the beginning';
    default:
      return 'stepped';
  }
}

/** `12.3 M`. */
export function shortCount(count: number): string {
  if (count < 10_000) return String(count);
  for (const [limit, unit, by] of [
    [1e6, 'k', 1e3],
    [1e9, 'M', 1e6],
    [1e12, 'G', 1e9],
  ] as const)
    if (count < limit) return `${(count / by).toFixed(count / by < 100 ? 1 : 0)} ${unit}`;
  return count.toExponential(2);
}

/** `1.25 ms`. */
export function shortTime(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(ms < 0.01 ? 2 : 0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

export const hex = (value: bigint | number, digits = 0) => value.toString(16).padStart(digits, '0');

/** `4 KiB`: the largest unit without a fraction. */
export function sizeText(bytes: bigint): string {
  for (const [unit, by] of [
    ['GiB', 30n],
    ['MiB', 20n],
    ['KiB', 10n],
  ] as const)
    if (bytes >= 1n << by && (bytes & ((1n << by) - 1n)) === 0n) return `${bytes >> by} ${unit}`;
  return `${bytes} bytes`;
}

export const pagingModes = {
  off: 'Paging is off (CR0.PG = 0): linear addresses are physical ones.',
  '32-bit': '32-bit paging: two levels of 1,024 entries; a large page has 4 MiB.',
  PAE: 'PAE paging: 4 pointers, then two levels of 512 entries; a large page has 2 MiB.',
  '4-level': '4-level paging: 512 entries in each table; a large page has 2 MiB or 1 GiB.',
  '5-level': '5-level paging: 512 entries in each table; a large page has 2 MiB or 1 GiB.',
} as const;

/** The bits of a page table’s entry in words (SDM 3A tables 5-4 to 5-20). @param plain an entry without rights */
export function pageBitWords(
  bits: readonly string[],
  plain: boolean,
  isPage: boolean,
): { text: string; tone: string }[] {
  const has = (name: string) => bits.includes(name);
  if (!has('P')) return [{ text: 'not present', tone: 'reserved' }];
  const named = (name: string, text: string, tone = '') => (has(name) ? [{ text, tone }] : []);
  return [
    ...(plain
      ? []
      : [
          has('RW') ? { text: 'writable', tone: 'data' } : { text: 'read-only', tone: '' },
          has('US') ? { text: 'ring 3', tone: 'ring3' } : { text: 'ring 0', tone: 'ring0' },
        ]),
    ...named('NX', 'no execute', 'gate'),
    ...named('A', 'accessed'),
    ...(isPage ? named('D', 'dirty') : []),
    ...named('G', 'global'),
    ...named('PWT', 'write-through'),
    ...named('PCD', 'not cached'),
    ...named('PAT', 'PAT'),
  ];
}

/** The exceptions' names (SDM 3A table 7-1). */
export const exceptionNames: readonly string[] =
  '#DE,#DB,NMI,#BP,#OF,#BR,#UD,#NM,#DF,,#TS,#NP,#SS,#GP,#PF,,#MF,#AC,#MC,#XM,#VE,#CP'.split(',');
