/**
 * The Node side of a machine: chooses the engine, reads files, and runs threads.
 *
 * @module
 */

export type { ImageSource, MachineOptions } from '../pc/index.js';
export { createMachine } from './create.js';
export { hostCpuVendor } from './engines/cpu-vendor.js';
export { type Check, type CheckStatus, type Diagnosis, diagnose } from './engines/doctor.js';
export {
  chooseEngine,
  type EngineChoice,
  type EngineRequirements,
  engineByName,
} from './engines/engines.js';
export { found, isFolder, whyUnreadable } from './images/found.js';
export { buildImage, type ImageFiles, type LoadedImage, loadImage } from './images/image-file.js';
export { languageOf, SOURCE_ENDINGS } from './images/languages.js';
export { contentsOf, makeFolder } from './images/new-folder.js';
export { findSandbox, type SandboxName, sandboxLimits, sandboxNames } from './images/sandbox.js';
export { sourceFinder } from './images/source-files.js';
export {
  makeFromTemplate,
  type NewOptions,
  type TemplateName,
  templateNames,
  templateOf,
  templateSummaries,
} from './images/templates.js';
export {
  type AssemblerName,
  assemblers,
  type BuildOptions,
  compileSources,
  findDriver,
  hasCompiler,
  type SourceMode,
  ToolchainError,
} from './images/toolchain.js';
export { createLauncher, type LauncherOptions } from './launcher.js';
export { type LockstepName, type LockstepReport, runInLockstep } from './lockstep.js';
export { NetworkError } from './network/network-host.js';
export { openRuntimeDirectory, type RuntimeDirectory, STARTING } from './runtime-dir.js';
export {
  type CounterSource,
  hasKernelVm,
  openProcess,
  StatError,
  type WatchedProcess,
} from './stats/process-counters.js';
export { type StatSample, type WatchOptions, watchCounters, watchStats } from './stats/stat.js';
export { canRunHere, type HostedOptions, hostHere, hostMachine } from './thread/host-machine.js';
export { HostedMachine, type HostedRunOptions } from './thread/hosted.js';
export type { HostedOutcome, SimvirtioReport } from './thread/hosted-outcome.js';
export type { CapturedSink, ChunkSink, FrameSink, HostedPort } from './thread/hosted-streams.js';
export { type PortableError, packError, unpackError } from './thread/portable-error.js';
export type {
  BootReport,
  ObserveOptions,
  TraceFormat,
  TraceOptions,
} from './thread/protocol.js';
export type { Moment } from './thread/screen-feed.js';
export type { MachineSigns } from './thread/signs.js';
export { Tracer, type TracerParts } from './thread/tracer.js';
export { importUserModule } from './thread/typescript.js';
export type { TypedText } from './thread/typing.js';
export { importUserParts } from './thread/user-modules.js';
export { drainPool } from './thread/worker-pool.js';
