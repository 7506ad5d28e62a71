import { type DescriptorTable, type Segment, type SystemRegisters, segmentNames } from '../contract.js';
import { decode, encode, type Fields } from './codec.js';
import { kvm_dtable, kvm_segment, kvm_sregs } from './layout.js';

const segmentFields = {
  base: ['u64', kvm_segment.base],
  limit: ['u32', kvm_segment.limit],
  selector: ['u16', kvm_segment.selector],
  type: ['u8', kvm_segment.type],
  present: ['flag', kvm_segment.present],
  dpl: ['u8', kvm_segment.dpl],
  db: ['flag', kvm_segment.db],
  s: ['flag', kvm_segment.s],
  l: ['flag', kvm_segment.l],
  g: ['flag', kvm_segment.g],
  avl: ['flag', kvm_segment.avl],
  unusable: ['flag', kvm_segment.unusable],
} as const satisfies Fields;

const tableFields = {
  base: ['u64', kvm_dtable.base],
  limit: ['u16', kvm_dtable.limit],
} as const satisfies Fields;

const controlFields = {
  cr0: ['u64', kvm_sregs.cr0],
  cr2: ['u64', kvm_sregs.cr2],
  cr3: ['u64', kvm_sregs.cr3],
  cr4: ['u64', kvm_sregs.cr4],
  cr8: ['u64', kvm_sregs.cr8],
  efer: ['u64', kvm_sregs.efer],
  apicBase: ['u64', kvm_sregs.apic_base],
} as const satisfies Fields;

const segments = [...segmentNames, 'tr', 'ldt'] as const;
const tables = ['gdt', 'idt'] as const;

/** Reads `struct kvm_sregs` without its interrupt bitmap. */
export function decodeSystemRegisters(view: DataView, base = 0): SystemRegisters {
  const found: Partial<Record<string, Segment | DescriptorTable>> = {};
  for (const name of segments) found[name] = decode(segmentFields, view, base + kvm_sregs[name]);
  for (const name of tables) found[name] = decode(tableFields, view, base + kvm_sregs[name]);
  return { ...found, ...decode(controlFields, view, base) } as SystemRegisters;
}

/** Writes `struct kvm_sregs`; the interrupt bitmap stays as it is. */
export function encodeSystemRegisters(view: DataView, system: SystemRegisters, base = 0): void {
  for (const name of segments) encode(segmentFields, view, system[name], base + kvm_sregs[name]);
  for (const name of tables) encode(tableFields, view, system[name], base + kvm_sregs[name]);
  encode(controlFields, view, system, base);
}
