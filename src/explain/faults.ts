/**
 * Why an instruction raised an exception.
 *
 * @module
 */

import type { FaultRecord } from '../engine/contract/index.js';
import { formatWalk, hex, walkPages } from '../inspect/index.js';
import { PageFaultCode, SelectorCode } from '../x86/index.js';
import { callBefore } from './code-place.js';
import { explainDivide } from './divide.js';
import { checkGate, explainTaskStack } from './gates.js';
import { explainGeneral } from './general.js';
import { explainInvalid } from './invalid.js';
import { explainOtherFault } from './other-faults.js';
import { explainLeftStack } from './recursion.js';
import { explainReturn } from './returns.js';
import {
  accessOf,
  callerLine,
  type Finding,
  isProtected,
  linearRip,
  registerValue,
  type Scene,
  selectorText,
  stackTop,
} from './scene.js';
import { checkSelector, type Use } from './selectors.js';

/** Why the instruction at the scene raised `fault`. */
export function explainFault(scene: Scene, fault: FaultRecord): Finding {
  switch (fault.vector) {
    case 0:
      return explainDivide(scene);
    case 6:
      return explainInvalid(scene);
    case 10:
    case 11:
    case 12:
    case 13:
      return explainProtection(scene, fault);
    case 14:
      return explainPageFault(scene, fault);
    default:
      return (
        explainOtherFault(scene, fault.vector) ?? {
          check: `${scene.instruction?.text ?? 'the instruction'} raised it`,
        }
      );
  }
}

/** #TS, #NP, #SS and #GP. */
function explainProtection(scene: Scene, fault: FaultRecord): Finding {
  const { instruction, code } = scene;
  const error = fault.code ?? 0;
  if (error & SelectorCode.idt) return explainSoftwareInterrupt(scene, error >> 3);
  const returned = explainReturn(scene);
  if (returned !== undefined) return returned;
  const asked = vectorAsked(scene);
  if (error !== 0 && asked !== undefined) return explainSoftwareInterrupt(scene, asked);
  if (error !== 0) {
    const selector = loadedSelector(scene) ?? error & 0xfffc;
    const found = checkSelector(scene, selector, useOf(scene));
    if (found !== undefined) return found;
    return {
      check: `the CPU refuses selector ${selectorText(error)} in ${instruction?.text ?? 'this instruction'}`,
    };
  }
  if (fault.vector === 10) return explainTaskStack(scene, fault);
  if (fault.vector === 12) return explainStackFault(scene);
  if (!isProtected(scene.system) && instruction === undefined)
    return { check: `there is no code at ${hex(scene.registers.rip)} in ${code}-bit code` };
  return explainGeneral(scene);
}

function explainSoftwareInterrupt(scene: Scene, vector: number): Finding {
  const found = checkGate(scene, vector, true);
  return found ?? { check: `INT ${vector} cannot go through its gate` };
}

/** The vector that INT n, INT3 or INTO asks for. */
function vectorAsked({ instruction }: Scene): number | undefined {
  const { mnemonic = '', operands = [] } = instruction ?? {};
  if (mnemonic === 'int3') return 3;
  if (mnemonic === 'into') return 4;
  const [vector] = operands;
  return mnemonic === 'int' && vector?.kind === 'immediate' ? Number(vector.value) : undefined;
}

/** The selector that the instruction loads, where an operand gives it. */
function loadedSelector(scene: Scene): number | undefined {
  const { instruction, code } = scene;
  const [first, second] = instruction?.operands ?? [];
  if (first?.kind === 'far') return first.selector;
  if (instruction?.mnemonic === 'mov' && second?.kind === 'register')
    return Number(registerValue(scene, second.name) & 0xffffn);
  if (instruction?.mnemonic === 'pop')
    return Number((stackTop(scene, 1, code === 64 ? 8 : code === 32 ? 4 : 2)[0] ?? 0n) & 0xffffn);
  return undefined;
}

function useOf({ instruction }: Scene): Use {
  const { mnemonic = '', operands = [] } = instruction ?? {};
  if (mnemonic === 'ltr') return 'TSS';
  if (mnemonic === 'lldt') return 'LDT';
  const [to] = operands;
  if (to?.kind === 'register' && to.name === 'ss') return 'stack';
  if (to?.kind === 'register' && /^[defg]s$/.test(to.name)) return 'data';
  return 'code';
}

function explainStackFault(scene: Scene): Finding {
  const { system, registers, code } = scene;
  if (code === 64)
    return {
      check: `the stack address ${hex(registers.rsp)} is not canonical`,
      mistake: 'Load RSP with the end of memory that is mapped.',
    };
  const { base, limit, selector } = system.ss;
  const operand = scene.instruction?.operands.find((one) => one.kind === 'memory');
  const touched = operand?.kind === 'memory' ? accessOf(scene, operand).offset : registers.rsp;
  return {
    check: `the stack at SS:${hex(touched)} is outside its segment`,
    evidence: [`SS ${hex(selector, 4)}: base ${hex(base)}, limit ${hex(limit)}`],
    mistake:
      'Load SS and the stack pointer together with a segment and an offset inside it; pushes write below the pointer.',
  };
}

/** The meaning of a page fault's error code (SDM 3A 5.7). */
export function pageFaultText(code: number, fetching = (code & PageFaultCode.fetch) !== 0): string {
  const what = fetching ? 'an instruction fetch' : code & PageFaultCode.write ? 'a write' : 'a read';
  const who = code & PageFaultCode.user ? 'ring 3' : 'ring 0';
  const why =
    code & PageFaultCode.reserved
      ? 'a reserved bit is set in a table'
      : code & PageFaultCode.present
        ? 'the page does not allow it'
        : 'nothing is mapped there';
  return `${what} in ${who}: ${why}`;
}

function explainPageFault(scene: Scene, fault: FaultRecord): Finding {
  const { cr2, code = 0 } = fault;
  const walk = walkPages(scene, cr2);
  // Without NX and SMEP the error code does not mark a fetch (SDM 3A 5.7).
  const fetching =
    (code & PageFaultCode.fetch) !== 0 ||
    (scene.instruction === undefined && cr2 === linearRip(scene.registers, scene.system));
  const left = explainLeftStack(scene);
  const evidence = [
    ...formatWalk(walk, scene.memory).split('\n'),
    ...(fetching ? callerLine(scene) : []),
    ...(left === undefined ? [] : [left.check, ...left.evidence]),
  ];
  const check = `the address ${hex(cr2)}: ${pageFaultText(code, fetching)}`;
  return { check, evidence, mistake: pageMistake(scene, fault, walk) };
}

function pageMistake(
  scene: Scene,
  { cr2, code = 0, rip, rsp }: FaultRecord,
  walk: ReturnType<typeof walkPages>,
): string {
  const wanted = code & PageFaultCode.fetch || cr2 === rip;
  if (code & PageFaultCode.reserved) return `Clear the reserved bit: ${walk.problem ?? 'see the entry'}.`;
  if (code & PageFaultCode.present) return rightsMistake(code, walk.rights);
  const pushed = walk.levels.some(
    ({ at, entry }) => at + 8n >= rsp && entry !== undefined && callBefore(scene, entry) !== undefined,
  );
  if (pushed)
    return `The stack (its pointer is ${hex(rsp)}) has grown down over the page tables: the entries above are pushed values. Look for endless recursion, and move the stack away from the tables.`;
  const outside = walk.problem?.includes('not RAM') ?? false;
  const unaligned = unalignedTable(walk);
  if (unaligned !== undefined) return unaligned;
  if (outside)
    return 'A table is outside RAM. Entries hold the physical addresses of tables, aligned to 4 KiB, with flags in the low bits: is the address right, and is the guest’s memory large enough?';
  const jumpsOn = scene.instruction === undefined && wanted;
  if (jumpsOn && scene.system.cr0 & 0x8000_0000n && walk.levels.length > 0 && codeUnmapped(scene, rip))
    return `The CPU cannot fetch its next instruction: ${hex(rip)} is not mapped. Either something jumped there, or the tables do not map the code that turned paging on: map at least that code to its own address (identity).`;
  const left = explainLeftStack(scene);
  if (left !== undefined) return left.mistake;
  const distance = rsp - cr2;
  if (distance >= -4096n && distance <= 4096n && rsp !== 0n)
    return `That is the stack (RSP is ${hex(rsp)}): it points to memory that is not mapped, or has grown out of its page. Load RSP with the end of mapped memory, and look for endless recursion.`;
  if (cr2 < 4096n) return 'The address is close to 0: a null pointer, or a register that was never loaded.';
  return `Map the page, or correct the pointer. The entry that stops the walk is the ${walk.levels.at(-1)?.name ?? 'first'} above.`;
}

/** An entry whose low bits look like part of an address: page tables start at multiples of 4 KiB. */
function unalignedTable({ levels }: ReturnType<typeof walkPages>): string | undefined {
  for (const { name, entry, leadsTo } of levels.slice(0, -1)) {
    const low = (entry ?? 0n) & 0xe00n;
    if (low === 0n || leadsTo === undefined) continue;
    return `Bits 9 to 11 of the ${name} are ${hex(low)}, which looks like the lower part of the table’s address. Tables start at multiples of 4 KiB, and the CPU ignores the low bits: it used ${hex(leadsTo)}, not ${hex(leadsTo + low)}. Put .align 4096 before the table.`;
  }
  return undefined;
}

function codeUnmapped(scene: Scene, rip: bigint): boolean {
  return walkPages(scene, scene.system.cs.base + rip).physical === undefined;
}

function rightsMistake(
  code: number,
  rights: { write: boolean; user: boolean; execute: boolean } | undefined,
): string {
  if (code & PageFaultCode.user && rights?.user === false)
    return 'The page is for ring 0 (US is 0 at some level). For ring 3 the US bit must be set in every level of the walk.';
  if (code & PageFaultCode.fetch && rights?.execute === false)
    return 'The page has NX set at some level, so it holds data and not code. Clear bit 63 for code, or do not jump there.';
  if (code & PageFaultCode.write && rights?.write === false)
    return 'The page is read-only (RW is 0 at some level), and CR0.WP applies that to ring 0 too. Set RW in every level for writable memory.';
  return 'The tables allow it now, but the CPU used an old entry of its TLB. After a change of the tables use INVLPG or load CR3.';
}
