/**
 * The machine: RAM, a CPU and devices on a bus, and the loop that runs them to an outcome.
 *
 * @module
 */
export { Bus, type UnclaimedAccess } from './bus.js';
export { DeviceError } from './errors.js';
export { DEFAULT_MEMORY, Machine, type MachineConfig } from './machine.js';
export type { Outcome, OutcomeKind } from './outcome.js';
export { type ExitObserver, type RunOptions, TICK_MS } from './run-loop.js';
