/**
 * Debuggers: a session that holds a machine, and gdb's remote protocol over it. All but `listen.ts` is pure.
 *
 * @module
 */
export { DebugError } from './errors.js';
export { GdbStub, type StubEvents } from './gdb/stub.js';
export { DEFAULT_GDB_PORT, type GdbAddress, GdbServer, serveGdb } from './listen.js';
export type { Space } from './memory.js';
export type { CodeBits } from './mode.js';
export { type CpuView, registerOf } from './registers.js';
export { type Debuggee, DebugSession, type SessionOptions, type Stop } from './session.js';
export {
  type DebugMethod,
  type DebugTarget,
  debugMethods,
  localTarget,
  runningMethods,
} from './target.js';
