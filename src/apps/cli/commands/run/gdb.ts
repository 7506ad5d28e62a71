import path from 'node:path';
import { command } from '../../../../command.js';
import { type DebugAddress, serveGdb } from '../../../../debug/listen/index.js';
import { ConfigError } from '../../../../errors.js';
import { kernelNames } from '../../../../inspect/index.js';
import type { HostedMachine, HostedOutcome, LoadedImage } from '../../../../runtime/index.js';
import { SymbolTable } from '../../../../symbols/index.js';
import { quoted } from '../../../frontend/quoted.js';

/** A run under gdb's control. */
export interface GdbRun {
  /** The outcome of the machine. */
  outcome: Promise<HostedOutcome>;
  stop(): Promise<void>;
}

/** Refuses options that cannot be used with a debugger. */
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
    if (given !== undefined) throw new ConfigError(`${name} cannot be used with --gdb`, hint);
}

/** Waits for gdb, and says how to connect it. */
export async function openGdb(
  machine: HostedMachine,
  address: DebugAddress,
  loaded: LoadedImage,
): Promise<GdbRun> {
  const server = await serveGdb(machine.debugTarget(), address, {
    symbols: () =>
      new SymbolTable(
        loaded.symbols?.() ?? loaded.image,
        kernelNames(() => machine.memory),
      ),
  });
  const open =
    'port' in address ? ' (any user of this computer can; --gdb=PATH is a socket that only you can use)' : '';
  const { file, hint } = symbolFile(loaded);
  const gdb = file === undefined ? 'gdb' : `gdb ${quoted(file)}`;
  process.stderr.write(
    `terrarium: waiting for gdb: ${gdb} -ex 'target remote ${server.where}'${open}\n${hint === undefined ? '' : `  ${hint}\n`}`,
  );
  return {
    outcome: server.done.then(() => server.close()).then(() => machine.debugOutcome()),
    stop: () => server.close(),
  };
}

/** The ELF file that gdb has its symbols from, or how to get one. */
function symbolFile({ image, file, sources, symbols, spec }: LoadedImage): { file?: string; hint?: string } {
  const isElf = image.format !== 'flat';
  const named = image.sections?.some(({ name }) => name === '.symtab') === true;
  if (isElf && named && sources.length === 0) return { file };
  if (sources.length > 0 || symbols !== undefined) {
    const { mode = 'auto' } = spec;
    const from = sources.length > 0 ? sources : [path.dirname(file)];
    const output = isElf ? 'kernel.elf' : 'kernel.bin --symbols kernel.elf';
    const asMode = mode === 'auto' || sources.length === 0 ? '' : ` --mode ${mode}`;
    const built = command(`build ${from.map(quoted).join(' ')}${asMode} -o ${output}`);
    return { hint: `for symbols and lines: ${built}, then: gdb kernel.elf …` };
  }
  return isElf
    ? { file, hint: `${file} has no symbols: compile it with -g, and link it without -s` }
    : { hint: 'a flat image has no symbols: give gdb the ELF file that it was made from (gdb kernel.elf …)' };
}
