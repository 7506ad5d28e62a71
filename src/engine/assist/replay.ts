import { GuestMemory } from '../../memory/index.js';
import { type EngineCpu, ExitKind, type FaultRecord } from '../contract.js';
import type { Helper } from './cpu.js';

/** RAM that is copied at most: a second's work at the very worst. */
const LARGEST = 1024 * 1024 * 1024;

/** A CPU that has shut down. */
export interface DeadCpu {
  cpu: EngineCpu;
  memory: GuestMemory;
  /** The interrupt that it was given last, with no exit in between: its delivery may be what failed. */
  interrupt: number | undefined;
}

/**
 * What a shutdown came from. An engine says no more than that it came; where it left the CPU's state as it was, the
 * instruction that faulted is the next one, and another CPU runs it once more, on a copy of the memory.
 *
 * @returns nothing where the engine has reset the CPU (AMD's processors leave it undefined, and KVM resets it there), so that
 *   the instruction does not end in a shutdown again
 */
export function replayShutdown(
  { cpu, memory, interrupt }: DeadCpu,
  createCpu: (copy: GuestMemory) => Disposable & { cpu: Helper },
): readonly FaultRecord[] {
  if (memory.size > LARGEST) return [];
  const copy = copyOf(memory);
  try {
    using other = createCpu(copy);
    const helper = other.cpu;
    helper.setSystemRegisters(cpu.getSystemRegisters());
    helper.setRegisters(cpu.getRegisters());
    const internals = cpu.getInternals?.();
    if (internals !== undefined) helper.setInternals?.(internals);
    if (interrupt !== undefined && helper.readyForInterrupt) helper.injectInterrupt(interrupt);
    return helper.step() === ExitKind.shutdown ? (helper.recentFaults?.() ?? []) : [];
  } catch {
    // A state that the other CPU does not take: nothing is known of it.
    return [];
  } finally {
    copy.release(false);
  }
}

function copyOf(memory: GuestMemory): GuestMemory {
  const shown = memory.regions.filter(({ size }) => size > 0);
  const copy = GuestMemory.create(shown.map(({ address, size, readOnly }) => ({ address, size, readOnly })));
  for (const [n, region] of shown.entries())
    copy.bytesOf(copy.regions[n]!).set(memory.bytesOf(region).subarray(0, region.size));
  return copy;
}
