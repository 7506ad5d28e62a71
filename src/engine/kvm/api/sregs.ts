import {
  type DescriptorTable,
  type Segment,
  type SystemRegisters,
  segmentNames,
} from '../../../x86/index.js';
import { kvm_dtable, kvm_segment, kvm_sregs } from './layout.js';

const f = kvm_segment;
const segments = [...segmentNames, 'tr', 'ldt'] as const;

/** Field by field and not by a table: apart from system calls, this is a third of the cost of a machine's lifecycle. */
function decodeSegment(view: DataView, at: number): Segment {
  const flag = (offset: number) => view.getUint8(at + offset) !== 0;
  return {
    selector: view.getUint16(at + f.selector, true),
    base: view.getBigUint64(at + f.base, true),
    limit: view.getUint32(at + f.limit, true),
    type: view.getUint8(at + f.type),
    present: flag(f.present),
    dpl: view.getUint8(at + f.dpl),
    db: flag(f.db),
    s: flag(f.s),
    l: flag(f.l),
    g: flag(f.g),
    avl: flag(f.avl),
    unusable: flag(f.unusable),
  };
}

function encodeSegment(view: DataView, at: number, segment: Segment): void {
  const flag = (offset: number, value: boolean) => view.setUint8(at + offset, value ? 1 : 0);
  view.setUint16(at + f.selector, segment.selector, true);
  view.setBigUint64(at + f.base, segment.base, true);
  view.setUint32(at + f.limit, segment.limit, true);
  view.setUint8(at + f.type, segment.type);
  flag(f.present, segment.present);
  view.setUint8(at + f.dpl, segment.dpl);
  flag(f.db, segment.db);
  flag(f.s, segment.s);
  flag(f.l, segment.l);
  flag(f.g, segment.g);
  flag(f.avl, segment.avl);
  flag(f.unusable, segment.unusable);
}

function decodeTable(view: DataView, at: number): DescriptorTable {
  return {
    base: view.getBigUint64(at + kvm_dtable.base, true),
    limit: view.getUint16(at + kvm_dtable.limit, true),
  };
}

function encodeTable(view: DataView, at: number, { base, limit }: DescriptorTable): void {
  view.setBigUint64(at + kvm_dtable.base, base, true);
  view.setUint16(at + kvm_dtable.limit, limit, true);
}

/** Reads `struct kvm_sregs` without its interrupt bitmap. */
export function decodeSystemRegisters(view: DataView, base = 0): SystemRegisters {
  const segment = (offset: number) => decodeSegment(view, base + offset);
  const control = (offset: number) => view.getBigUint64(base + offset, true);
  return {
    es: segment(kvm_sregs.es),
    cs: segment(kvm_sregs.cs),
    ss: segment(kvm_sregs.ss),
    ds: segment(kvm_sregs.ds),
    fs: segment(kvm_sregs.fs),
    gs: segment(kvm_sregs.gs),
    tr: segment(kvm_sregs.tr),
    ldt: segment(kvm_sregs.ldt),
    gdt: decodeTable(view, base + kvm_sregs.gdt),
    idt: decodeTable(view, base + kvm_sregs.idt),
    cr0: control(kvm_sregs.cr0),
    cr2: control(kvm_sregs.cr2),
    cr3: control(kvm_sregs.cr3),
    cr4: control(kvm_sregs.cr4),
    cr8: control(kvm_sregs.cr8),
    efer: control(kvm_sregs.efer),
    apicBase: control(kvm_sregs.apic_base),
  };
}

/** Writes `struct kvm_sregs`; the interrupt bitmap does not change. */
export function encodeSystemRegisters(view: DataView, system: SystemRegisters, base = 0): void {
  for (const name of segments) encodeSegment(view, base + kvm_sregs[name], system[name]);
  encodeTable(view, base + kvm_sregs.gdt, system.gdt);
  encodeTable(view, base + kvm_sregs.idt, system.idt);
  view.setBigUint64(base + kvm_sregs.cr0, system.cr0, true);
  view.setBigUint64(base + kvm_sregs.cr2, system.cr2, true);
  view.setBigUint64(base + kvm_sregs.cr3, system.cr3, true);
  view.setBigUint64(base + kvm_sregs.cr4, system.cr4, true);
  view.setBigUint64(base + kvm_sregs.cr8, system.cr8, true);
  view.setBigUint64(base + kvm_sregs.efer, system.efer, true);
  view.setBigUint64(base + kvm_sregs.apic_base, system.apicBase, true);
}
