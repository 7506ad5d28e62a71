/**
 * The WebAssembly program as TypeScript sees it.
 *
 * @module
 */

/** What cpu/index.ts exports. All state is in the engine area, see layout.ts. */
export interface Program extends TranslatedCode {
  /** Forgets all that was derived from guest memory. */
  reset(): void;
  setFlags(flags: number): void;
  rflags(): number;
  /** Forgets which linear address is where in memory: a region was moved. */
  flushTlb(): void;
  /** The tables of the debugger's breakpoints and watchpoints were written. */
  setMonitor(): void;
  /** Segments or control registers were set. */
  setSystem(): void;
  /** Not 0 if an external interrupt can be taken. */
  ready(): number;
  wantWindow(wanted: number): void;
  inject(vector: number): void;
  /** What the monitor answered to the access under way is in EXIT_DATA. */
  takeAnswer(): void;
  /**
   * Runs that many instructions at most, or one; gives an `ExitKind`. `goesOn` is not 0 where nothing was written to memory
   * or registers since the last run: then the code that was decoded is taken to be what it was.
   */
  run(budget: bigint, once: number, goesOn: number): number;
}

/** What translated code calls, and the translator. */
export interface TranslatedCode {
  /** The handlers, and behind them the translated functions. */
  table: WebAssembly.Table;
  enter: (rip: bigint, slot: number) => number;
  perform: (record: number) => number;
  /** The block at RIP, if it was decoded and is of now; else 0. */
  blockAtRip(): number;
}

/** A program of its own over `memory`, whose first 32 MiB it uses. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Program {
  const abort = (_message: number, _file: number, line: number, column: number) => {
    throw new Error(`the software CPU stopped at ${line}:${column}`);
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  return exports as unknown as Program;
}
