/**
 * The structures of a vCPU's ioctls: state, CPUID, interrupts, debugging.
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

export const kvm_translation = {
  sizeof: 24,
  linear_address: 0,
  physical_address: 8,
  valid: 16,
  writeable: 17,
  usermode: 18,
} as const;

export const kvm_tpr_access_ctl = {
  sizeof: 40,
  enabled: 0,
} as const;
