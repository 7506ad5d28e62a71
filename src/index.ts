/**
 * Terrarium: virtual machines in TypeScript on Linux's KVM API, made so that you can see inside.
 *
 * `createMachine` makes a machine on this thread, with plain objects as devices; `hostMachine` puts one on a thread of
 * its own. The typed KVM API alone is `terrarium/kvm`.
 *
 * @module
 */
export { type BootPlan, type Image, ImageError, type Mode, modes, parseImage } from './boot/index.js';
export type { CpuView, DebugTarget, Stop } from './debug/index.js';
export type {
  AccessSize,
  ByteSink,
  ByteSource,
  Device,
  DeviceHost,
  InterruptController,
  LineWatcher,
  MemoryRange,
  Picture,
  PictureArea,
  PortRange,
  Screen,
  TextPicture,
  Windows,
} from './devices/contract.js';
export * from './devices/index.js';
export type {
  CpuState,
  DescriptorTable,
  Engine,
  EngineCounter,
  EngineCounters,
  EngineCpu,
  EngineFailure,
  EngineVm,
  Exit,
  FaultRecord,
  Registers,
  Segment,
  SystemRegisters,
} from './engine/contract.js';
export { ExitKind } from './engine/contract.js';
export { ConfigError, TerrariumError } from './errors.js';
export {
  chooseEngine,
  createLauncher,
  createMachine,
  type DeviceModule,
  drainPool,
  type EngineChoice,
  type EngineName,
  type EngineWishes,
  engineByName,
  HostedMachine,
  type HostedOutcome,
  type HostedRunOptions,
  hostMachine,
  type IrqchipName,
  type LauncherOptions,
  type LoadedImage,
  type LocalConfig,
  loadImage,
  type PortableConfig,
  StatError,
  type StatSample,
  type WatchOptions,
  watchStats,
} from './host/index.js';
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
  Machine,
  type MachineConfig,
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
  type DetachedConfig,
  type DetachedMachine,
  type ListOptions,
  listMachines,
  type MachineConnection,
  type MachineEnd,
  type MachineInfo,
  type MachineStatus,
  type MachineUse,
  pidOf,
  readConsole,
  readMessages,
  removeMachine,
  startDetached,
  stopMachine,
} from './manage/index.js';
export { GuestMemory, GuestMemoryError, type MemoryRegion, type RegionConfig } from './memory/index.js';
export {
  type CounterRow,
  type CpuSubject,
  checkExpectation,
  type DescriptorTableView,
  type DumpItem,
  type DumpPart,
  dump,
  ExitLog,
  type Explanation,
  explain,
  formatCounters,
  formatDescriptorTable,
  formatExplanation,
  formatInterruptTable,
  formatPageMap,
  formatRegisters,
  formatTaskState,
  formatWalk,
  type InterruptTableView,
  type PageMap,
  type PageWalk,
  pageMap,
  parseDump,
  parseExpectation,
  readDescriptorTable,
  readInterruptTable,
  readTaskState,
  Statistics,
  type TaskStateView,
  walkPages,
} from './observe/index.js';
