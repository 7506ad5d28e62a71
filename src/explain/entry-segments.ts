/**
 * A processor's checks of a guest's segment registers before it enters the guest (SDM 3C 27.3.1.2).
 *
 * @module
 */

import { hex, isCanonical, pagingModeOf } from '../inspect/index.js';
import { EFER, RFLAGS, type Segment, type SegmentName, segmentNames } from '../x86/index.js';
import { type EntryFinding, failing, type GuestState } from './entry-finding.js';

export function checkSegments(state: GuestState): EntryFinding[] {
  const { system, registers } = state;
  const own = registers.rflags & RFLAGS.VM ? checkVirtual8086(state) : checkProtected(state);
  return [...own, ...checkTask(state), ...(system.ldt.unusable ? [] : checkLdt(state)), ...checkBases(state)];
}

/** In virtual-8086 mode everything is as in real mode. */
function checkVirtual8086({ system }: GuestState): EntryFinding[] {
  return segmentNames.flatMap((key) => {
    const { selector, base, limit, type, dpl, s, present } = system[key];
    const name = key.toUpperCase();
    return failing([
      [
        base !== BigInt(selector) << 4n,
        `virtual-8086 mode: ${name}’s base ${hex(base)} is not 16 × its selector ${hex(selector)}`,
        'In virtual-8086 mode a segment’s base follows from its selector.',
      ],
      [limit !== 0xffff, `virtual-8086 mode: ${name}’s limit is ${hex(limit)}`, 'It must be 0xffff there.'],
      [
        type !== 3 || dpl !== 3 || !s || !present,
        `virtual-8086 mode: ${name} is ${describe(system[key])}`,
        'It must be read/write data of ring 3 there: access byte 0xf3.',
      ],
    ]);
  });
}

function checkProtected({ system }: GuestState): EntryFinding[] {
  const { cs, ss } = system;
  const long = (system.efer & EFER.LMA) !== 0n;
  const data = segmentNames.filter((key) => key !== 'cs' && key !== 'ss' && !system[key].unusable);
  return [
    ...checkCode(cs, ss, long),
    ...checkShape('CS', cs, true),
    ...(ss.unusable ? [] : [...checkStack(ss), ...checkShape('SS', ss, true)]),
    ...data.flatMap((key) => [
      ...checkData(key, system[key]),
      ...checkShape(key.toUpperCase(), system[key], true),
    ]),
  ];
}

function checkCode(cs: Segment, ss: Segment, long: boolean): EntryFinding[] {
  const { type, dpl, l, db } = cs;
  return failing([
    [
      cs.unusable || ![3, 9, 11, 13, 15].includes(type),
      `CS is ${describe(cs)}`,
      'CS must be code with the accessed bit set (type 9, 11, 13 or 15), or, as in real mode, read/write data (3).',
    ],
    [
      long && l && db,
      'CS has L and D both set',
      'For 64-bit code set L (bit 53 of the descriptor) and clear D (bit 54).',
    ],
    [
      (type === 9 || type === 11) && !ss.unusable && dpl !== ss.dpl,
      `CS has DPL ${dpl} and SS has DPL ${ss.dpl}`,
      'Both give the CPU’s ring and must be the same: load CS and SS with segments of one ring.',
    ],
    [
      (type === 13 || type === 15) && !ss.unusable && dpl > ss.dpl,
      `CS is conforming with DPL ${dpl}, and SS has DPL ${ss.dpl}`,
      'A conforming segment may have the DPL of the ring that runs it, or less.',
    ],
    [
      type === 3 && (dpl !== 0 || (!ss.unusable && ss.dpl !== 0)),
      `CS is a data segment as in real mode, and the DPL of ${dpl !== 0 ? 'CS' : 'SS'} is not 0`,
      'Real mode is ring 0.',
    ],
  ]);
}

function checkStack(ss: Segment): EntryFinding[] {
  return failing([
    [
      ss.type !== 3 && ss.type !== 7,
      `SS is ${describe(ss)}`,
      'A stack must be writable, with the accessed bit set: type 3, access byte 0x93.',
    ],
  ]);
}

function checkData(key: SegmentName, segment: Segment): EntryFinding[] {
  const name = key.toUpperCase();
  return failing([
    [
      !(segment.type & 1),
      `${name} is ${describe(segment)}: its accessed bit is 0`,
      'Set bit 0 of the access byte: loading a segment register sets it in the table.',
    ],
    [
      (segment.type & 8) !== 0 && !(segment.type & 2),
      `${name} is ${describe(segment)}, which cannot be read`,
      `Load ${name} with a data segment.`,
    ],
  ]);
}

/** The checks of every usable segment. */
function checkShape(name: string, { s, present, limit, g }: Segment, wantsS: boolean): EntryFinding[] {
  return failing([
    [
      s !== wantsS,
      `${name} is ${s ? 'a code or data segment' : 'a system descriptor'} (S = ${s ? 1 : 0})`,
      `Bit 4 of the access byte (S) must be ${wantsS ? 1 : 0} there.`,
    ],
    [!present, `${name} is not present (P = 0)`, 'Set bit 7 of the access byte (P).'],
    [
      g && (limit & 0xfff) !== 0xfff,
      `${name} has G = 1 and limit ${hex(limit)}, which is not a number of whole pages`,
      'With G set a limit ends in 0xfff.',
    ],
    [
      !g && limit > 0xf_ffff,
      `${name} has G = 0 and limit ${hex(limit)}, which needs more than 20 bits`,
      'Set G (bit 55 of the descriptor) for limits of 1 MiB and more.',
    ],
  ]);
}

function checkTask({ system }: GuestState): EntryFinding[] {
  const { tr } = system;
  const long = (system.efer & EFER.LMA) !== 0n;
  const fits = tr.type === 11 || (tr.type === 3 && !long);
  return [
    ...failing([
      [
        tr.unusable || !fits,
        `TR is ${describe(tr)}`,
        `Hardware requires a TSS in TR even if the guest never uses it: ${long ? 'a busy one, type 11' : 'a busy one, type 11 or 3'}.`,
      ],
      [
        (tr.selector & 4) !== 0,
        `TR’s selector ${hex(tr.selector)} asks for the LDT`,
        'A TSS is in the GDT: clear bit 2 of the selector.',
      ],
    ]),
    ...(tr.unusable ? [] : checkShape('TR', tr, false)),
  ];
}

function checkLdt({ system }: GuestState): EntryFinding[] {
  const { ldt } = system;
  return [
    ...failing([
      [ldt.type !== 2, `LDTR is ${describe(ldt)}`, 'LDTR holds an LDT (type 2), or nothing.'],
      [
        (ldt.selector & 4) !== 0,
        `LDTR’s selector ${hex(ldt.selector)} asks for the LDT`,
        'An LDT is in the GDT: clear bit 2 of the selector.',
      ],
    ]),
    ...checkShape('LDTR', ldt, false),
  ];
}

function checkBases({ system }: GuestState): EntryFinding[] {
  const mode = pagingModeOf(system);
  const wide = (['tr', 'fs', 'gs', 'ldt'] as const).filter((key) => key !== 'ldt' || !system.ldt.unusable);
  const narrow = (['cs', 'ss', 'ds', 'es'] as const).filter((key) => key === 'cs' || !system[key].unusable);
  const give = (name: string) => `Give ${name} the address of its segment.`;
  return [
    ...wide.flatMap((key) => {
      const { base } = system[key];
      const name = key === 'ldt' ? 'LDTR' : key.toUpperCase();
      return failing([
        [!isCanonical(base, mode), `${name}’s base ${hex(base)} is not canonical`, give(name)],
      ]);
    }),
    ...narrow.flatMap((key) => {
      const { base } = system[key];
      const name = key.toUpperCase();
      return failing([[base >> 32n !== 0n, `${name}’s base ${hex(base)} has more than 32 bits`, give(name)]]);
    }),
  ];
}

/** `unusable`, `type 1 (S = 1, DPL 0)`. */
function describe({ unusable, type, s, dpl }: Segment): string {
  return unusable ? 'unusable (no segment was loaded)' : `of type ${type} (S = ${s ? 1 : 0}, DPL ${dpl})`;
}
