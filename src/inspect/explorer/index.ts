/**
 * The CPU explorer: decodes the structures that registers point to. Nothing here changes the guest, and time and output are
 * bounded for any content of its tables.
 *
 * @module
 */
export {
  type CodeSubject,
  type CodeView,
  formatCode,
  formatNames,
  type NamedPlace,
  readCode,
  readNames,
  type ShownInstruction,
} from './code.js';
export {
  type DescriptorEntry,
  type DescriptorTableView,
  describeDescriptor,
  formatDescriptorTable,
  readDescriptorTable,
} from './descriptors.js';
export { type DumpItem, type DumpPart, type DumpSubject, dump, dumpNames, parseDump } from './dump.js';
export {
  formatInterruptTable,
  type GateEntry,
  type InterruptTableView,
  readInterruptTable,
  vectorMeaning,
  vectorName,
} from './interrupts.js';
export { readLinear } from './linear.js';
export { formatPageMap, type PageMap, type PageMapLimits, type PageRange, pageMap } from './page-map.js';
export { type PageTableRow, type PageTableView, readPageTable } from './page-table.js';
export {
  formatWalk,
  type PageLevel,
  type PageRights,
  type PageWalk,
  type PagingMode,
  walkPages,
} from './page-walk.js';
export {
  type DeviceDrawing,
  formatRings,
  type QueueDrawing,
  type QueueSubject,
  type RingBuffer,
  type RingDescriptor,
  readRings,
  type VirtioSubject,
} from './rings.js';
export { formatTaskState, readTaskState, type TaskField, type TaskStateView } from './task-state.js';
export type { CpuSubject, PhysicalMemory } from './words.js';
