/**
 * One table of the page tables at a time, for those who open them level by level. A path names a table by the indexes that lead to it from
 * CR3, so tables that point to themselves end with the last level.
 *
 * @module
 */
import {
  entryBits,
  type PageRights,
  type PagingMode,
  type PagingStep,
  pagingPlan,
  readEntry,
} from './page-walk.js';
import { type CpuSubject, hex, readPhysical } from './words.js';

/** One entry, or several in a row that map consecutive pages in the same way. */
export interface PageTableRow {
  /** Indexes, the last one included. */
  first: number;
  last: number;
  /** Guest physical address of the first entry. */
  at: bigint;
  entry: bigint;
  /** The names of the set bits: `P RW US A D`. */
  bits: string[];
  /** The first linear address that it translates, and the number of bytes. */
  linear: bigint;
  length: bigint;
  leadsTo: 'table' | 'page' | 'nothing';
  /** Physical address of the table or of the first page. */
  target?: bigint;
  /** Of this entry alone: the levels above may allow less. */
  rights: PageRights;
  /** Why every access is a fault. */
  problem?: string;
  /** The table that it points to is one of those that lead here: a recursive mapping. */
  loops?: boolean;
}

export interface PageTableView {
  mode: PagingMode;
  /** The indexes that lead here. */
  path: readonly number[];
  /** `PML4`, `page directory`; empty where paging is off. */
  name: string;
  at: bigint;
  /** Without the entries that are 0. */
  rows: PageTableRow[];
  /** How many entries are 0. */
  empty: number;
  problem?: string;
}

/** What a table is called whose entries have this name (SDM 3A 5.2). */
const tableNames: Readonly<Record<string, string>> = {
  PML5E: 'PML5',
  PML4E: 'PML4',
  PDPTE: 'page directory pointers',
  PDE: 'page directory',
  PTE: 'page table',
};

/** So many alike entries in a row become one row. */
const ALIKE = 4;

/**
 * The table at the end of a path; undefined where the path leads to no table.
 *
 * @param alone the index of an entry that has a row of its own
 */
export function readPageTable(
  { system, memory }: CpuSubject,
  path: readonly number[],
  alone?: number,
): PageTableView | undefined {
  const { mode, root, steps } = pagingPlan(system);
  if (path.length >= Math.max(1, steps.length)) return undefined;
  const [above, here] = [steps.slice(0, path.length), steps[path.length]];
  if (here === undefined) return { mode, path, name: '', at: 0n, rows: [], empty: 0 };
  const passed = [root];
  let [at, linear] = [root, 0n];
  for (const [level, step] of above.entries()) {
    const index = path[level]!;
    if (!(Number.isInteger(index) && index >= 0 && index < 1 << Number(step.bits))) return undefined;
    const entry = readPhysical(memory, at + BigInt(index * step.entryBytes), step.entryBytes);
    if (entry === undefined) return undefined;
    const { present, page, target, problem } = readEntry(entry, step, mode, system);
    if (!present || page || problem !== undefined) return undefined;
    linear |= BigInt(index) << step.shift;
    at = target;
    passed.push(at);
  }
  const view: PageTableView = { mode, path, name: tableNames[here.name]!, at, rows: [], empty: 0 };
  for (let index = 0; index < 1 << Number(here.bits); index++) {
    const place = at + BigInt(index * here.entryBytes);
    const entry = readPhysical(memory, place, here.entryBytes);
    if (entry === undefined) {
      view.problem = `the table ${index === 0 ? 'is' : 'goes on'} at ${hex(place)}, which is not RAM`;
      break;
    }
    if (entry === 0n) view.empty++;
    else view.rows.push(rowOf(entry, index, place, linear, here, mode, { system, memory }, passed));
  }
  view.rows = joined(view.rows, alone);
  return view;
}

function rowOf(
  entry: bigint,
  index: number,
  at: bigint,
  above: bigint,
  step: PagingStep,
  mode: PagingMode,
  { system }: CpuSubject,
  passed: readonly bigint[],
): PageTableRow {
  const { present, page, target, rights, problem } = readEntry(entry, step, mode, system);
  const bits = mode === '5-level' ? 57 : mode === '4-level' ? 48 : 64;
  const linear = above | (BigInt(index) << step.shift);
  const leadsTo = !present || problem !== undefined ? 'nothing' : page ? 'page' : 'table';
  return {
    first: index,
    last: index,
    ...{ at, entry, rights, leadsTo },
    bits: entryBits(entry, step, page),
    linear: BigInt.asUintN(64, BigInt.asIntN(bits, linear)),
    length: 1n << step.shift,
    ...(leadsTo !== 'nothing' && { target }),
    ...(leadsTo === 'table' && passed.includes(target) && { loops: true }),
    ...(problem !== undefined && { problem }),
  };
}

/** Consecutive pages with the same bits become one row where there are several. */
function joined(rows: readonly PageTableRow[], alone: number | undefined): PageTableRow[] {
  const out: PageTableRow[] = [];
  for (let i = 0; i < rows.length; ) {
    const first = rows[i]!;
    let count = 1;
    while (follows(first, rows[i + count], count, alone)) count++;
    if (count < ALIKE) out.push(...rows.slice(i, i + count));
    else out.push({ ...first, last: first.first + count - 1, length: first.length * BigInt(count) });
    i += count;
  }
  return out;
}

function follows(first: PageTableRow, row: PageTableRow | undefined, count: number, alone?: number): boolean {
  return (
    row !== undefined &&
    first.leadsTo === 'page' &&
    row.leadsTo === 'page' &&
    first.first !== alone &&
    row.first !== alone &&
    row.first === first.first + count &&
    row.target === first.target! + first.length * BigInt(count) &&
    row.bits.join() === first.bits.join()
  );
}
