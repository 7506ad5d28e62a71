/** Traces: which exits, in which format. */

export {
  type CounterGroup,
  type CounterRow,
  counterGroups,
  counterRows,
  formatCounter,
  formatCounters,
} from './counters.js';
export type { TraceEncoder } from './encoder.js';
export { ExitCode } from './exit-code.js';
export { ExitLog } from './exit-log.js';
export { type ExitTest, entryTest, exitTest, parseTraceFilter, type TraceFilter } from './filter.js';
export { CHROME_TAIL, ChromeEncoder, NdjsonEncoder } from './json.js';
export { TraceFileError, TraceParser, type TraceRecord } from './record.js';
export { Statistics, type StatisticsJson } from './statistics.js';
export { formatStatistics } from './statistics-table.js';
export { type TraceBucket, type TraceRow, TraceSummary, type TraceSummaryJson } from './summary.js';
export { formatTraceSummary, formatUs, type SummaryTextOptions } from './summary-text.js';
export { formatTraceLine, TextTrace, traceHeader } from './text.js';
export { type TraceTexts, traceTexts } from './texts.js';
export type { TimelineJson, TimelineRow } from './timeline.js';
