/**
 * The machine: RAM, a CPU and devices on a bus, and the loop that runs them to an outcome.
 *
 * @module
 */
export { Bus, type UnclaimedAccess } from './bus.js';
export { DeviceError } from './errors.js';
export { type ClockName, clockNames, DEFAULT_MEMORY, Machine, type MachineConfig } from './machine.js';
export type { Outcome, OutcomeKind } from './outcome.js';
export { TICK_MS } from './pace.js';
export type { ExitObserver, RunOptions } from './run-loop.js';
