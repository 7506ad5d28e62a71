/**
 * The state of the interrupt controllers, the timer and the clock inside KVM.
 *
 * @module
 */
import { type Decoded, decode, encode, type Fields, scratch } from './codec.js';
import * as K from './constants.js';
import * as layout from './layout.js';

const pic = layout.kvm_pic_state;
const picFields = {
  lastIrr: ['u8', pic.last_irr],
  irr: ['u8', pic.irr],
  imr: ['u8', pic.imr],
  isr: ['u8', pic.isr],
  priorityAdd: ['u8', pic.priority_add],
  irqBase: ['u8', pic.irq_base],
  readRegSelect: ['u8', pic.read_reg_select],
  poll: ['u8', pic.poll],
  specialMask: ['u8', pic.special_mask],
  initState: ['u8', pic.init_state],
  autoEoi: ['u8', pic.auto_eoi],
  rotateOnAutoEoi: ['u8', pic.rotate_on_auto_eoi],
  specialFullyNestedMode: ['u8', pic.special_fully_nested_mode],
  init4: ['u8', pic.init4],
  elcr: ['u8', pic.elcr],
  elcrMask: ['u8', pic.elcr_mask],
} as const satisfies Fields;

const ioapic = layout.kvm_ioapic_state;
const ioapicFields = {
  baseAddress: ['u64', ioapic.base_address],
  ioregsel: ['u32', ioapic.ioregsel],
  id: ['u32', ioapic.id],
  irr: ['u32', ioapic.irr],
} as const satisfies Fields;

/** An 8259A (`struct kvm_pic_state`). */
export type PicState = Decoded<typeof picFields>;
/** The I/O APIC with its redirection table, one 64-bit entry per pin (82093AA 3.2.4). */
export interface IoApicState extends Decoded<typeof ioapicFields> {
  redirection: bigint[];
}

export const irqChipNumbers = {
  picMaster: K.KVM_IRQCHIP_PIC_MASTER,
  picSlave: K.KVM_IRQCHIP_PIC_SLAVE,
  ioapic: K.KVM_IRQCHIP_IOAPIC,
} as const;
export type IrqChipName = keyof typeof irqChipNumbers;
export type IrqChip<N extends IrqChipName> = N extends 'ioapic' ? IoApicState : PicState;

/** Reads a `struct kvm_irqchip`. */
export function decodeIrqChip<N extends IrqChipName>(name: N, view: DataView): IrqChip<N> {
  const base = layout.kvm_irqchip.chip;
  if (name !== 'ioapic') return decode(picFields, view, base) as IrqChip<N>;
  const redirection = Array.from({ length: K.KVM_IOAPIC_NUM_PINS }, (_, pin) =>
    view.getBigUint64(base + ioapic.redirtbl + 8 * pin, true),
  );
  return { ...decode(ioapicFields, view, base), redirection } as IrqChip<N>;
}

/** A `struct kvm_irqchip`. */
export function encodeIrqChip<N extends IrqChipName>(name: N, state: IrqChip<N>): DataView {
  const base = layout.kvm_irqchip.chip;
  const view = scratch(layout.kvm_irqchip.sizeof);
  view.setUint32(layout.kvm_irqchip.chip_id, irqChipNumbers[name], true);
  if ('redirection' in state) {
    encode(ioapicFields, view, state, base);
    for (const [pin, entry] of state.redirection.slice(0, K.KVM_IOAPIC_NUM_PINS).entries()) {
      view.setBigUint64(base + ioapic.redirtbl + 8 * pin, entry, true);
    }
  } else encode(picFields, view, state, base);
  return view;
}

const channel = layout.kvm_pit_channel_state;
const channelFields = {
  /** 1 to 65,536. */
  count: ['u32', channel.count],
  latchedCount: ['u16', channel.latched_count],
  countLatched: ['u8', channel.count_latched],
  statusLatched: ['u8', channel.status_latched],
  status: ['u8', channel.status],
  readState: ['u8', channel.read_state],
  writeState: ['u8', channel.write_state],
  writeLatch: ['u8', channel.write_latch],
  rwMode: ['u8', channel.rw_mode],
  mode: ['u8', channel.mode],
  bcd: ['u8', channel.bcd],
  gate: ['u8', channel.gate],
  /** Nanoseconds of the host's monotonic clock. */
  countLoadTime: ['s64', channel.count_load_time],
} as const satisfies Fields;

export type PitChannel = Decoded<typeof channelFields>;
/** The 8254 (`struct kvm_pit_state2`). */
export interface PitState {
  channels: [PitChannel, PitChannel, PitChannel];
  flags: number;
}

export function decodePit(view: DataView): PitState {
  const read = (i: number) =>
    decode(channelFields, view, layout.kvm_pit_state2.channels + i * channel.sizeof);
  return {
    channels: [read(0), read(1), read(2)],
    flags: view.getUint32(layout.kvm_pit_state2.flags, true),
  };
}

export function encodePit(state: PitState): DataView {
  const view = scratch(layout.kvm_pit_state2.sizeof);
  for (const [i, value] of state.channels.entries()) {
    encode(channelFields, view, value, layout.kvm_pit_state2.channels + i * channel.sizeof);
  }
  view.setUint32(layout.kvm_pit_state2.flags, state.flags, true);
  return view;
}

const clock = layout.kvm_clock_data;
export const clockFields = {
  /** Nanoseconds. */
  clock: ['u64', clock.clock],
  flags: ['u32', clock.flags],
  /** The host's CLOCK_REALTIME in nanoseconds, where KVM_CLOCK_REALTIME is in `flags`. */
  realtime: ['u64', clock.realtime],
  hostTsc: ['u64', clock.host_tsc],
} as const satisfies Fields;

/** The paravirtual clock (`struct kvm_clock_data`). */
export type GuestClock = Decoded<typeof clockFields>;
