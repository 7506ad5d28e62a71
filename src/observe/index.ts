/**
 * What shows a run: the exit log, which everything else reads; statistics, traces, registers as text, expectations.
 *
 * @module
 */
export {
  type CounterGroup,
  type CounterRow,
  type CounterTableOptions,
  counterGroups,
  counterRows,
  formatCounter,
  formatCounters,
} from './counters.js';
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
export { codeSizeOf, formatInstruction } from './instruction.js';
export { physicalAddress } from './linear.js';
export { describeFlags, formatRegisters } from './registers.js';
export { Statistics, type StatisticsJson, type StatisticsRow } from './statistics.js';
export { formatStatistics, type TableOptions } from './statistics-table.js';
export { formatTraceLine, traceHeader } from './trace.js';
