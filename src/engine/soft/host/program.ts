/**
 * The interface of the WebAssembly program.
 *
 * @module
 */

/** The exports of cpu/index.ts. All state is in the engine area, see layout.ts. */
export interface Program extends TranslatedCode {
  /** Drops all that was derived from guest memory. */
  reset(): void;
  setFlags(flags: number): void;
  rflags(): number;
  /** Flushes the TLBs of all CPUs: a region was moved. */
  flushAll(): void;
  /** Clears the TLB's tables of the CPU to which the state's fixed addresses belong. */
  resetTlb(): void;
  /** From now on the state's fixed addresses belong to this CPU. */
  selectCpu(cpu: number): void;
  /** Makes a CPU the copy of the one to which the state's fixed addresses belong. */
  cloneCpu(cpu: number): void;
  /** From now on, the first write to each page is seen. */
  guardPages(): void;
  /** Call it after writing the tables of the debugger's breakpoints and watchpoints. */
  setMonitor(): void;
  /** Call it after segments or control registers were set. */
  setSystem(): void;
  /** Not 0 if an external interrupt can be delivered. */
  ready(): number;
  wantWindow(wanted: number): void;
  inject(vector: number): void;
  /** Takes the monitor's answer to the current access from EXIT_DATA. */
  takeAnswer(): void;
  /**
   * Runs at most that many instructions, or one; returns an `ExitKind`. `goesOn` is not 0 where nothing was written to memory
   * or registers since the last run: then decoded code is still valid.
   */
  run(budget: bigint, once: number, goesOn: number): number;
}

/** For translated code and the translator. */
export interface TranslatedCode {
  /** The handlers, followed by the translated functions. */
  table: WebAssembly.Table;
  enter: (rip: bigint, slot: number) => number;
  perform: (record: number) => number;
  refill: (linear: bigint, size: bigint, how: number) => number;
  goOn: (rip: bigint, slot: number) => number;
  callThrough: (rip: bigint, slot: number, block: number, needed: number) => number;
  leaveAt: (record: number, translation: number, instructions: bigint) => number;
  /** Forgets all blocks, and so their translations. */
  forgetCode(): void;
  /** The block at RIP, if it is decoded and valid; else 0. */
  blockAtRip(): number;
}

/** Makes an instance of the program on `memory`, whose first 32 MiB it uses. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Program {
  const abort = (_message: number, _file: number, line: number, column: number) => {
    throw new Error(`the software CPU aborted at ${line}:${column}`);
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  return exports as unknown as Program;
}
