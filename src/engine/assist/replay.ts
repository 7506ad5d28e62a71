import { GuestMemory } from '../../memory/index.js';
import { type DryRun, type EngineCpu, ExitKind, type FaultRecord } from '../contract/index.js';
import type { Helper } from './helper.js';

/** The most RAM to copy: at worst this takes a second. */
const LARGEST = 1024 * 1024 * 1024;

/** A stopped CPU. */
export interface StoppedCpu {
  cpu: EngineCpu;
  memory: GuestMemory;
  /** The last injected interrupt, with no exit since: its delivery may be the next event. */
  interrupt: number | undefined;
}

/** A CPU on a copy of the memory; disposing it frees the copy. */
export type CopyCpu = Disposable & { cpu: Helper };

/**
 * Finds the cause of a shutdown. An engine reports only the shutdown; where it keeps the CPU's state, the instruction that
 * faulted is the next one, and another CPU runs it again, on a copy of the memory.
 *
 * @returns an empty list where the engine has reset the CPU (AMD's processors leave it undefined, and KVM resets it there), so
 * that
 *   the instruction does not end in a shutdown again
 */
export function replayShutdown(
  standing: StoppedCpu,
  createCpu: (copy: GuestMemory) => CopyCpu,
): readonly FaultRecord[] {
  const found = runOnCopy(standing, createCpu);
  return found?.ends ? found.faults : [];
}

/** Runs the next instruction on a copy of the memory; undefined where that is not possible. Changes nothing. */
export function runOnCopy(
  { cpu, memory, interrupt }: StoppedCpu,
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
    // The other CPU refuses the state: nothing is known.
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
