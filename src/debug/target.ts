import type { DebugSession } from './session.js';

/** The calls that run the guest, forward or to another moment. */
const running = [
  'step',
  'stepWithin',
  'resume',
  'release',
  'goTo',
  'goToExit',
  'stepBack',
  'resumeBack',
  'lastWrite',
  'nextWrite',
  'lastChange',
  'trail',
  'origin',
  'writes',
  'survey',
  'findMoment',
] as const;

/** The calls of a session that another thread can make. */
export const debugMethods = [
  'cpus',
  'select',
  'view',
  'setRegister',
  'read',
  'write',
  'addBreakpoint',
  'removeBreakpoint',
  'watch',
  'unwatch',
  'clear',
  'history',
  'noHistory',
  'outcome',
  'here',
  'describe',
  'why',
  'restart',
  ...running,
] as const;
export type DebugMethod = (typeof debugMethods)[number];

export const runningMethods: ReadonlySet<DebugMethod> = new Set(running);

type Remote = {
  [K in DebugMethod]: (...args: Parameters<DebugSession[K]>) => Promise<ReturnType<DebugSession[K]>>;
};

/** The interface of a debug session for protocols: on another thread, one call at a time. */
export interface DebugTarget extends Remote {
  /** Makes the call that runs the guest return with `interrupt`. Resolves when it has; does nothing where none runs. */
  interrupt(): Promise<void>;
}

/** A session on the calling thread as a target. Nothing can interrupt it while it runs. */
export function localTarget(session: DebugSession): DebugTarget {
  const target = { interrupt: async () => {} } as Record<string, unknown>;
  for (const name of debugMethods) {
    const method = session[name] as (...args: unknown[]) => unknown;
    target[name] = async (...args: unknown[]) => method.apply(session, args);
  }
  return target as unknown as DebugTarget;
}
