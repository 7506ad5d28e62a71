/**
 * Where the fields of the kernel's structures lie: `sizeof` is its size, every other key a field's offset in bytes, both as
 * <linux/kvm.h> has them on x86-64. A test compiles C against that header and compares each number.
 *
 * @module
 */
export const kvm_regs = {
  sizeof: 144,
  rax: 0,
  rbx: 8,
  rcx: 16,
  rdx: 24,
  rsi: 32,
  rdi: 40,
  rsp: 48,
  rbp: 56,
  r8: 64,
  r9: 72,
  r10: 80,
  r11: 88,
  r12: 96,
  r13: 104,
  r14: 112,
  r15: 120,
  rip: 128,
  rflags: 136,
} as const;

export const kvm_segment = {
  sizeof: 24,
  base: 0,
  limit: 8,
  selector: 12,
  type: 14,
  present: 15,
  dpl: 16,
  db: 17,
  s: 18,
  l: 19,
  g: 20,
  avl: 21,
  unusable: 22,
} as const;

export const kvm_dtable = {
  sizeof: 16,
  base: 0,
  limit: 8,
} as const;

export const kvm_sregs = {
  sizeof: 312,
  cs: 0,
  ds: 24,
  es: 48,
  fs: 72,
  gs: 96,
  ss: 120,
  tr: 144,
  ldt: 168,
  gdt: 192,
  idt: 208,
  cr0: 224,
  cr2: 232,
  cr3: 240,
  cr4: 248,
  cr8: 256,
  efer: 264,
  apic_base: 272,
  interrupt_bitmap: 280,
} as const;

export const kvm_fpu = {
  sizeof: 416,
  fpr: 0,
  fcw: 128,
  fsw: 130,
  ftwx: 132,
  last_opcode: 134,
  last_ip: 136,
  last_dp: 144,
  xmm: 152,
  mxcsr: 408,
} as const;

export const kvm_xsave = {
  sizeof: 4096,
  region: 0,
} as const;

export const kvm_xcr = {
  sizeof: 16,
  xcr: 0,
  value: 8,
} as const;

export const kvm_xcrs = {
  sizeof: 392,
  nr_xcrs: 0,
  flags: 4,
  xcrs: 8,
} as const;

export const kvm_msr_entry = {
  sizeof: 16,
  index: 0,
  data: 8,
} as const;

export const kvm_msrs = {
  sizeof: 8,
  nmsrs: 0,
  entries: 8,
} as const;

export const kvm_msr_list = {
  sizeof: 4,
  nmsrs: 0,
  indices: 4,
} as const;

export const kvm_cpuid_entry2 = {
  sizeof: 40,
  function: 0,
  index: 4,
  flags: 8,
  eax: 12,
  ebx: 16,
  ecx: 20,
  edx: 24,
} as const;

export const kvm_cpuid2 = {
  sizeof: 8,
  nent: 0,
  entries: 8,
} as const;

export const kvm_vcpu_events = {
  sizeof: 64,
  'exception.injected': 0,
  'exception.nr': 1,
  'exception.has_error_code': 2,
  'exception.pending': 3,
  'exception.error_code': 4,
  'interrupt.injected': 8,
  'interrupt.nr': 9,
  'interrupt.soft': 10,
  'interrupt.shadow': 11,
  'nmi.injected': 12,
  'nmi.pending': 13,
  'nmi.masked': 14,
  sipi_vector: 16,
  flags: 20,
  'smi.smm': 24,
  'smi.pending': 25,
  'smi.smm_inside_nmi': 26,
  'smi.latched_init': 27,
  'triple_fault.pending': 28,
  exception_has_payload: 55,
  exception_payload: 56,
} as const;

export const kvm_debugregs = {
  sizeof: 128,
  db: 0,
  dr6: 32,
  dr7: 40,
  flags: 48,
} as const;

export const kvm_mp_state = {
  sizeof: 4,
  mp_state: 0,
} as const;

export const kvm_lapic_state = {
  sizeof: 1024,
  regs: 0,
} as const;

export const kvm_userspace_memory_region = {
  sizeof: 32,
  slot: 0,
  flags: 4,
  guest_phys_addr: 8,
  memory_size: 16,
  userspace_addr: 24,
} as const;

export const kvm_dirty_log = {
  sizeof: 16,
  slot: 0,
  dirty_bitmap: 8,
} as const;

export const kvm_irqchip = {
  sizeof: 520,
  chip_id: 0,
  chip: 8,
} as const;

export const kvm_pic_state = {
  sizeof: 16,
  last_irr: 0,
  irr: 1,
  imr: 2,
  isr: 3,
  priority_add: 4,
  irq_base: 5,
  read_reg_select: 6,
  poll: 7,
  special_mask: 8,
  init_state: 9,
  auto_eoi: 10,
  rotate_on_auto_eoi: 11,
  special_fully_nested_mode: 12,
  init4: 13,
  elcr: 14,
  elcr_mask: 15,
} as const;

export const kvm_ioapic_state = {
  sizeof: 216,
  base_address: 0,
  ioregsel: 8,
  id: 12,
  irr: 16,
  redirtbl: 24,
} as const;

export const kvm_pit_config = {
  sizeof: 64,
  flags: 0,
} as const;

export const kvm_pit_channel_state = {
  sizeof: 24,
  count: 0,
  latched_count: 4,
  count_latched: 6,
  status_latched: 7,
  status: 8,
  read_state: 9,
  write_state: 10,
  write_latch: 11,
  rw_mode: 12,
  mode: 13,
  bcd: 14,
  gate: 15,
  count_load_time: 16,
} as const;

export const kvm_pit_state2 = {
  sizeof: 112,
  channels: 0,
  flags: 72,
} as const;

export const kvm_irq_level = {
  sizeof: 8,
  irq: 0,
  level: 4,
} as const;

export const kvm_irqfd = {
  sizeof: 32,
  fd: 0,
  gsi: 4,
  flags: 8,
  resamplefd: 12,
} as const;

export const kvm_ioeventfd = {
  sizeof: 64,
  datamatch: 0,
  addr: 8,
  len: 16,
  fd: 20,
  flags: 24,
} as const;

export const kvm_msi = {
  sizeof: 32,
  address_lo: 0,
  address_hi: 4,
  data: 8,
  flags: 12,
  devid: 16,
} as const;

export const kvm_coalesced_mmio_zone = {
  sizeof: 16,
  addr: 0,
  size: 8,
  pio: 12,
} as const;

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

export const kvm_interrupt = {
  sizeof: 4,
  irq: 0,
} as const;

export const kvm_guest_debug = {
  sizeof: 72,
  control: 0,
  'arch.debugreg': 8,
} as const;

export const kvm_signal_mask = {
  sizeof: 4,
  len: 0,
  sigset: 4,
} as const;

export const kvm_clock_data = {
  sizeof: 48,
  clock: 0,
  flags: 8,
  realtime: 16,
  host_tsc: 24,
} as const;

export const kvm_translation = {
  sizeof: 24,
  linear_address: 0,
  physical_address: 8,
  valid: 16,
  writeable: 17,
  usermode: 18,
} as const;

export const kvm_enable_cap = {
  sizeof: 104,
  cap: 0,
  flags: 4,
  args: 8,
} as const;

export const kvm_tpr_access_ctl = {
  sizeof: 40,
  enabled: 0,
} as const;

export const kvm_stats_header = {
  sizeof: 24,
  flags: 0,
  name_size: 4,
  num_desc: 8,
  id_offset: 12,
  desc_offset: 16,
  data_offset: 20,
} as const;

export const kvm_stats_desc = {
  sizeof: 16,
  flags: 0,
  exponent: 4,
  size: 6,
  offset: 8,
  bucket_size: 12,
  name: 16,
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
