/**
 * The structures of a VM's ioctls: memory, interrupt chips, the timer, eventfds, the clock, statistics.
 *
 * @module
 */
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

/** The list has its entries right after it. */
export const kvm_irq_routing = {
  sizeof: 8,
  nr: 0,
  entries: 8,
} as const;

export const kvm_irq_routing_entry = {
  sizeof: 48,
  gsi: 0,
  type: 4,
  'u.msi.address_lo': 16,
  'u.msi.address_hi': 20,
  'u.msi.data': 24,
} as const;

export const kvm_coalesced_mmio_zone = {
  sizeof: 16,
  addr: 0,
  size: 8,
  pio: 12,
} as const;

export const kvm_clock_data = {
  sizeof: 48,
  clock: 0,
  flags: 8,
  realtime: 16,
  host_tsc: 24,
} as const;

export const kvm_enable_cap = {
  sizeof: 104,
  cap: 0,
  flags: 4,
  args: 8,
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
