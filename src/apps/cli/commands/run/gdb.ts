import { type DebugAddress, serveGdb } from '../../../../debug/index.js';
import { ConfigError } from '../../../../errors.js';
import type { HostedMachine, HostedOutcome } from '../../../../runtime/index.js';

/** A run that gdb leads. */
export interface GdbRun {
  /** What the machine came to in the end. */
  outcome: Promise<HostedOutcome>;
  stop(): Promise<void>;
}

/** Refuses options that cannot go with a debugger. */
export function requireDebuggable(flags: {
  timeout?: number;
  maxExits?: number;
  simvirtio?: string;
  detach?: true;
}): void {
  const wrong = [
    [flags.timeout, '--timeout', 'gdb decides how long the guest runs'],
    [flags.maxExits, '--max-exits', 'gdb decides how long the guest runs'],
    [flags.detach, '--detach', 'give it a name and a terminal of its own'],
    [flags.simvirtio === 'polling' || undefined, '--simvirtio polling', 'take --simvirtio exits'],
  ] as const;
  for (const [given, name, hint] of wrong)
    if (given !== undefined) throw new ConfigError(`${name} does not go with --gdb`, hint);
}

/** Waits for gdb, and says how it comes here. */
export async function openGdb(machine: HostedMachine, address: DebugAddress): Promise<GdbRun> {
  const server = await serveGdb(machine.debugTarget(), address);
  const open =
    'port' in address ? ' (any user of this computer can; --gdb=PATH is a socket for you alone)' : '';
  process.stderr.write(`terrarium: waiting for gdb: gdb -ex 'target remote ${server.where}'${open}\n`);
  return {
    outcome: server.done.then(() => server.close()).then(() => machine.debugOutcome()),
    stop: () => server.close(),
  };
}
