/**
 * Decodes a stopped guest: registers, descriptor tables, gates, page tables and code, as structures and as text; expectations
 * about a run's end.
 *
 * @module
 */
export {
  checkExpectation,
  type Expectation,
  type ExpectationResult,
  parseExpectation,
} from './expectation.js';
export {
  type CodeView,
  formatCode,
  formatNames,
  type NamedPlace,
  readCode,
  readNames,
} from './explorer/code.js';
export {
  type DescriptorEntry,
  type DescriptorTableView,
  describeDescriptor,
  formatDescriptorTable,
  isLongMode,
  readDescriptorTable,
} from './explorer/descriptors.js';
export { type DumpItem, type DumpPart, dump, dumpNames, parseDump } from './explorer/dump.js';
export {
  formatInterruptTable,
  gateSize,
  type InterruptTableView,
  readGate,
  readInterruptTable,
  vectorMeaning,
  vectorName,
} from './explorer/interrupts.js';
export { physicalAddress, readLinear, readLinearNumber } from './explorer/linear.js';
export { formatPageMap, type PageMap, pageMap } from './explorer/page-map.js';
export { type PageTableRow, type PageTableView, readPageTable } from './explorer/page-table.js';
export { formatWalk, isCanonical, type PageWalk, pagingModeOf, walkPages } from './explorer/page-walk.js';
export {
  type DeviceDrawing,
  type QueueDrawing,
  readRings,
} from './explorer/rings.js';
export { formatTaskState, readTaskState, type TaskStateView } from './explorer/task-state.js';
export {
  findTranslations,
  foundTranslations,
  type Translations,
  type TranslationsFound,
  translationsOf,
} from './explorer/translations.js';
export { type CpuSubject, hex, type PhysicalMemory, readPhysical, sizeText, wrap } from './explorer/words.js';
export { codeSizeOf, formatInstruction } from './instruction.js';
export {
  formatLog,
  formatTasks,
  kernelNames,
  type LinuxDeath,
  LinuxKernel,
  type LinuxLogRecord,
  type LinuxTask,
  readDeath,
  readLog,
  readTasks,
} from './linux/index.js';
export { describeFlags, formatRegisters, segmentMeaning } from './registers.js';
export { changeSources, type SourceChange, sourcesMatch, unchanged } from './sources.js';
