import { endsBadly } from '../../explain/index.js';
import type { Outcome } from '../../machine/index.js';

/** The exit statuses of `terrarium`; the numbers are part of the command line's contract. */
export const ExitStatus = {
  ok: 0,
  expectationFailed: 1,
  usage: 2,
  shutdown: 3,
  engine: 4,
  timedOut: 124,
  interrupted: 130,
  /** As a shell reports SIGPIPE: the reader of stdout has closed it. */
  abandoned: 141,
} as const;

/** The exit status for an outcome. */
export function statusOf(
  outcome: Pick<Outcome, 'kind' | 'code' | 'reason' | 'registers' | 'system'>,
): number {
  switch (outcome.kind) {
    case 'halted':
      // A guest that waits forever has failed like one that shut down: make and CI must see it.
      return endsBadly(outcome) ? ExitStatus.shutdown : ExitStatus.ok;
    case 'reset':
    case 'poweredOff':
      return ExitStatus.ok;
    case 'exited':
      return outcome.code ?? 0;
    case 'shutdown':
    case 'panicked':
      return ExitStatus.shutdown;
    case 'engineError':
      return ExitStatus.engine;
    case 'timeout':
    case 'limit':
      return ExitStatus.timedOut;
    case 'stopped':
    case 'debug':
      return ExitStatus.interrupted;
  }
}
