/**
 * The input of an explanation: the CPU's state when the guest died, its memory, and the current instruction.
 *
 * @module
 */

import type { FaultRecord } from '../engine/contract/index.js';
import { type CpuSubject, codeSizeOf, hex, type PhysicalMemory, readLinear } from '../inspect/index.js';
import {
  type CodeSize,
  disassemble,
  type Instruction,
  MAX_LENGTH,
  type MemoryOperand,
  type Syntax,
} from '../isa/index.js';
import { CR0, EFER, findRegister, type Registers, RFLAGS, type SystemRegisters } from '../x86/index.js';

/** The symbol and line of a code address: `<start+0x5>  kernel.S:12`. */
export type Locate = (address: bigint) => string | undefined;

/** The image's addresses in guest physical memory, and its entry. */
export interface ImagePlace {
  readonly entry: number;
  readonly segments: readonly { readonly address: number; readonly size: number }[];
}

/** A stopped CPU, and the known part of its history. */
export interface Scene extends CpuSubject {
  readonly registers: Registers;
  readonly system: SystemRegisters;
  readonly memory: PhysicalMemory;
  readonly faults: readonly FaultRecord[];
  readonly code: CodeSize;
  /** Current privilege level. */
  readonly cpl: number;
  /** Undefined where it cannot be fetched completely. */
  readonly instruction: Instruction | undefined;
  readonly locate: Locate;
  readonly image: ImagePlace | undefined;
  readonly syntax: Syntax;
}

export interface SceneSource {
  readonly registers: Registers;
  readonly system: SystemRegisters;
  readonly memory: PhysicalMemory;
  readonly faults?: readonly FaultRecord[];
  readonly locate?: Locate;
  /** The image's addresses, where they are known. */
  readonly image?: ImagePlace;
  /** How instructions are written. Default `intel`. */
  readonly syntax?: Syntax;
}

export function sceneOf({
  registers,
  system,
  memory,
  faults = [],
  locate = () => undefined,
  image,
  syntax = 'intel',
}: SceneSource): Scene {
  const code = codeSizeOf(system);
  const bytes = readLinear({ system, memory }, linearRip(registers, system), MAX_LENGTH);
  // With more bytes an incomplete instruction gets longer; an invalid one is recognised by its first bytes.
  const filled = new Uint8Array(MAX_LENGTH);
  filled.set(bytes);
  const decoded = disassemble(filled, { code, address: registers.rip, syntax });
  const instruction = decoded.length <= bytes.length ? decoded : undefined;
  const cpl = levelOf(system, registers);
  return { registers, system, memory, faults, code, cpl, instruction, locate, image, syntax };
}

/** CPL: SS.DPL, 3 in virtual-8086 mode, 0 in real mode (SDM 3A 6.5). */
function levelOf(system: SystemRegisters, registers: Registers): number {
  if (!isProtected(system)) return 0;
  if (registers.rflags & RFLAGS.VM) return 3;
  return system.ss.unusable ? system.cs.selector & 3 : system.ss.dpl;
}

export function isProtected({ cr0 }: SystemRegisters): boolean {
  return (cr0 & CR0.PE) !== 0n;
}

/** The linear address of the next instruction. */
export function linearRip({ rip }: Registers, system: SystemRegisters): bigint {
  return codeSizeOf(system) === 64 ? rip : BigInt.asUintN(32, system.cs.base + rip);
}

/** `real mode`, `32-bit protected mode`, and so on. */
export function modeText({ system, code }: Pick<Scene, 'system' | 'code'>): string {
  if (!isProtected(system)) return 'real mode';
  if (code === 64) return '64-bit mode';
  if (system.efer & EFER.LMA) return `compatibility mode (${code}-bit code in long mode)`;
  return `${code}-bit protected mode`;
}

/** `0008:00100009`. */
export function placeText(cs: number, rip: bigint): string {
  return `${cs.toString(16).padStart(4, '0')}:${rip.toString(16).padStart(rip > 0xffff_ffffn ? 16 : 8, '0')}`;
}

/** The value of a register by its name; 0 for an unknown one. */
export function registerValue({ registers, system }: Scene, name: string): bigint {
  return findRegister(name)?.read(registers, system) ?? 0n;
}

/** A memory operand with its address. */
export interface Access {
  segment: 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';
  offset: bigint;
  linear: bigint;
  size: number;
}

/** The current address of a memory operand. */
export function accessOf(scene: Scene, operand: MemoryOperand): Access {
  const { base, index, scale, displacement, addressSize, target, size } = operand;
  const sum =
    target ??
    displacement +
      (base === undefined ? 0n : registerValue(scene, base)) +
      (index === undefined ? 0n : registerValue(scene, index) * BigInt(scale));
  const offset = BigInt.asUintN(addressSize, sum);
  const onStack = base !== undefined && /^[er]?[sb]p$/.test(base);
  const segment = (operand.segment ?? (onStack ? 'ss' : 'ds')) as Access['segment'];
  const flat = scene.code === 64 && segment !== 'fs' && segment !== 'gs';
  const start = flat ? 0n : scene.system[segment].base;
  return { segment, offset, linear: BigInt.asUintN(scene.code === 64 ? 64 : 32, start + offset), size };
}

/** The first memory operand of the instruction. */
export function memoryOf(scene: Scene): Access | undefined {
  const operand = scene.instruction?.operands.find((one) => one.kind === 'memory');
  return operand?.kind === 'memory' && operand.size > 0 ? accessOf(scene, operand) : undefined;
}

/** The linear address of the top of the stack. */
export function linearStack({ registers, system, code }: Scene): bigint {
  if (code === 64) return registers.rsp;
  return BigInt.asUintN(32, system.ss.base + BigInt.asUintN(system.ss.db ? 32 : 16, registers.rsp));
}

/** The call that led here, if the top of the stack is its return address. */
export function callerLine(scene: Scene): string[] {
  const [top] = stackTop(scene, 1, scene.code === 64 ? 8 : scene.code === 32 ? 4 : 2);
  const where = top === undefined ? undefined : scene.locate(top);
  return where === undefined
    ? []
    : [`on top of the stack is ${hex(top!)}, ${where}: the call that led here may be right before it`];
}

/** The top of the stack: as many values of `size` bytes as can be read. */
export function stackTop(scene: Scene, count: number, size: 2 | 4 | 8): bigint[] {
  const bytes = readLinear(scene, linearStack(scene), count * size);
  const values: bigint[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    let value = 0n;
    for (let n = size - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[at + n]!);
    values.push(value);
  }
  return values;
}

/** `0x10 (GDT entry 2)`. */
export function selectorText(selector: number): string {
  if ((selector & 0xfffc) === 0) return `${hex(selector)} (the null selector)`;
  return `${hex(selector)} (${selector & 4 ? 'LDT' : 'GDT'} entry ${selector >> 3}${selector & 3 ? `, RPL ${selector & 3}` : ''})`;
}

/** The result of examining a fault. */
export interface Finding {
  /** The check that failed, as a sentence without a full stop. */
  check: string;
  /** The table entry in question, a line or a few. */
  evidence?: string[];
  /** The likely mistake and what to do. */
  mistake?: string;
  /** The guest did nothing wrong. */
  innocent?: true;
}
