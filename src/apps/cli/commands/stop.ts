import { Command, Option } from 'commander';
import { asTyped } from '../../../command.js';
import { ConfigError, isTerrariumError, TerrariumError } from '../../../errors.js';
import { listMachines, powerOffMachine, STOP_GRACE_MS, stopMachine } from '../../../manage/index.js';
import { parseDuration } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium stop web                the guest is stopped, and its process ends
  $ terrarium stop web db --grace 1s  a process that has not ended after a second is killed
  $ terrarium stop web --powerbutton  a kernel with ACPI switches the machine off by itself
  $ terrarium stop --all
`;

export function stopCommand(): Command {
  return new Command('stop')
    .description('Stops machines by name, and returns when their processes have ended.')
    .argument('[names...]')
    .option('-a, --all', 'all that run')
    .option('--powerbutton', 'press the power button, and let the guest switch the machine off')
    .addOption(
      new Option('--grace <duration>', 'kill a process that takes longer to end')
        .argParser(parseDuration)
        .default(STOP_GRACE_MS, `${STOP_GRACE_MS / 1000}s`),
    )
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(stop);
}

interface StopFlags {
  all?: true;
  grace: number;
  powerbutton?: true;
}

async function stop(given: string[], { all, grace, powerbutton }: StopFlags): Promise<void> {
  requireNames(given, all);
  const names = all ? (await listMachines()).map(({ name }) => name) : given;
  if (powerbutton) return switchOff(names, grace);
  const killed = await forEach(names, (name) => {
    const stopped = stopMachine(name, grace);
    // With --all, a machine that ended in the meantime counts as stopped.
    return all ? stopped.catch(unlessGone) : stopped;
  });
  for (const [i, name] of names.entries()) {
    if (killed[i]) process.stderr.write(`terrarium: ${name} did not end within ${grace} ms and was killed\n`);
  }
}

/** A guest that does not listen goes on: nothing is killed. */
async function switchOff(names: readonly string[], grace: number): Promise<void> {
  const ended = await forEach(names, (name) => powerOffMachine(name, grace));
  const running = names.filter((_, i) => !ended[i]);
  for (const name of running)
    process.stderr.write(
      `terrarium: ${name} still runs ${grace} ms after its power button was pressed: its kernel ignores it, or needs longer (--grace); without --powerbutton it is stopped\n`,
    );
  if (running.length > 0) process.exitCode = 1;
}

function unlessGone(error: unknown): boolean {
  if (isTerrariumError(error) && error.code === 'ENOMACHINE') return false;
  throw error;
}

/** Either names, or `--all`. @throws ConfigError */
export function requireNames(given: readonly string[], all: boolean | undefined): void {
  if (given.length === 0 && !all) throw new ConfigError('which machine?', 'name one, or use --all');
  if (given.length > 0 && all)
    throw new ConfigError(`${given.join(' ')}, or all?`, 'omit the names, or --all');
}

/**
 * Does the same for each name, all at the same time, even where it fails for some. @throws the only error, or one that contains all
 */
export async function forEach<T>(names: readonly string[], act: (name: string) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(names.map(act));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    const { code, hint } = errors[0] as TerrariumError;
    const text = errors.map((error) => (error as Error).message).join('; ');
    throw new TerrariumError(code ?? 'EINTERNAL', text, hint === undefined ? {} : { hint });
  }
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
