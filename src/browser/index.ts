/**
 * Terrarium in a browser: machines, devices and observers, on the software engine. It contains nothing of Node.
 *
 * ```ts
 * const engine = await loadSoftEngine(new URL('soft.wasm', import.meta.url));
 * const machine = createMachine({ engine, image: bytes, output });
 * const outcome = machine.run({ timeoutMs: 1000 });
 * ```
 *
 * A run blocks its thread, and a guest that sleeps makes it wait: so machines belong in a Worker. `WorkerMachine` is one in a
 * Worker, with a debugger, an assembler, its exits, screen and consoles. docs/browser.md shows all of it.
 *
 * @module
 */
import '../globals.js';

export {
  type Assembled,
  type AssembleOptions,
  AssemblerError,
  assemble,
  type Complaint,
  elfImage,
  flatImage,
} from '../assembler/index.js';
export { type BootPlan, type Image, ImageError, type Mode, modes, parseImage } from '../boot/index.js';
export { type MachineSpec, readSpec } from '../config/index.js';
export type {
  AccessSize,
  ByteSink,
  ByteSource,
  Device,
  DeviceHost,
  DeviceInputs,
  InputSource,
  InputStream,
  InterruptController,
  Line,
  LineListener,
  MemoryRange,
  PortRange,
} from '../devices/contract/index.js';
export * from '../devices/index.js';
export type { Engine, EngineCpu, Exit } from '../engine/contract/index.js';
export { Control, controlBytes, ExitKind } from '../engine/contract/index.js';
export { type SoftCpu, type SoftEngine, softEngine, type TranslateMode } from '../engine/soft/index.js';
export { ConfigError, TerrariumError } from '../errors.js';
export { type Explanation, explain, formatExplanation } from '../explain/index.js';
export type {
  DescriptorTableView,
  DeviceDrawing,
  InterruptTableView,
  PageTableView,
  PageWalk,
  QueueDrawing,
  TaskStateView,
} from '../inspect/index.js';
export {
  changeSources,
  formatRegisters,
  type SourceChange,
  sourcesMatch,
  unchanged,
} from '../inspect/index.js';
export {
  DEFAULT_MEMORY,
  DeviceError,
  type ExitObserver,
  type MachineConfig,
  type Outcome,
  type OutcomeKind,
  type RunOptions,
  type UnclaimedAccess,
} from '../machine/index.js';
export { GuestMemory, GuestMemoryError, type MemoryRegion, type RegionConfig } from '../memory/index.js';
export { type ForkParts, Machine, type MachineOptions, type Snapshot } from '../pc/index.js';
export { SymbolTable } from '../symbols/index.js';
export {
  decodeLink,
  encodeLink,
  hostFields,
  LinkError,
  type RecordedInput,
  type Shared,
  type TextFile,
} from '../terra/index.js';
export { ExitLog, Statistics } from '../trace/index.js';
export type { CpuRegisters, CpuState, Registers, SystemRegisters } from '../x86/index.js';
export { createMachine, type LoadOptions, loadSoftEngine } from './create.js';
export type { HeatFor, MemoryHeat } from './memory-heat.js';
export * from './messages.js';
export type { CpuTables, PagesFor, PagesLook, SegmentRow } from './tables.js';
export { type WorkerFiles, WorkerMachine, type WorkerThread } from './worker-machine.js';
