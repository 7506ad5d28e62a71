/**
 * The CPU's tables as plain data, for a page that draws them. The guest writes them: each list is bounded.
 *
 * @module
 */
import type { Debugger, DebugSession } from '../debug/index.js';
import { errorText } from '../debug/index.js';
import type { Device } from '../devices/contract/index.js';
import { virtioViews } from '../devices/index.js';
import {
  type CpuSubject,
  type DescriptorTableView,
  type DeviceDrawing,
  type InterruptTableView,
  isLongMode,
  type PageTableView,
  type PageWalk,
  pagingModeOf,
  readDescriptorTable,
  readInterruptTable,
  readPageTable,
  readRings,
  readTaskState,
  segmentMeaning,
  type TaskStateView,
  walkPages,
} from '../inspect/index.js';
import type { GuestMemory } from '../memory/index.js';
import { CR0, type Segment, segmentNames } from '../x86/index.js';

/** The most entries of one table. */
const MOST_ENTRIES = 512;
/** The most tables that are open at a time. */
const MOST_TABLES = 64;

/** A segment register with its hidden part. */
export interface SegmentRow {
  readonly register: string;
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  readonly dpl: number;
  readonly unusable: boolean;
  /** `code readable 32-bit dpl 0`. */
  readonly meaning: string;
  /** The table's entry now has other contents than the CPU has loaded. */
  readonly differs: boolean;
}

/** The tables that registers point to. Of descriptor tables and IDT without the entries that are 0, whose number is `empty`. */
export interface CpuTables {
  readonly mode: 'real' | 'protected' | 'long';
  readonly segments: readonly SegmentRow[];
  readonly gdt: DescriptorTableView & { readonly empty: number };
  readonly ldt: DescriptorTableView & { readonly empty: number };
  readonly idt: InterruptTableView & { readonly empty: number };
  readonly task: TaskStateView;
  /** The names of handlers, by vector. */
  readonly handlers: readonly (readonly [vector: number, name: string])[];
}

/** The page tables to read: by the indexes that lead to each, and those of an address. */
export interface PagesFor {
  readonly open: readonly (readonly number[])[];
  /** An address, a name or an expression. */
  readonly follow?: string;
}

export interface PagesLook {
  readonly mode: PageWalk['mode'];
  readonly cr3: bigint;
  /** The first table, then the open ones that exist, then those on the way to the address. */
  readonly tables: readonly PageTableView[];
  readonly walk?: PageWalk;
  /** Why the address cannot be followed. */
  readonly problem?: string;
}

/** A stopped machine. */
export interface Tabled {
  readonly session: DebugSession;
  readonly debug: Debugger;
  readonly machine: { readonly memory: GuestMemory; readonly devices: readonly Device[] };
}

const subjectOf = ({ session, machine }: Tabled): CpuSubject => ({
  system: session.view().system,
  memory: machine.memory,
});

export function tablesOf(made: Tabled): CpuTables {
  const subject = subjectOf(made);
  const { system } = subject;
  const [gdt, ldt] = [readDescriptorTable(subject, 'GDT'), readDescriptorTable(subject, 'LDT')];
  const idt = readInterruptTable(subject);
  const used = idt.entries.filter(({ raw, high }) => raw !== 0n || high !== 0n);
  const isReal = (system.cr0 & CR0.PE) === 0n;
  const handlers = used.flatMap(({ vector, offset, selector }): [number, string][] => {
    const at = isReal ? BigInt(selector << 4) + offset : offset;
    const name = made.debug.symbols.locate(at);
    return name === undefined ? [] : [[vector, name]];
  });
  const loaded = [...segmentNames.map((name) => [name, system[name]] as const), ['tr', system.tr] as const];
  return {
    mode: isReal ? 'real' : isLongMode(system) ? 'long' : 'protected',
    segments: [...loaded, ['ldtr', system.ldt] as const].map(([register, segment]) => ({
      register,
      ...{ selector: segment.selector, base: segment.base, limit: segment.limit, dpl: segment.dpl },
      unusable: segment.unusable,
      meaning: segmentMeaning(segment),
      differs: !isReal && differs(segment, register, segment.selector & 4 ? ldt : gdt, isLongMode(system)),
    })),
    gdt: shortened(gdt),
    ldt: shortened(ldt),
    idt: { ...idt, entries: used, empty: idt.entries.length - used.length },
    task: readTaskState(subject),
    handlers,
  };
}

function shortened(table: DescriptorTableView) {
  const used = table.entries.filter(({ raw, selector }) => raw !== 0n || selector === 0);
  const problems =
    used.length > MOST_ENTRIES
      ? [
          ...table.problems,
          `it has ${used.length} entries that are used: the first ${MOST_ENTRIES} are shown`,
        ]
      : table.problems;
  return {
    ...table,
    problems,
    entries: used.slice(0, MOST_ENTRIES),
    empty: table.entries.length - used.length,
  };
}

/** A processor reads a descriptor only when a selector is loaded (SDM 3A 3.4.3). */
function differs(loaded: Segment, register: string, table: DescriptorTableView, long: boolean): boolean {
  if (loaded.unusable || (loaded.selector & 0xfffc) === 0) return false;
  const entry = table.entries.find(({ selector }) => selector === (loaded.selector & 0xfff8));
  if (entry === undefined) return true;
  const { segment } = entry;
  // Bit 0 of a segment's type is "accessed", bit 1 of a TSS's is "busy".
  const same = loaded.s ? ~1 : ~2;
  const ignoresBase = long && loaded.s;
  return (
    loaded.s !== segment.s ||
    (loaded.type & same) !== (segment.type & same) ||
    (!ignoresBase && (loaded.base !== segment.base || loaded.limit !== segment.limit)) ||
    (register === 'cs' && (loaded.l !== segment.l || loaded.db !== segment.db))
  );
}

/** The queues of the virtio devices; empty where there is none. */
export function ringsOf({ machine }: Tabled): DeviceDrawing[] {
  return readRings(virtioViews(machine.devices), machine.memory);
}

export async function pagesOf(made: Tabled, { open, follow }: PagesFor): Promise<PagesLook> {
  const subject = subjectOf(made);
  const { system } = subject;
  const found: Pick<PagesLook, 'walk' | 'problem'> = {};
  if (follow !== undefined && follow.trim() !== '') {
    try {
      const { place, value } = await made.debug.evaluate(follow, { pure: true });
      Object.assign(found, { walk: walkPages(subject, place?.kind === 'memory' ? place.address : value) });
    } catch (error) {
      Object.assign(found, { problem: errorText(error) });
    }
  }
  const way = found.walk?.levels.map(({ index }) => index) ?? [];
  const wanted = new Map<string, readonly number[]>();
  for (const path of [[], ...open.slice(0, MOST_TABLES), ...way.map((_, n) => way.slice(0, n))])
    wanted.set(path.join('/'), path);
  const tables = [...wanted.values()].flatMap((path) => {
    const on = path.every((index, n) => index === way[n]);
    const table = readPageTable(subject, path, on ? way[path.length] : undefined);
    return table === undefined ? [] : [table];
  });
  return { mode: pagingModeOf(system), cr3: system.cr3, tables, ...found };
}
