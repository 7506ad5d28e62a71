/** The CPUs of a guest as the protocol's threads. */
import { DebugError, type Debugger } from '../../debug/index.js';
import { numberOf } from './values.js';

export const MOST_CPUS = 255;

/** DAP's number of a thread: it counts from 1, CPUs count from 0. */
export const threadOf = (cpu: number) => cpu + 1;

/** A thread a CPU. */
export function threadList(cpus: number, engine: string | undefined): { id: number; name: string }[] {
  const on = engine === undefined ? '' : ` (${engine})`;
  const name = (cpu: number) => (cpus === 1 ? `CPU${on}` : `CPU ${cpu}${on}`);
  return Array.from({ length: cpus }, (_, cpu) => ({ id: threadOf(cpu), name: name(cpu) }));
}

/** From now on the CPU of this thread is looked at, and steps are its own: its number. @throws DebugError where there is none */
export async function selectThread(debug: Debugger, threadId: unknown): Promise<number> {
  const { count, current } = await debug.cpus();
  if (threadId === undefined) return current;
  const cpu = numberOf(threadId, 0, 0, MOST_CPUS) - 1;
  if (cpu < 0 || cpu >= count)
    throw new DebugError(`there is no thread ${String(threadId)}: they are 1 to ${count}`);
  if (cpu !== current) await debug.select(cpu);
  return cpu;
}
