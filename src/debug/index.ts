/**
 * Debuggers: a session that controls a machine, gdb's remote protocol on it, and `Debugger`, the core of the other debuggers: lines, names,
 * expressions, breakpoints. All of it is pure; code that needs Node is in `listen/`.
 *
 * @module
 */

export {
  type Breakpoint,
  type BreakpointOptions,
  findSourceFile,
  type Location,
  type Watchpoint,
} from './breakpoints.js';
export type { Shown, SourceFrame } from './c/index.js';
export type { Debuggee, SessionOptions } from './debuggee.js';
export { Debugger } from './debugger.js';
export { DebugError, errorText } from './errors.js';
export { type Frame, FrameMemo, framesAt, type Search } from './frames.js';
export { GdbStub, type StubEvents } from './gdb/stub.js';
export type { Footprint } from './history/backwards.js';
export { type Difference, type Divergence, divergenceOf, type Run } from './history/divergence.js';
export { HISTORY_BYTES, History, type HistoryRange } from './history/history.js';
export type { SurveyPiece, SurveyWanted } from './history/survey.js';
export type { ListingLine } from './listing.js';
export type { Space } from './memory.js';
export { type CodeBits, isRealAddressing, segmentBase, stackPointer } from './mode.js';
export type {
  MemoryAccess,
  Origin,
  OriginOptions,
  OriginWay,
  WantedPlace,
  WriteRecord,
} from './origin/index.js';
export { accessesOf, originText, writesText } from './origin/index.js';
export type { DebuggerEvents } from './points.js';
export { type CpuView, registerOf } from './registers.js';
export type { Progress } from './seeker.js';
export { progressText, type Seek, seekOf } from './seeks.js';
export { DebugSession } from './session.js';
export type { DebugStop, State } from './state.js';
export type { Stop, StopPlace } from './stop.js';
export { type DebugMethod, type DebugTarget, debugMethods, localTarget, runningMethods } from './target.js';
export type { Place, Value } from './value.js';
