/**
 * Which memory a guest reads, writes and executes: of each of its instructions at first, then of samples further and further apart, so that
 * a short guest is counted exactly and a long one does not wait.
 *
 * @module
 */
import { accessesOf, stackPointer } from '../debug/index.js';
import type { EngineCpu } from '../engine/contract/index.js';
import { codeSizeOf, physicalAddress, readLinear } from '../inspect/index.js';
import { disassemble, MAX_LENGTH } from '../isa/index.js';
import type { GuestMemory } from '../memory/index.js';
import { randomNumbers } from '../random.js';
import type { CpuRegisters } from '../x86/index.js';

/** Memory is counted by lines of so many bytes. */
const LINE = 64;
const LINES_IN_PAGE = 4096 / LINE;
/** So many instructions are counted one by one; then the distance of samples doubles after each `SAMPLES`. */
const EXACT = 4096;
const SAMPLES = 1024;
/** The most elements of a string that one sample stands for. */
const MOST_ELEMENTS = 1 << 20;
/** The most lines that are told apart: of later ones each page is one. */
const MOST_LINES = 1 << 17;
/** Cells of a row, and the most rows of one answer. */
const COLUMNS = 64;
const MOST_ROWS = 96;

const [READ, WRITE, EXECUTE] = [0, 1, 2];

/** The part of physical memory to show; all of it by default. */
export interface HeatFor {
  readonly from?: number;
  readonly length?: number;
}

/** Rows of 64 cells, of those parts of memory that were accessed: how many instructions, about, accessed each. */
export interface MemoryHeat {
  /** Bytes of a cell. */
  readonly cell: number;
  readonly rows: readonly {
    /** Guest physical. */
    readonly address: number;
    readonly read: Float64Array;
    readonly write: Float64Array;
    readonly execute: Float64Array;
    /** The line in each cell that was accessed most. */
    readonly hottest: Float64Array;
  }[];
  /** There are more rows. */
  readonly cut: boolean;
  /** Instructions that ran, and how many of them were looked at. */
  readonly instructions: number;
  readonly samples: number;
  /** Where the next instruction and the top of the stack are, in physical memory. */
  readonly code?: number;
  readonly stack?: number;
}

export interface HeatParts {
  readonly cpus: readonly EngineCpu[];
  readonly memory: GuestMemory;
}

/** An access of the instruction that was looked at last. */
interface Pending {
  readonly physical: number;
  /** Within one page. */
  readonly size: number;
  readonly kind: number;
  readonly weight: number;
  /** The weight of a byte, for strings; else 0. */
  readonly share: number;
}

/** See the module's comment. What the guest does again after going back is not counted again. */
export class HeatCounter {
  readonly #parts: HeatParts;
  /** By the number of the line: read, written, executed. */
  readonly #lines = new Map<number, Float64Array>();
  readonly #random = randomNumbers(1);
  #pending: Pending[] = [];
  #samples = 0;
  #counted = 0;

  constructor(parts: HeatParts) {
    this.#parts = parts;
  }

  /** Begins; before the first instruction. */
  start(): void {
    const any = this.#parts.cpus.find(({ sample }) => sample !== undefined);
    this.#counted = this.#now;
    this.#look(0, 1);
    any?.sample?.({ first: 1, take: (cpu) => this.#take(cpu) });
  }

  get #now(): number {
    return this.#parts.cpus.find(({ clock }) => clock)?.clock?.instructions ?? 0;
  }

  #take(cpu: number): number {
    const ran = this.#now - this.#counted;
    if (ran <= 0) return 1 - ran;
    this.#counted += ran;
    this.#commit();
    this.#look(cpu, ran);
    return this.#distance();
  }

  /** Instructions until the next sample; they vary, since a loop may be as long as a fixed distance. */
  #distance(): number {
    if (this.#samples < EXACT) return 1;
    const interval = 2 ** (1 + Math.floor((this.#samples - EXACT) / SAMPLES));
    return Math.max(1, Math.round(interval * (0.5 + this.#random() / 2 ** 32)));
  }

  /** Looks at the next instruction of a CPU, which stands for so many. It counts when it has run. */
  #look(number: number, weight: number): void {
    this.#samples++;
    this.#pending = [];
    const { cpus, memory } = this.#parts;
    const cpu = cpus[number];
    if (cpu === undefined) return;
    const view = { registers: cpu.getRegisters(), system: cpu.getSystemRegisters() };
    const { system } = view;
    const at = codeAddress(view);
    const bytes = readLinear({ system, memory }, at, MAX_LENGTH);
    if (bytes.length === 0) return;
    const instruction = disassemble(bytes, { code: codeSizeOf(system), address: at });
    const add = (linear: bigint, size: number, kind: number, times = 1) => {
      // The elements of a string share the weight.
      const share = times > 1 ? weight / size : 0;
      for (let done = 0; done < size; ) {
        const address = linear + BigInt(done);
        const inPage = Math.min(size - done, 4096 - Number(address & 0xfffn));
        const physical = physicalAddress(memory, system, address);
        if (physical !== undefined && memory.contains(physical, 1))
          this.#pending.push({ physical, size: inPage, kind, weight, share });
        done += inPage;
      }
    };
    add(at, Math.max(1, instruction.length), EXECUTE);
    const most = Math.min(weight, MOST_ELEMENTS);
    for (const { address, size, write, times } of accessesOf(instruction, view, most))
      add(address, size, write ? WRITE : READ, times);
  }

  #commit(): void {
    for (const one of this.#pending) this.#add(one);
    this.#pending = [];
  }

  #add({ physical, size, kind, weight, share }: Pending): void {
    const end = physical + size;
    const last = Math.floor((end - 1) / LINE);
    for (let line = Math.floor(physical / LINE); line <= last; line++) {
      const full = this.#lines.size >= MOST_LINES && !this.#lines.has(line);
      const key = full ? line - (line % LINES_IN_PAGE) : line;
      let counts = this.#lines.get(key);
      if (counts === undefined) {
        counts = new Float64Array(3);
        this.#lines.set(key, counts);
      }
      const bytes = Math.min(end, (line + 1) * LINE) - Math.max(physical, line * LINE);
      counts[kind]! += share > 0 ? share * bytes : weight;
    }
  }

  /** The counts of a part of memory, in cells as small as its rows allow. */
  heat({ from = 0, length = Number.POSITIVE_INFINITY }: HeatFor = {}): MemoryHeat {
    if (this.#now > this.#counted) this.#commit();
    const first = Math.floor(from / LINE);
    const end = from + length;
    const lines = [...this.#lines].filter(([line]) => line >= first && line * LINE < end);
    lines.sort(([a], [b]) => a - b);
    let cell = LINE;
    while (rowsOf(lines, cell) > MOST_ROWS && cell < 2 ** 36) cell *= 2;
    const rows: MemoryHeat['rows'][number][] = [];
    let most = new Float64Array(COLUMNS);
    for (const [line, counts] of lines) {
      const address = line * LINE;
      const start = address - (address % (cell * COLUMNS));
      let row = rows.at(-1);
      if (row?.address !== start) {
        const [read, write, execute, hottest] = Array.from({ length: 4 }, () => new Float64Array(COLUMNS));
        row = { address: start, read: read!, write: write!, execute: execute!, hottest: hottest! };
        rows.push(row);
        most = new Float64Array(COLUMNS);
      }
      const column = Math.floor((address - start) / cell);
      const [read, write, execute] = counts as unknown as [number, number, number];
      row.read[column]! += read;
      row.write[column]! += write;
      row.execute[column]! += execute;
      if (read + write + execute <= most[column]!) continue;
      most[column] = read + write + execute;
      row.hottest[column] = address;
    }
    return {
      ...{ cell, rows: rows.slice(0, MOST_ROWS), cut: rows.length > MOST_ROWS },
      ...{ instructions: this.#now, samples: this.#samples },
      ...this.#places(),
    };
  }

  #places(): Pick<MemoryHeat, 'code' | 'stack'> {
    const { cpus, memory } = this.#parts;
    const [cpu] = cpus;
    if (cpu === undefined) return {};
    const view = { registers: cpu.getRegisters(), system: cpu.getSystemRegisters() };
    const { system } = view;
    const code = physicalAddress(memory, system, codeAddress(view));
    const stack = physicalAddress(memory, system, stackPointer(view));
    return { ...(code !== undefined && { code }), ...(stack !== undefined && { stack }) };
  }
}

/** The linear address of the next instruction. */
function codeAddress({ registers: { rip }, system }: CpuRegisters): bigint {
  return codeSizeOf(system) === 64 ? rip : (system.cs.base + rip) & 0xffff_ffffn;
}

function rowsOf(lines: readonly (readonly [number, Float64Array])[], cell: number): number {
  const perRow = (cell * COLUMNS) / LINE;
  let [count, last] = [0, -1];
  for (const [line] of lines) {
    const row = Math.floor(line / perRow);
    if (row !== last) count++;
    last = row;
  }
  return count;
}
