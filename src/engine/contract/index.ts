/**
 * The contract of an engine, which runs x86 code on guest RAM until the code needs an answer from the monitor.
 *
 * Two engines implement it: `kvm` (the host's processor through /dev/kvm) and `soft` (Terrarium's own CPU). The machine
 * knows only this file of them. Nothing here imports Node, so that the contract also works in a browser.
 *
 * @module
 */
export {
  type CpuState,
  type DescriptorTable,
  type RegisterName,
  type Registers,
  registerNames,
  type Segment,
  type SegmentName,
  type SystemRegisters,
  segmentNames,
} from '../../x86/index.js';
export type { EngineCapabilities } from './capabilities.js';
export type { EngineClock } from './clock.js';
export { Control, controlBytes, controlWords, newControl, wakeThread } from './control.js';
export {
  type Assistance,
  type CpuEvents,
  type DryRun,
  type EngineCpu,
  type LateStore,
  NO_ASSISTANCE,
} from './cpu.js';
export type { DebugRequest, Watchpoint } from './debug.js';
export {
  type ApicFeatures,
  type Crew,
  type Engine,
  type EngineCounter,
  type EngineCounters,
  type EngineVm,
  type InterruptMessage,
  type IrqchipName,
  irqchipNames,
  type VmOptions,
} from './engine.js';
export { type Exit, ExitKind, emptyExit, exitKindNames, isAccess } from './exit.js';
export type { EngineFailure, FaultRecord } from './failure.js';
export type { Sampling } from './sampling.js';
export type {
  TranslatedCode,
  TranslatedFunction,
  TranslatedPart,
  TranslatedSummary,
  Translation,
} from './translation.js';
