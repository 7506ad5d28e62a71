/**
 * Converts the registers between the engine area and the contract.
 *
 * @module
 */
import {
  type DescriptorTable,
  DR6_AFTER_RESET,
  DR7_AFTER_RESET,
  type Registers,
  registerNames,
  type Segment,
  type SystemRegisters,
  segmentNames,
} from '../../../x86/index.js';
import * as L from '../layout.js';

const segmentIndex = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, tr: 6, ldt: 7 } as const;

/** General registers and instruction pointer; the program computes the flags. */
export function readRegisters(view: DataView, rflags: number): Registers {
  const registers = {} as Registers;
  for (const [number, name] of registerNames.entries()) {
    registers[name] = view.getBigUint64(L.REGS + 8 * number, true);
  }
  registers.rip = view.getBigUint64(L.RIP, true);
  registers.rflags = BigInt(rflags >>> 0);
  return registers;
}

export function writeRegisters(view: DataView, registers: Registers): void {
  for (const [number, name] of registerNames.slice(0, 16).entries()) {
    view.setBigUint64(L.REGS + 8 * number, registers[name], true);
  }
  view.setBigUint64(L.RIP, registers.rip, true);
}

const bit = (value: number, at: number) => ((value >>> at) & 1) === 1;

function readSegment(view: DataView, index: number): Segment {
  const at = L.SEGMENTS + index * L.SEGMENT_SIZE;
  const attributes = view.getUint32(at + L.SEG_ATTRIBUTES, true);
  return {
    selector: view.getUint32(at + L.SEG_SELECTOR, true),
    base: view.getBigUint64(at + L.SEG_BASE, true),
    limit: view.getUint32(at + L.SEG_LIMIT, true),
    type: attributes & 15,
    s: bit(attributes, 4),
    dpl: (attributes >>> 5) & 3,
    present: bit(attributes, 7),
    avl: bit(attributes, 12),
    l: bit(attributes, 13),
    db: bit(attributes, 14),
    g: bit(attributes, 15),
    unusable: bit(attributes, 16),
  };
}

function writeSegment(view: DataView, index: number, segment: Segment): void {
  const at = L.SEGMENTS + index * L.SEGMENT_SIZE;
  const { type, s, dpl, present, avl, l, db, g, unusable } = segment;
  const bits = [
    [s, 4],
    [present, 7],
    [avl, 12],
    [l, 13],
    [db, 14],
    [g, 15],
    [unusable, 16],
  ] as const;
  let attributes = (type & 15) | ((dpl & 3) << 5);
  for (const [set, place] of bits) if (set) attributes |= 1 << place;
  view.setUint32(at + L.SEG_SELECTOR, segment.selector, true);
  view.setBigUint64(at + L.SEG_BASE, segment.base, true);
  view.setUint32(at + L.SEG_LIMIT, segment.limit, true);
  view.setUint32(at + L.SEG_ATTRIBUTES, attributes, true);
}

const controlRegisters = {
  cr0: L.CR0,
  cr2: L.CR2,
  cr3: L.CR3,
  cr4: L.CR4,
  cr8: L.CR8,
  efer: L.EFER,
  apicBase: L.APIC_BASE,
} as const;

export function readSystemRegisters(view: DataView): SystemRegisters {
  const system = {} as SystemRegisters;
  for (const [name, index] of Object.entries(segmentIndex)) {
    system[name as keyof typeof segmentIndex] = readSegment(view, index);
  }
  for (const [name, at] of Object.entries(controlRegisters)) {
    system[name as keyof typeof controlRegisters] = view.getBigUint64(at, true);
  }
  const table = (base: number, limit: number): DescriptorTable => ({
    base: view.getBigUint64(base, true),
    limit: view.getUint32(limit, true),
  });
  system.gdt = table(L.GDT_BASE, L.GDT_LIMIT);
  system.idt = table(L.IDT_BASE, L.IDT_LIMIT);
  return system;
}

export function writeSystemRegisters(view: DataView, system: SystemRegisters): void {
  for (const [name, index] of Object.entries(segmentIndex)) {
    writeSegment(view, index, system[name as keyof typeof segmentIndex]);
  }
  for (const [name, at] of Object.entries(controlRegisters)) {
    view.setBigUint64(at, system[name as keyof typeof controlRegisters], true);
  }
  view.setBigUint64(L.GDT_BASE, system.gdt.base, true);
  view.setUint32(L.GDT_LIMIT, system.gdt.limit, true);
  view.setBigUint64(L.IDT_BASE, system.idt.base, true);
  view.setUint32(L.IDT_LIMIT, system.idt.limit, true);
}

/** The PAT after reset: write back, write through, UC-, uncacheable, all twice (SDM 3A 12.12.4). */
const PAT_AFTER_RESET = 0x0007_0406_0007_0406n;
/** IA32_MISC_ENABLE: string instructions are fast. */
const FAST_STRINGS = 1n;

/** Registers and segments after power-up or reset (SDM 3A table 10-1). */
export function writeResetState(view: DataView): void {
  const data: Segment = {
    selector: 0,
    base: 0n,
    limit: 0xffff,
    type: 3,
    present: true,
    dpl: 0,
    db: false,
    s: true,
    l: false,
    g: false,
    avl: false,
    unusable: false,
  };
  const system = { gdt: { base: 0n, limit: 0xffff }, idt: { base: 0n, limit: 0xffff } } as SystemRegisters;
  for (const name of segmentNames) system[name] = data;
  system.cs = { ...data, selector: 0xf000, base: 0xffff0000n, type: 11 };
  system.tr = { ...data, s: false, type: 11 };
  system.ldt = { ...data, s: false, type: 2 };
  for (const name of Object.keys(controlRegisters)) system[name as keyof typeof controlRegisters] = 0n;
  system.cr0 = 0x60000010n;
  system.apicBase = 0xfee00900n;
  writeSystemRegisters(view, system);
  view.setBigUint64(L.DEBUG_REGISTERS + 6 * 8, DR6_AFTER_RESET, true);
  view.setBigUint64(L.DEBUG_REGISTERS + 7 * 8, DR7_AFTER_RESET, true);
  for (let number = 0; number < 16; number++) view.setBigUint64(L.REGS + 8 * number, 0n, true);
  view.setBigUint64(L.RDX, 0x600n, true);
  view.setBigUint64(L.RIP, 0xfff0n, true);
  view.setBigUint64(L.PAT, PAT_AFTER_RESET, true);
  view.setBigUint64(L.MISC_ENABLE, FAST_STRINGS, true);
  // As after FNINIT, which is how KVM's CPUs start; SDM 3A table 10-1 has 40h here.
  view.setUint16(L.FPU_CONTROL, 0x37f, true);
}
