/**
 * The Node side of a machine: which engine, which file, and which thread.
 *
 * @module
 */

export { type IrqchipName, irqchipNames } from './board.js';
export { type Check, type CheckStatus, type Diagnosis, diagnose } from './doctor.js';
export {
  chooseEngine,
  type EngineChoice,
  type EngineName,
  type EngineWishes,
  engineByName,
  engineNames,
} from './engines.js';
export {
  HostedMachine,
  type HostedOutcome,
  type HostedRunOptions,
  hostMachine,
  type SimvirtioReport,
} from './hosted.js';
export type { CapturedSink, ChunkSink, FrameSink } from './hosted-streams.js';
export { type GuestSettings, type LoadedImage, loadImage } from './image-file.js';
export { createLauncher, type LauncherOptions } from './launch.js';
export { createMachine, type LocalConfig } from './local.js';
export { type CounterSource, openProcess, StatError, type WatchedProcess } from './process-counters.js';
export {
  type BootReport,
  type DeviceModule,
  type PortableConfig,
  type PortableError,
  packError,
  type TraceFormat,
  type TraceOptions,
  unpackError,
} from './protocol.js';
export type { Moment } from './screen-feed.js';
export type { MachineSigns } from './signs.js';
export { sourceFinder } from './source-files.js';
export { type StatSample, type WatchOptions, watchCounters, watchStats } from './stat.js';
export {
  makeFromTemplate,
  type NewOptions,
  type TemplateName,
  templateNames,
  templateSummaries,
} from './templates.js';
export { Tracer, type TracerParts } from './tracer.js';
export { drainPool, warmUp } from './worker-pool.js';
