import type { EngineClockState, EngineCpu } from '../../engine/contract/index.js';
import type { CpuInternals, CpuState } from '../../x86/index.js';

/** A CPU's state in a machine's. */
export interface CpuSaved extends CpuState {
  internals: CpuInternals;
  /** Missing where its time is the host's. */
  time?: EngineClockState;
}

export function saveCpu(cpu: EngineCpu): CpuSaved {
  return {
    registers: cpu.getRegisters(),
    system: cpu.getSystemRegisters(),
    internals: cpu.getInternals(),
    ...(cpu.clock && { time: cpu.clock.save() }),
  };
}

export function loadCpu(cpu: EngineCpu, { registers, system, internals, time }: CpuSaved): void {
  // The time stamp counter is among the internals: it follows from the time.
  if (time !== undefined) cpu.clock?.load(time);
  cpu.setSystemRegisters(system);
  cpu.setRegisters(registers);
  cpu.setInternals(internals);
}
