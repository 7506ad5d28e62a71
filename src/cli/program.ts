import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { TerrariumError } from '../errors.js';
import { attachCommand } from './attach.js';
import { benchCommand } from './bench.js';
import { doctorCommand } from './doctor.js';
import { ExitStatus } from './exit-status.js';
import { logsCommand } from './logs.js';
import { psCommand } from './ps.js';
import { rmCommand } from './rm.js';
import { runCommand } from './run.js';
import { statCommand } from './stat.js';
import { stopCommand } from './stop.js';
import { styleFor } from './style.js';

const examples = `
Examples:
  $ terrarium run guests/hello                 a guest that says hello
  $ terrarium run kernel.S --trace             assemble, run, and show every exit
  $ terrarium run kernel.elf --timeout 2s --expect 'rax=42'
  $ terrarium run guests/hello --name web --detach    in a process of its own
  $ terrarium ps                               which machines run
  $ terrarium doctor                           can this host run guests?
`;

/** Runs one command line; sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('terrarium')
    .usage('<command> [options]')
    .description("A virtual machine monitor on Linux's KVM API, made so that you can see inside.")
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addHelpText('beforeAll', '')
    .addHelpText('before', examples.trimStart())
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(`terrarium: ${text.replace(/^error: /, '')}`) })
    .exitOverride();
  for (const command of commands()) {
    program.addCommand(command.copyInheritedSettings(program).helpOption('-h, --help', 'show help'));
  }
  try {
    if (argv.length <= 2) program.help({ error: false });
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function commands(): Command[] {
  return [
    runCommand(),
    psCommand(),
    attachCommand(),
    logsCommand(),
    statCommand(),
    stopCommand(),
    rmCommand(),
    benchCommand(),
    doctorCommand(),
  ];
}

/** Says what went wrong in words and gives the exit status for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  const style = styleFor(process.stderr);
  if (error instanceof TerrariumError) {
    process.stderr.write(`${style.red('terrarium:')} ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    return hostErrors.has(error.name) || hostErrors.has(error.code) ? ExitStatus.engine : ExitStatus.usage;
  }
  process.stderr.write(
    `${style.red('terrarium:')} ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return ExitStatus.engine;
}

/** Errors that are the host's rather than the caller's, by name or code: they may come from a machine's thread. */
const hostErrors = new Set([
  'KvmError',
  'KvmUnavailableError',
  'EngineLimit',
  'DeviceError',
  'ETHREAD',
  'ESTUCK',
  'ENOMEM',
  'ENOCOUNTERS',
  'EPERM',
  'ERUNTIME',
  'ESOCKET',
  'ESTART',
  'EGONE',
  'ESILENT',
]);

function version(): string {
  const file = fileURLToPath(import.meta.resolve('#package'));
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
