import type { CpuView, Debugger } from '../../debug/index.js';
import { memoryOf, sceneOf } from '../../explain/index.js';
import type { PhysicalMemory } from '../../inspect/index.js';

/** The largest operand that is compared, in bytes; larger ones are not numbers. */
const LARGEST = 8;

/**
 * Reads the memory operand of the next instruction, and says afterwards how it changed: `counter 0x41 → 0x42`;
 * undefined where it did not.
 */
export async function watchOperand(
  held: Debugger,
  view: CpuView,
  memory: PhysicalMemory,
): Promise<() => Promise<string | undefined>> {
  const access = memoryOf(sceneOf({ registers: view.registers, system: view.system, memory }));
  if (access === undefined || access.size > LARGEST) return async () => undefined;
  const { linear, size } = access;
  const before = await numberAt(held, linear, size);
  return async () => {
    const after = await numberAt(held, linear, size);
    if (before === undefined || after === undefined || before === after) return undefined;
    const name = held.symbols.symbolAt(linear) ?? `[0x${linear.toString(16)}]`;
    return `${name} 0x${before.toString(16)} → 0x${after.toString(16)}`;
  };
}

async function numberAt(held: Debugger, address: bigint, size: number): Promise<bigint | undefined> {
  try {
    const bytes = await held.target.read(address, size);
    return bytes.length < size ? undefined : bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  } catch {
    // It is not mapped, or no longer.
    return undefined;
  }
}
