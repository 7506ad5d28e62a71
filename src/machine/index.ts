/**
 * The machine: RAM, a CPU and devices on a bus, and the loop that runs them to an outcome.
 *
 * @module
 */
export { Bus, type UnclaimedAccess } from './bus/bus.js';
export type { OtherCpu, Outcome, OutcomeKind } from './cpus/outcome.js';
export { TICK_MS } from './cpus/pace.js';
export type { RecentAccess } from './cpus/recent.js';
export type { ExitObserver, RunOptions, Share } from './cpus/run-loop.js';
export type { Activity } from './cpus/several.js';
export { DEFAULT_IPS, MAX_IPS } from './cpus/time.js';
export { DeviceError } from './errors.js';
export {
  AnswerChecker,
  AnswerRecorder,
  type AnswerSums,
  type InputEvent,
  type InputRecord,
  type Inputs,
  ReplayError,
} from './inputs/index.js';
export { type ClockName, clockNames, DEFAULT_MEMORY, Machine, type MachineConfig } from './machine.js';
export { MACHINE_STATE_VERSION, type MachineState, MachineStateError } from './snapshot/index.js';
