import { GuestMemory } from '../../memory/index.js';
import { type DryRun, type EngineCpu, ExitKind, type FaultRecord } from '../contract/index.js';
import type { Helper } from './cpu.js';

/** RAM that is copied at most: a second's work at the very worst. */
const LARGEST = 1024 * 1024 * 1024;

/** A CPU that stands still. */
export interface StandingCpu {
  cpu: EngineCpu;
  memory: GuestMemory;
  /** The interrupt that it was given last, with no exit in between: its delivery may be what comes next. */
  interrupt: number | undefined;
}

/** A CPU on a copy of the memory; disposing it gives the copy back. */
export type CopyCpu = Disposable & { cpu: Helper };

/**
 * What a shutdown came from. An engine says no more than that it came; where it left the CPU's state as it was, the
 * instruction that faulted is the next one, and another CPU runs it once more, on a copy of the memory.
 *
 * @returns nothing where the engine has reset the CPU (AMD's processors leave it undefined, and KVM resets it there), so that
 *   the instruction does not end in a shutdown again
 */
export function replayShutdown(
  standing: StandingCpu,
  createCpu: (copy: GuestMemory) => CopyCpu,
): readonly FaultRecord[] {
  const found = runOnCopy(standing, createCpu);
  return found?.ends ? found.faults : [];
}

/** Runs the next instruction on a copy of the memory; undefined where that cannot be done. Changes nothing. */
export function runOnCopy(
  { cpu, memory, interrupt }: StandingCpu,
  createCpu: (copy: GuestMemory) => CopyCpu,
): DryRun | undefined {
  if (memory.size > LARGEST) return undefined;
  try {
    using other = createCpu(copyOf(memory));
    const helper = other.cpu;
    helper.setState(cpu.getState());
    if (interrupt !== undefined && helper.readyForInterrupt) helper.injectInterrupt(interrupt);
    const ends = helper.step() === ExitKind.shutdown;
    return { ends, faults: helper.recentFaults() };
  } catch {
    // A state that the other CPU does not take: nothing is known of it.
    return undefined;
  }
}

function copyOf(memory: GuestMemory): GuestMemory {
  const shown = memory.regions.filter(({ size }) => size > 0);
  const copy = GuestMemory.create(shown.map(({ address, size, readOnly }) => ({ address, size, readOnly })));
  for (const [n, region] of shown.entries())
    copy.bytesOf(copy.regions[n]!).set(memory.bytesOf(region).subarray(0, region.size));
  return copy;
}
