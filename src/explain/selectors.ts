/**
 * The error in a selector, by its intended use (SDM 3A 6.5 to 6.8).
 *
 * @module
 */
import {
  type DescriptorEntry,
  describeDescriptor,
  hex,
  isLongMode,
  readLinearNumber,
  sizeText,
} from '../inspect/index.js';
import { type Finding, type Scene, selectorText } from './scene.js';

/** Where the selector is loaded. */
export type Use = 'code' | 'stack' | 'data' | 'TSS' | 'LDT';

const wanted: Record<Use, string> = {
  code: 'a code segment',
  stack: 'a writable data segment',
  data: 'a data segment, or a readable code segment',
  TSS: 'an available TSS',
  LDT: 'an LDT',
};

/** The descriptor of a selector; undefined where its table has none, or where the table is not in RAM. */
export function descriptorOf(scene: Scene, selector: number): DescriptorEntry | undefined {
  const { system } = scene;
  const table = selector & 4 ? system.ldt : system.gdt;
  if (selector & 4 && system.ldt.unusable) return undefined;
  const at = selector & 0xfff8;
  if (at + 7 > table.limit) return undefined;
  const raw = readLinearNumber(scene, table.base + BigInt(at), 8);
  if (raw === undefined) return undefined;
  const long = isLongMode(system);
  const high = long && at + 15 <= table.limit ? readLinearNumber(scene, table.base + BigInt(at) + 8n, 8) : 0n;
  return describeDescriptor(raw, at, long, raw & (1n << 44n) ? 0n : (high ?? 0n));
}

/** `GDT entry 2 at 0x1010: 00cf92000000ffff: data, read and write, 32-bit, dpl 0, base 0, 4 GiB`. */
export function descriptorLine(scene: Scene, selector: number): string {
  const name = selector & 4 ? 'LDT' : 'GDT';
  const table = selector & 4 ? scene.system.ldt : scene.system.gdt;
  const entry = descriptorOf(scene, selector);
  if (entry === undefined) {
    const count = Math.floor((table.limit + 1) / 8);
    return `${name} at ${hex(table.base)}, limit ${hex(table.limit)}: ${count} ${count === 1 ? 'entry' : 'entries'}, so there is no entry ${selector >> 3}`;
  }
  const at = table.base + BigInt(selector & 0xfff8);
  const { segment, meaning, raw, kind } = entry;
  const place =
    kind === 'null' || kind === 'gate'
      ? ''
      : `, base ${hex(segment.base)}, ${sizeText(BigInt(segment.limit) + 1n)}`;
  const dpl = kind === 'null' ? '' : `, dpl ${segment.dpl}${segment.present ? '' : ', NOT PRESENT'}`;
  return `${name} entry ${selector >> 3} at ${hex(at)}: ${raw.toString(16).padStart(16, '0')}: ${meaning}${dpl}${place}`;
}

/** Why `selector` cannot be loaded for `use`; undefined where nothing is wrong with it. */
export function checkSelector(scene: Scene, selector: number, use: Use): Finding | undefined {
  const evidence = [descriptorLine(scene, selector)];
  const name = `selector ${selectorText(selector)}`;
  if ((selector & 0xfffc) === 0) {
    if (use === 'data') return undefined;
    return nullSelector(selector, use);
  }
  const entry = descriptorOf(scene, selector);
  if (entry === undefined) return missingEntry(scene, selector, name, evidence);
  const { segment, kind, meaning } = entry;
  if (entry.raw === 0n) {
    return {
      check: `${name} names an entry that is all zeros`,
      evidence,
      mistake:
        'That entry of the GDT was never filled in. Is the number in the selector 8 × the entry, and does GDTR point to your table?',
    };
  }
  if (!fits(entry, use)) {
    return {
      check: `${name} is “${meaning}”, but ${wanted[use]} is needed`,
      evidence,
      mistake: kindMistake(entry, use),
    };
  }
  if (!segment.present) {
    return {
      check: `${name} names a segment that is not present (P = 0)`,
      evidence,
      mistake: 'Bit 7 of the access byte (P) is 0. Set it: code is 0x9a, data 0x92.',
    };
  }
  if (kind === 'code' && isLongMode(scene.system) && segment.l && segment.db) {
    return {
      check: `${name} names a code segment with L and D both set`,
      evidence,
      mistake:
        'For 64-bit code set L (bit 53) and clear D (bit 54): the flags are 0xa, as in 0x00af9a000000ffff.',
    };
  }
  return privilegeFinding(scene, selector, entry, use, name, evidence);
}

/** 0 to 3: entry 0 of the GDT, the null entry, with one of the four privilege levels (SDM 3A 3.4.2). */
function nullSelector(selector: number, use: Use): Finding {
  const check = `${wanted[use]} is needed, and the selector is ${hex(selector)}`;
  if (selector === 0) {
    return {
      check: `${check}, the null selector`,
      mistake: `${use === 'stack' ? 'SS cannot be null here' : 'The selector is 0'}: give the selector of ${wanted[use]}, which is 8 × its number in the GDT. Entry 2 is 0x10.`,
    };
  }
  return {
    check: `${check}, which is entry 0 of the GDT with RPL ${selector}: a null selector`,
    mistake: `Selectors are 8 × the entry’s number, since their low three bits are the RPL and the choice of GDT or LDT. Was entry ${selector} meant? Its selector is ${hex(8 * selector)}.`,
  };
}

function missingEntry(scene: Scene, selector: number, name: string, evidence: string[]): Finding {
  if (selector & 4) {
    return {
      check: `${name} selects the LDT (bit 2 is set)${scene.system.ldt.unusable ? ', and none is loaded' : ', which ends before it'}`,
      evidence,
      mistake:
        'Selectors of the GDT are multiples of 8 (plus the RPL in bits 0 and 1). Is it the entry’s number instead of 8 × the number?',
    };
  }
  const { limit } = scene.system.gdt;
  if ((selector & 0xfff8) + 7 <= limit) {
    return {
      check: `${name} names an entry that is not in RAM`,
      evidence: [`GDT at ${hex(scene.system.gdt.base)}, limit ${hex(limit)}`],
      mistake: 'GDTR points outside RAM. Is its base the linear address of the table?',
    };
  }
  return {
    check: `${name} is beyond the end of the GDT`,
    evidence,
    mistake:
      'The GDT has fewer entries than the selector asks for, or LGDT loaded a limit that is too small (it is 8 × entries − 1). Selectors are 8 × the entry’s number.',
  };
}

function fits({ kind, segment }: DescriptorEntry, use: Use): boolean {
  const { type } = segment;
  switch (use) {
    case 'code':
      return kind === 'code';
    case 'stack':
      return kind === 'data' && (type & 2) !== 0;
    case 'data':
      return kind === 'data' || (kind === 'code' && (type & 2) !== 0);
    case 'TSS':
      return kind === 'system' && (type === 9 || type === 1);
    case 'LDT':
      return kind === 'system' && type === 2;
  }
}

function kindMistake({ kind, segment }: DescriptorEntry, use: Use): string {
  const { type } = segment;
  if (use === 'TSS' && (type === 11 || type === 3) && kind === 'system')
    return 'This TSS is busy: it is already loaded, or its type was written as 0xb. LTR takes an available one (type 9) and sets the busy bit itself.';
  if (use === 'TSS')
    return 'LTR takes the selector of a TSS descriptor: access byte 0x89 (type 9, S = 0, present).';
  if (use === 'LDT') return 'LLDT takes the selector of an LDT descriptor: access byte 0x82.';
  if (kind === 'reserved' || kind === 'system' || kind === 'gate')
    return `Bit 4 of the access byte (S) is 0, which makes it a system descriptor. ${use === 'code' ? 'Code is 0x9a' : 'Data is 0x92'}.`;
  if (use === 'code')
    return 'The selector is that of a data segment. Code segments have bit 3 of the access byte set: 0x9a. Are the selectors of code and data swapped?';
  if (use === 'stack')
    return kind === 'code'
      ? 'The selector is that of a code segment, and a stack must be writable. Data is 0x92. Are the selectors of code and data swapped?'
      : 'A stack must be writable: set bit 1 of the access byte (W), which makes it 0x92.';
  return 'The code segment can only be executed: set bit 1 of the access byte (R) to read from it, or use a data segment.';
}

function privilegeFinding(
  scene: Scene,
  selector: number,
  { segment, kind }: DescriptorEntry,
  use: Use,
  name: string,
  evidence: string[],
): Finding | undefined {
  const rpl = selector & 3;
  const { cpl } = scene;
  const { dpl, type } = segment;
  if (use === 'data') {
    if ((kind === 'code' && type & 4) || dpl >= Math.max(cpl, rpl)) return undefined;
    return {
      check: `${name} names a segment of ring ${dpl}, and ring ${Math.max(cpl, rpl)} tries to load it`,
      evidence,
      mistake: `Ring 3 needs data segments with DPL 3 (access byte 0xf2) and selectors with RPL 3.`,
    };
  }
  if (use === 'stack' && (dpl !== cpl || rpl !== cpl)) {
    return {
      check: `${name} has RPL ${rpl} and DPL ${dpl}; both must be ${cpl}, the ring that the CPU is in`,
      evidence,
      mistake: `A stack belongs to one ring. In ring ${cpl} load SS with a segment of DPL ${cpl} and RPL ${cpl}.`,
    };
  }
  return undefined;
}
