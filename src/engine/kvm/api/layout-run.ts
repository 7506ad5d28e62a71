/**
 * The structures in a vCPU's mapping: `struct kvm_run` (KVM API 5), the registers in it, and the ring of coalesced writes.
 *
 * @module
 */
export const kvm_coalesced_mmio = {
  sizeof: 24,
  phys_addr: 0,
  len: 8,
  pio: 12,
  data: 16,
} as const;

export const kvm_coalesced_mmio_ring = {
  sizeof: 8,
  first: 0,
  last: 4,
  coalesced_mmio: 8,
} as const;

export const kvm_sync_regs = {
  sizeof: 520,
  regs: 0,
  sregs: 144,
  events: 456,
} as const;

export const kvm_run = {
  sizeof: 2352,
  request_interrupt_window: 0,
  immediate_exit: 1,
  exit_reason: 8,
  ready_for_interrupt_injection: 12,
  if_flag: 13,
  flags: 14,
  cr8: 16,
  apic_base: 24,
  'hw.hardware_exit_reason': 32,
  'fail_entry.hardware_entry_failure_reason': 32,
  'fail_entry.cpu': 40,
  'ex.exception': 32,
  'ex.error_code': 36,
  'io.direction': 32,
  'io.size': 33,
  'io.port': 34,
  'io.count': 36,
  'io.data_offset': 40,
  'debug.arch.exception': 32,
  'debug.arch.pc': 40,
  'debug.arch.dr6': 48,
  'debug.arch.dr7': 56,
  'mmio.phys_addr': 32,
  'mmio.data': 40,
  'mmio.len': 48,
  'mmio.is_write': 52,
  'eoi.vector': 32,
  'tpr_access.rip': 32,
  'tpr_access.is_write': 40,
  'internal.suberror': 32,
  'internal.ndata': 36,
  'internal.data': 40,
  'emulation_failure.flags': 40,
  'emulation_failure.insn_size': 48,
  'emulation_failure.insn_bytes': 49,
  'system_event.type': 32,
  'system_event.ndata': 36,
  'system_event.data': 40,
  kvm_valid_regs: 288,
  kvm_dirty_regs: 296,
  's.regs': 304,
} as const;
