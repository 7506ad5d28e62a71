/**
 * The x86 processor as data: the names and bits of its registers, flags and descriptors by the Intel SDM's names, and the state of
 * a CPU. Nothing here runs code.
 *
 * @module
 */

export {
  APIC_BASE_AFTER_RESET,
  CR0,
  CR3,
  CR4,
  DR6,
  DR6_AFTER_RESET,
  DR7,
  DR7_AFTER_RESET,
  EFER,
  namedBits,
  PageFaultCode,
  PTE,
  RFLAGS,
  SegmentType,
  SelectorCode,
  SystemType,
} from './bits.js';
export { checkCpuState } from './check-state.js';
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
export { exceptions } from './exceptions.js';
export { Fxsave, XCR0, XSTATE_BV } from './fxsave.js';
export { codeSizeOf, isRealAddressing } from './modes.js';
export { MSR, MTRR_VARIABLE_RANGES, mtrrs, sharedMsrs, systemRegisterMsrs } from './msrs.js';
export { findRegister, type RegisterView, registerViewNames } from './register-names.js';
export {
  CPU_STATE_VERSION,
  type CpuRegisters,
  type CpuState,
  type CpuTime,
  type DebugRegisters,
  type DescriptorTable,
  type OpenAccess,
  type PendingEvents,
  type PendingException,
  type RegisterName,
  type Registers,
  registerNames,
  registersWith,
  type Segment,
  type SegmentName,
  type SystemRegisters,
  segmentNames,
  type UnfinishedInstruction,
} from './state.js';
export { type CpuVendor, cpuVendors } from './vendor.js';
