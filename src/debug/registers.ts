/**
 * Registers by name, as debuggers read and set them.
 *
 * @module
 */
import type { EngineCpu } from '../engine/contract/index.js';
import {
  CR0,
  codeSizeOf,
  type RegisterName,
  type Registers,
  RFLAGS,
  registerNames,
  type SegmentName,
  type SystemRegisters,
  segmentNames,
} from '../x86/index.js';
import { DebugError } from './errors.js';
import { readFxsave, withFxsave } from './fxsave.js';
import { linearPc } from './mode.js';

/** The state of a CPU that a debugger shows. */
export interface CpuView {
  registers: Registers;
  system: SystemRegisters;
  /** x87 and SSE in FXSAVE's form, 512 bytes; missing where the engine does not have it. */
  fpu?: Uint8Array;
}

const LOW32 = 0xffff_ffffn;

const controlNames = ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const;
type ControlName = (typeof controlNames)[number];

const isRegister = (name: string): name is RegisterName =>
  (registerNames as readonly string[]).includes(name);
const isSegment = (name: string): name is SegmentName => (segmentNames as readonly string[]).includes(name);
const isControl = (name: string): name is ControlName => (controlNames as readonly string[]).includes(name);

/**
 * A register's value. In addition to the processor's names: `pc`, the linear address of the next instruction; `fs_base` and `gs_base`; and
 * FXSAVE's content (`st0`, `xmm0`, `mxcsr`, `fctrl`, …). Undefined for an unknown name, or where the engine does not have it.
 */
export function registerOf({ registers, system, fpu }: CpuView, name: string): bigint | undefined {
  if (isRegister(name)) return registers[name];
  if (isSegment(name)) return BigInt(system[name].selector);
  if (isControl(name)) return system[name];
  if (name === 'pc') return linearPc(registers.rip, system);
  if (name === 'fs_base') return system.fs.base;
  if (name === 'gs_base') return system.gs.base;
  return fpu && readFxsave(fpu, name);
}

/** Sets a register that `registerOf` reads. @throws DebugError where that cannot be done */
export function changeRegister(cpu: EngineCpu, name: string, value: bigint): void {
  if (isRegister(name)) cpu.setRegisters({ ...cpu.getRegisters(), [name]: BigInt.asUintN(64, value) });
  else if (name === 'pc') setPc(cpu, value);
  else if (isSegment(name)) setSelector(cpu, name, Number(value & 0xffffn));
  else if (isControl(name)) changeSystem(cpu, { [name]: value });
  else if (name === 'fs_base' || name === 'gs_base') setBase(cpu, name === 'fs_base' ? 'fs' : 'gs', value);
  else setInFpu(cpu, name, value);
}

function setPc(cpu: EngineCpu, pc: bigint): void {
  const system = cpu.getSystemRegisters();
  const rip = codeSizeOf(system) === 64 ? pc : (pc - system.cs.base) & LOW32;
  cpu.setRegisters({ ...cpu.getRegisters(), rip });
}

/**
 * In real mode a selector defines the whole segment. In other modes it refers to a descriptor, which only instructions load.
 */
function setSelector(cpu: EngineCpu, name: SegmentName, selector: number): void {
  const system = cpu.getSystemRegisters();
  if (system[name].selector === selector) return;
  const flat = (system.cr0 & CR0.PE) === 0n || (cpu.getRegisters().rflags & RFLAGS.VM) !== 0n;
  if (!flat)
    throw new DebugError(
      `${name} cannot be set to 0x${selector.toString(16)} here`,
      'in protected and long mode a debugger cannot set selectors: let the guest load one',
    );
  changeSystem(cpu, { [name]: { ...system[name], selector, base: BigInt(selector) << 4n } });
}

function setBase(cpu: EngineCpu, name: 'fs' | 'gs', base: bigint): void {
  changeSystem(cpu, { [name]: { ...cpu.getSystemRegisters()[name], base } });
}

function changeSystem(cpu: EngineCpu, change: Partial<SystemRegisters>): void {
  const before = cpu.getSystemRegisters();
  const after = { ...before, ...change };
  if ((after.cr0 & CR0.PG) !== 0n && (after.cr0 & CR0.PE) === 0n)
    throw new DebugError('CR0.PG needs CR0.PE', 'SDM 3A 2.5');
  try {
    cpu.setSystemRegisters(after);
  } catch (error) {
    cpu.setSystemRegisters(before);
    throw new DebugError(`the CPU does not accept that: ${(error as Error).message}`);
  }
}

function setInFpu(cpu: EngineCpu, name: string, value: bigint): void {
  const state = cpu.getState();
  const fpu = withFxsave(state.fpu, name, value);
  if (fpu === undefined) throw new DebugError(`there is no register ${name} to set`);
  cpu.setState({ ...state, fpu }, state);
}
