/**
 * The parts of another engine's state for which KVM has no call: stored and returned, or refused.
 *
 * @module
 */
import { type CpuState, CR0, CR4, EFER, Fxsave, type SystemRegisters } from '../../../x86/index.js';
import { EngineLimit } from '../api/errors.js';

/** The properties of a vCPU that limit the states that it accepts. */
export interface Limits {
  /** The interrupt controllers are KVM's. */
  hasApic: boolean;
  /** Guest memory; undefined for an address that is not RAM. */
  read64: (address: number) => bigint | undefined;
}

/** @throws EngineLimit for a state from which no vCPU of this VM can continue */
export function refuseForeign(state: CpuState, { hasApic, read64 }: Limits): void {
  const { apic, unfinished, system, pdptes } = state;
  if (unfinished !== null) {
    throw new EngineLimit(
      'the state is in the middle of an instruction, which KVM cannot continue',
      'complete the access first: completeExit() on the CPU that gives the state',
    );
  }
  if (apic !== null && !hasApic) {
    throw new EngineLimit(
      'the state has a local APIC, and this VM has no interrupt controllers in the kernel',
      'make the VM with irqchip: split or kernel',
    );
  }
  if (pdptes === null || !usesPae(system)) return;
  const table = Number(system.cr3 & 0xffff_ffe0n);
  const other = pdptes.findIndex((entry, n) => read64(table + 8 * n) !== entry);
  if (other < 0) return;
  throw new EngineLimit(
    `the state's page-directory-pointer-table entry ${other} is 0x${pdptes[other]!.toString(16)}, and memory has another value: KVM reads it from there`,
    'continue it on the software CPU until the guest loads CR3',
  );
}

/** PAE paging, whose four entries the processor loads with CR3 (SDM 3A 5.4.1). */
function usesPae({ cr0, cr4, efer }: SystemRegisters): boolean {
  return (cr0 & CR0.PG) !== 0n && (cr4 & CR4.PAE) !== 0n && (efer & EFER.LMA) === 0n;
}

/** FCS and FDS, which KVM's XSAVE area lacks, with the x87 state to which they belong. */
export class KeptSelectors {
  #of: CpuState | undefined;

  /** A state was given to the vCPU. */
  keep(state: CpuState): void {
    const { fcs, fds } = state.fpuSelectors;
    this.#of = fcs === 0 && fds === 0 ? undefined : state;
  }

  /** Their values for the vCPU's state: the stored ones while no x87 instruction has changed that state, else 0. */
  of({ fpu }: Pick<CpuState, 'fpu'>): CpuState['fpuSelectors'] {
    const kept = this.#of;
    if (kept !== undefined && sameX87(kept.fpu, fpu)) return { ...kept.fpuSelectors };
    this.#of = undefined;
    return { fcs: 0, fds: 0 };
  }
}

function sameX87(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < Fxsave.XMM; at++) {
    if (at >= Fxsave.MXCSR && at < Fxsave.ST) continue;
    // Some processors keep FOP, FIP and FDP only where an exception is pending.
    if (at >= Fxsave.FOP && at < Fxsave.MXCSR) continue;
    if (one[at] !== other[at]) return false;
  }
  return true;
}
