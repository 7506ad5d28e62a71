/**
 * What an engine is: something that runs x86 code on guest RAM until the code does what only a monitor can answer.
 *
 * Two engines keep this contract: `kvm` (the real CPU through /dev/kvm) and `soft` (Terrarium's own CPU). The machine
 * knows them by this file alone. Nothing here imports Node, so that the contract holds in a browser as well.
 *
 * @module
 */
export { type Segment, type DescriptorTable, registerNames, type RegisterName, type Registers, segmentNames, type SegmentName, type SystemRegisters, type CpuState, type CpuInternals, sharedMsrs } from '../x86/state.js';
export { type EngineClock } from './contract/clock.js';
export { Control, controlWords, controlBytes, newControl, wakeThread } from './contract/control.js';
export { type Assistance, type Rehearsal, type EngineCpu } from './contract/cpu.js';
export { type WatchedPlace, type DebugRequest } from './contract/debug.js';
export { type EngineVm, type EngineCounter, type EngineCounters, type VmOptions, type Engine } from './contract/engine.js';
export { type Exit, ExitKind, emptyExit, exitKindNames } from './exit.js';
export { type EngineFailure, type FaultRecord } from './contract/failure.js';
