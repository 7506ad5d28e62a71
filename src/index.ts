/**
 * Terrarium: virtual machines in TypeScript on Linux's KVM API, made so that you can see inside.
 *
 * `createMachine` makes a machine on this thread, with plain objects as devices; `hostMachine` puts one on a thread of
 * its own. Only the typed KVM API is `terrarium-vm/kvm`.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import './globals.js';

export { type BootPlan, type Image, ImageError, type Mode, modes, parseImage } from './boot/index.js';
export type { DeviceModule, EngineName, MachineSpec } from './config/index.js';
export {
  type Breakpoint,
  type BreakpointOptions,
  type CpuView,
  Debugger,
  type DebuggerEvents,
  type DebugStop,
  type DebugTarget,
  type Frame,
  type ListingLine,
  type Origin,
  type OriginWay,
  type State,
  type Stop,
  type Value,
  type Watchpoint,
  type WriteRecord,
} from './debug/index.js';
export type {
  Access,
  AccessSize,
  AccessWords,
  ByteSink,
  ByteSource,
  Device,
  DeviceHost,
  DeviceInputs,
  Glance,
  InputSource,
  InputStream,
  InterruptController,
  Line,
  LineListener,
  MemoryRange,
  Picture,
  PictureArea,
  PortRange,
  Screen,
  TextPicture,
  Windows,
} from './devices/contract/index.js';
export * from './devices/index.js';
export type {
  Engine,
  EngineCounter,
  EngineCounters,
  EngineCpu,
  EngineFailure,
  EngineVm,
  Exit,
  FaultRecord,
  IrqchipName,
} from './engine/contract/index.js';
export { ExitKind } from './engine/contract/index.js';
export { ConfigError, TerrariumError } from './errors.js';
export type {
  CheckRequest,
  Exam,
  ExpectRequest,
  GuestRun,
  Random,
  RunRequest,
  SeenExit,
} from './exercises/index.js';
export { type Explanation, explain, formatExplanation } from './explain/index.js';
export {
  type CodeView,
  type CpuSubject,
  checkExpectation,
  type DescriptorTableView,
  type DumpItem,
  type DumpPart,
  dump,
  formatCode,
  formatDescriptorTable,
  formatInterruptTable,
  formatNames,
  formatPageMap,
  formatRegisters,
  formatTaskState,
  formatWalk,
  type InterruptTableView,
  type NamedPlace,
  type PageMap,
  type PageWalk,
  pageMap,
  parseDump,
  parseExpectation,
  readCode,
  readDescriptorTable,
  readInterruptTable,
  readNames,
  readTaskState,
  type TaskStateView,
  walkPages,
} from './inspect/index.js';
export {
  type AccessName,
  type InterruptPins,
  Launcher,
  type LauncherCallbacks,
  type LauncherConfig,
  type LauncherEnd,
  type LauncherRunOptions,
  type UnhandledAccess,
} from './launcher/index.js';
export {
  DEFAULT_MEMORY,
  DeviceError,
  type ExitObserver,
  type MachineConfig,
  type MachineState,
  type Outcome,
  type OutcomeKind,
  type RunOptions,
  type UnclaimedAccess,
} from './machine/index.js';
export {
  type AttachedConsole,
  type AttachOptions,
  type ConsoleEvents,
  connectMachine,
  type DetachedMachine,
  type DetachedOptions,
  type ListOptions,
  listMachines,
  type MachineConnection,
  type MachineEnd,
  type MachineInfo,
  type MachineStatus,
  type MachineUse,
  pidOf,
  powerOffMachine,
  readConsole,
  readMessages,
  removeMachine,
  startDetached,
  stopMachine,
} from './manage/index.js';
export { GuestMemory, GuestMemoryError, type MemoryRegion, type RegionConfig } from './memory/index.js';
export { type ForkParts, Machine, type Snapshot } from './pc/index.js';
export {
  type CountedFunction,
  countFunctions,
  flameGraph,
  folded,
  type Profile,
  speedscope,
} from './profile/index.js';
export {
  chooseEngine,
  createLauncher,
  createMachine,
  drainPool,
  type EngineChoice,
  type EngineRequirements,
  engineByName,
  HostedMachine,
  type HostedOptions,
  type HostedOutcome,
  type HostedRunOptions,
  hostMachine,
  type ImageSource,
  type LauncherOptions,
  type LoadedImage,
  loadImage,
  type MachineOptions,
  type ObserveOptions,
  StatError,
  type StatSample,
  type TraceFormat,
  type TraceOptions,
  type WatchOptions,
  watchStats,
} from './runtime/index.js';
export { SymbolTable } from './symbols/index.js';
export { decodeTerra, encodeTerra, type RecordedEnd, type Terra, TerraError } from './terra/index.js';
export { type CounterRow, ExitLog, formatCounters, Statistics } from './trace/index.js';
export type {
  CpuRegisters,
  CpuState,
  DescriptorTable,
  Registers,
  Segment,
  SystemRegisters,
} from './x86/index.js';
