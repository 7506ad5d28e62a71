/** Traces: which exits, in which format. */

export type { TraceEncoder } from './encoder.js';
export { type ExitTest, entryTest, exitTest, parseTraceFilter, type TraceFilter } from './filter.js';
export { CHROME_TAIL, ChromeEncoder, NdjsonEncoder } from './json.js';
export { formatTraceLine, TextTrace, traceHeader } from './text.js';
export { type TraceTexts, traceTexts } from './texts.js';
