/**
 * The x86 processor as data: the names and bits of its registers, flags and descriptors by the Intel SDM's names, and the state of
 * a CPU. Nothing here runs code.
 *
 * @module
 */

export { APIC_BASE_AFTER_RESET, CR0, CR4, EFER, PTE, RFLAGS, SegmentType, SystemType } from './bits.js';
export {
  busyTss,
  decodeDescriptor,
  encodeDescriptor,
  encodeSystemDescriptor64,
  flatCode32,
  flatCode64,
  flatData,
  noLdt,
  realSegment,
  TSS_SIZE,
} from './descriptors.js';
export { ENTRY_RETURN, UNSERVED } from './entry.js';
export { findRegister, nearestNames, type RegisterView, registerViewNames } from './register-names.js';
export {
  type CpuInternals,
  type CpuState,
  type DescriptorTable,
  type RegisterName,
  type Registers,
  registerNames,
  type Segment,
  type SegmentName,
  type SystemRegisters,
  segmentNames,
  sharedMsrs,
} from './state.js';
export type { CpuVendor } from './vendor.js';
