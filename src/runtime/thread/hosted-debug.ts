import { type DebugMethod, type DebugTarget, debugMethods } from '../../debug/index.js';

/** A debug session on another thread, by messages. */
export function remoteTarget(
  call: (method: DebugMethod, args: readonly unknown[]) => Promise<unknown>,
  interrupt: () => Promise<void>,
): DebugTarget {
  const target: Record<string, unknown> = { interrupt };
  for (const method of debugMethods) target[method] = (...args: unknown[]) => call(method, args);
  return target as unknown as DebugTarget;
}
