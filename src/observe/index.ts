/**
 * What shows a run: the exit log, which everything else reads; statistics, traces, registers as text, expectations; the CPU's
 * tables, decoded.
 *
 * @module
 */
export type { CallFrames, FrameRule } from './call-frames.js';
export {
  type CounterGroup,
  type CounterRow,
  type CounterTableOptions,
  counterGroups,
  counterRows,
  formatCounter,
  formatCounters,
} from './counters.js';
export type { SourceFile } from './dwarf-lines.js';
export { ExitCode } from './exit-code.js';
export { type ExitEntry, ExitLog, type ExitReader } from './exit-log.js';
export {
  checkExpectation,
  type Expectation,
  ExpectationError,
  type ExpectationResult,
  type ExpectationSubject,
  parseExpectation,
} from './expectation.js';
export {
  type CodeSubject,
  type CodeView,
  type CpuSubject,
  type DescriptorEntry,
  type DescriptorTableView,
  type DumpItem,
  type DumpPart,
  dump,
  dumpNames,
  formatCode,
  formatDescriptorTable,
  formatInterruptTable,
  formatNames,
  formatPageMap,
  formatTaskState,
  formatWalk,
  type GateEntry,
  type InterruptTableView,
  type NamedPlace,
  type PageLevel,
  type PageMap,
  type PageMapLimits,
  type PageRange,
  type PageRights,
  type PageWalk,
  type PagingMode,
  type PhysicalMemory,
  pageMap,
  parseDump,
  readCode,
  readDescriptorTable,
  readInterruptTable,
  readNames,
  readTaskState,
  type ShownInstruction,
  type TaskField,
  type TaskStateView,
  walkPages,
} from './explorer/index.js';
export { physicalAddress } from './explorer/linear.js';
export { codeSizeOf, formatInstruction } from './instruction.js';
export { findRegister, nearestNames, type RegisterView, registerViewNames } from './register-names.js';
export { describeFlags, formatRegisters, namedBits, segmentMeaning } from './registers.js';
export type { AddressRange, LinePlaces, SourceLine, SourceLines } from './source-lines.js';
export { Statistics, type StatisticsJson, type StatisticsRow } from './statistics.js';
export { formatStatistics, type TableOptions } from './statistics-table.js';
export { type FunctionRange, SymbolTable } from './symbols.js';
export type { ElfSymbol } from './symbols-elf.js';
export {
  CHROME_TAIL,
  ChromeEncoder,
  type ExitTest,
  entryTest,
  exitTest,
  formatTraceLine,
  formatTraceSummary,
  formatUs,
  NdjsonEncoder,
  parseTraceFilter,
  TextTrace,
  type TimelineJson,
  type TraceBucket,
  type TraceEncoder,
  TraceFileError,
  type TraceFilter,
  TraceParser,
  type TraceRecord,
  type TraceRow,
  TraceSummary,
  type TraceSummaryJson,
  type TraceTexts,
  traceHeader,
  traceTexts,
} from './trace/index.js';
export {
  type Access,
  type DeathSubject,
  type ExplainedStep,
  type Explanation,
  explain,
  formatExplanation,
  type Locate,
  memoryOf,
  sceneOf,
} from './why/index.js';
