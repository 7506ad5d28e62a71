/**
 * Why an interrupt or exception could not be delivered (SDM 3A 7.12).
 *
 * @module
 */
import type { FaultRecord } from '../engine/contract/index.js';
import {
  formatWalk,
  gateSize,
  hex,
  isLongMode,
  readGate,
  readLinearNumber,
  vectorMeaning,
  vectorName,
  walkPages,
} from '../inspect/index.js';
import { SelectorCode } from '../x86/index.js';
import { type Finding, isProtected, type Scene, selectorText } from './scene.js';
import { checkSelector, descriptorOf } from './selectors.js';

/** `#DE (divide error)`, `interrupt 32`. */
export function eventText(vector: number): string {
  const meaning = vectorMeaning(vector);
  return meaning === '' ? vectorName(vector) : `${vectorName(vector)} (${meaning})`;
}

/** Why the gate of `vector` cannot be used; undefined where nothing is wrong with the gate itself. */
export function checkGate(scene: Scene, vector: number, software = false): Finding | undefined {
  const { idt } = scene.system;
  const size = gateSize(scene);
  const table = `IDT at ${hex(idt.base)}, limit ${hex(idt.limit)}: room for ${Math.min(256, Math.floor((idt.limit + 1) / size))} entries of ${size} bytes`;
  if (isRealTable(scene)) {
    return {
      check: `IDTR still holds real mode’s table, which has no gates, so ${eventText(vector)} has no handler`,
      evidence: [table],
      mistake:
        'IDTR still holds real mode’s table (base 0, limit 0x3ff). Turn interrupts off (CLI) before you set CR0.PE, and load a table of gates with LIDT before you turn them on or anything can fault.',
    };
  }
  if (vector * size + size - 1 > idt.limit) return behindLimit(scene, vector, size, table);
  const gate = readGate(scene, vector);
  if (gate === undefined) {
    return {
      check: `entry ${vector} of the IDT, at ${hex(idt.base + BigInt(vector * size))}, is not in mapped RAM`,
      evidence: [table],
      mistake:
        'IDTR’s base is not the linear address of your table. LIDT takes a pointer to a limit (2 bytes) and a base; is the base right, and mapped?',
    };
  }
  if (size === 4) return undefined;
  const digits = (value: bigint) => value.toString(16).padStart(16, '0');
  const line = `IDT entry ${vector} at ${hex(gate.at)}: ${size === 16 ? `${digits(gate.high)}_` : ''}${digits(gate.raw)}: ${gate.meaning}`;
  if (gate.raw === 0n && gate.high === 0n) {
    const narrow = size === 16 ? narrowGate(scene, vector) : undefined;
    if (narrow !== undefined)
      return { check: narrow.check, evidence: [table, line, narrow.line], mistake: wrongGate(scene, size) };
    return {
      check: `IDT entry ${vector} is empty, so ${eventText(vector)} has no handler`,
      evidence: [table, line],
      mistake: `Fill in entry ${vector} of the IDT: there is no handler for ${eventText(vector)}.`,
    };
  }
  if (gate.problems.some((problem) => problem.startsWith('an interrupt table'))) {
    return {
      check: `IDT entry ${vector} is not a gate for interrupts: ${gate.meaning}`,
      evidence: [table, line],
      mistake: wrongGate(scene, size),
    };
  }
  if (software && gate.dpl < scene.cpl) {
    return {
      check: `the gate has DPL ${gate.dpl}, and INT comes from ring ${scene.cpl}`,
      evidence: [line],
      mistake: `To let ring 3 call it with INT ${vector}, give the gate DPL 3: access byte 0xee.`,
    };
  }
  if (!gate.present) {
    return {
      check: `IDT entry ${vector} is not present (P = 0)`,
      evidence: [line],
      mistake: 'Set bit 7 of the gate’s access byte (P): 0x8e is a present 32-bit or 64-bit interrupt gate.',
    };
  }
  const target = checkSelector(scene, gate.selector, 'code');
  if (target === undefined) return undefined;
  return {
    check: `the gate of ${eventText(vector)} leads to ${selectorText(gate.selector)}: ${target.check}`,
    evidence: [line, ...(target.evidence ?? [])],
    mistake:
      `The selector in IDT entry ${vector} (bytes 2 and 3) must be that of your code segment, usually 0x08. ${target.mistake ?? ''}`.trim(),
  };
}

/** The gate at its place in a table with entries of 8 bytes, as 32-bit tables have; undefined where there is none. */
function narrowGate({ system, memory }: Scene, vector: number): { check: string; line: string } | undefined {
  const at = system.idt.base + BigInt(vector * 8);
  const raw = readLinearNumber({ system, memory }, at, 8) ?? 0n;
  // Present, an interrupt or trap gate of 32 or 64 bits (SDM 3A 7.11).
  if (((raw >> 40n) & 0x9en) !== 0x8en) return undefined;
  return {
    check: `IDT entry ${vector} is empty, and a gate is where it would be in a table with entries of 8 bytes`,
    line: `8 bytes at ${hex(at)}: ${raw.toString(16).padStart(16, '0')}`,
  };
}

function behindLimit(scene: Scene, vector: number, size: number, table: string): Finding {
  const { idt } = scene.system;
  const check = `IDT entry ${vector} is beyond the IDT’s limit, so ${eventText(vector)} has no handler`;
  const evidence = [table];
  if (idt.limit < size) {
    return {
      check,
      evidence,
      mistake: `The IDT limit is ${idt.limit}: there is no IDT. Build one and load it with LIDT before anything can fault and before you enable interrupts.`,
    };
  }
  return {
    check,
    evidence,
    mistake: `The IDT is too short: its limit is ${size} × entries − 1. For entry ${vector} it must be ${hex(vector * size + size - 1)} or more; 256 entries need ${hex(256 * size - 1)}.`,
  };
}

/** Protected mode with the IDT that the CPU has after reset. */
function isRealTable({ system }: Scene): boolean {
  return (
    isProtected(system) &&
    system.idt.base === 0n &&
    (system.idt.limit === 0x3ff || system.idt.limit === 0xffff)
  );
}

function wrongGate({ registers, system }: Scene, size: number): string {
  const { base, limit } = system.idt;
  if (registers.rsp >= base - 64n && registers.rsp <= base + BigInt(limit))
    return `The stack (its pointer is ${hex(registers.rsp)}) has grown down into the IDT and overwritten it.`;
  if (size === 16)
    return 'In long mode a gate has 16 bytes: offset 0–15, selector, IST, access byte 0x8e, offset 16–31, offset 32–63, and 4 bytes of zeros. Does your table have gates of 8 bytes?';
  return 'In protected mode a gate has 8 bytes: offset 0–15, selector, a zero byte, access byte 0x8e, offset 16–31. Is the access byte in place, and is the table one of long mode?';
}

/** Why the delivery of `vector` raised `fault`. */
export function explainDelivery(scene: Scene, vector: number, fault: FaultRecord): Finding {
  const gate = checkGate(scene, vector);
  const aboutTable = fault.code !== undefined && (fault.code & SelectorCode.idt) !== 0 && fault.vector !== 14;
  if (gate !== undefined && (aboutTable || fault.vector === 13 || fault.vector === 11)) return gate;
  const stack = explainStack(scene, vector, fault);
  if (stack !== undefined) return stack;
  if (gate !== undefined) return gate;
  return { check: `the delivery of ${eventText(vector)} raised ${faultText(fault)}` };
}

/** `#GP(0x103)`. */
export function faultText({ vector, code }: FaultRecord): string {
  return code === undefined ? vectorName(vector) : `${vectorName(vector)}(${hex(code)})`;
}

/** The handler's frame could not be pushed, or its stack could not be loaded. */
function explainStack(scene: Scene, vector: number, fault: FaultRecord): Finding | undefined {
  const gate = readGate(scene, vector);
  const inner =
    gate !== undefined &&
    isProtected(scene.system) &&
    scene.cpl > (descriptorOf(scene, gate.selector)?.segment.dpl ?? 0);
  if (inner && [10, 12, 13, 14].includes(fault.vector)) return explainTaskStack(scene, fault);
  if (fault.vector === 14) {
    const walk = walkPages(scene, fault.cr2);
    const where = `pushing its frame accessed ${hex(fault.cr2)}`;
    return {
      check: `${where}, ${walk.problem === undefined ? 'whose page is not writable' : 'where nothing is mapped'}`,
      evidence: formatWalk(walk, scene.memory).split('\n'),
      mistake: `The stack pointer is ${hex(fault.rsp)}, which is not in mapped memory. Load it with the end of memory that is mapped and writable before anything can fault.`,
    };
  }
  if (fault.vector !== 12) return undefined;
  const { base, limit } = scene.system.ss;
  return {
    check: `pushing its frame at SS:${hex(fault.rsp)} goes beyond the stack segment`,
    evidence: [`SS ${hex(fault.ss)}: base ${hex(base)}, limit ${hex(limit)}`],
    mistake: 'Load SS and the stack pointer so that the stack has room below it.',
  };
}

/** The stack for a handler in a more privileged ring comes from the TSS (SDM 3A 7.12.1, 7.14.4). */
export function explainTaskStack(scene: Scene, fault: FaultRecord): Finding {
  const { tr } = scene.system;
  const long = isLongMode(scene.system);
  const at = tr.base + 4n;
  const pointer = readLinearNumber(scene, at, long ? 8 : 4) ?? 0n;
  const segment = long ? undefined : readLinearNumber(scene, tr.base + 8n, 2);
  const names = long ? 'RSP0' : 'SS0:ESP0';
  const held = long
    ? hex(pointer)
    : `${(segment ?? 0n).toString(16).padStart(4, '0')}:${pointer.toString(16).padStart(8, '0')}`;
  const evidence = [`TSS of selector ${hex(tr.selector)} at ${hex(tr.base)}: ${names} = ${held}`];
  const why = fault.vector === 14 ? `, and pushing the frame there accessed ${hex(fault.cr2)}` : '';
  return {
    check: `an interrupt in ring ${scene.cpl} takes its stack from the TSS, where ${names} is ${held}${why}`,
    evidence,
    mistake: `Write the end of a ring 0 stack into ${long ? 'RSP0 (offset 4)' : 'ESP0 (offset 4) and its segment into SS0 (offset 8)'} of the TSS before you go to ring 3.`,
  };
}
