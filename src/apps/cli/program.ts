import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { asTyped, command } from '../../command.js';
import { TerrariumError } from '../../errors.js';
import { printableText } from '../../symbols/index.js';
import { ExitStatus } from '../frontend/exit-status.js';
import { styleFor } from '../frontend/style.js';
import { joinTraceFile } from '../frontend/trace-format.js';

const examples = `
Examples:
  $ terrarium run guests/hello                 a guest that says hello
  $ terrarium run kernel.S --trace             assemble, run, and show every exit
  $ terrarium debug kernel.S                   step through it: registers, memory, console, screen
  $ terrarium run kernel.elf --timeout 2s --expect 'rax=42'
  $ terrarium new my-kernel                    a kernel of your own to begin with
  $ terrarium dap --install-vscode             debug kernels in VS Code
  $ terrarium course                           learn how machines work, in twelve lessons
  $ terrarium run guests/hello --name web --detach    in a process of its own
  $ terrarium ps                               which machines run
  $ terrarium stat web                         what the kernel counts of it, live
  $ terrarium trace run.ndjson                 what a run's trace says as a whole
  $ terrarium verify                           the software CPU against KVM
  $ terrarium doctor                           can this host run guests?
`;

/** Runs one command line; sets the process's exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  endWithReader(process.stdout);
  endWithReader(process.stderr);
  // Not by commander's own option: this needs none of the commands.
  if (argv[2] === '-V' || argv[2] === '--version') {
    process.stdout.write(`${version()}\n`);
    return;
  }
  const program = new Command(command())
    .usage('<command> [options]')
    .description("A virtual machine monitor on Linux's KVM API, made so that you can see inside.")
    .option('-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .addHelpText('beforeAll', '')
    .addHelpText('before', asTyped(examples.trimStart()))
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(`terrarium: ${text.replace(/^error: /, '')}`) })
    .exitOverride();
  for (const command of await commands(argv[2])) program.addCommand(command);
  inheritSettings(program);
  try {
    if (argv.length <= 2) program.help({ error: false });
    const words = argv.map((word) => (word === '--gdb' ? '--gdb=1234' : word));
    await program.parseAsync(argv[2] === 'run' ? joinTraceFile(words) : argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/**
 * Ends the process where whoever read a stream has gone (`| head -1`), as SIGPIPE ends others. A command that has more to
 * do then listens as well, and sees to it.
 */
function endWithReader(stream: NodeJS.WriteStream): void {
  stream.on('error', () => {
    if (stream.listenerCount('error') === 1) process.exit(ExitStatus.abandoned);
  });
}

/** Hands a command's way with errors and help down to the commands below it; each points to a help of its own. */
function inheritSettings(above: Command, words = above.name()): void {
  above.showHelpAfterError(`  see: ${words} --help`);
  for (const below of above.commands) {
    below.copyInheritedSettings(above).helpOption('-h, --help', 'show help');
    inheritSettings(below, `${words} ${below.name()}`);
  }
}

/** Each command's file, loaded when it is wanted: a guest should not wait for code that it does not need. */
const loaders: Record<string, () => Promise<Command>> = {
  run: async () => (await import('./commands/run/run.js')).runCommand(),
  debug: async () => (await import('./commands/debug.js')).debugCommand(),
  build: async () => (await import('./commands/build.js')).buildCommand(),
  new: async () => (await import('./commands/new.js')).newCommand(),
  dap: async () => (await import('./commands/dap.js')).dapCommand(),
  course: async () => (await import('./commands/course.js')).courseCommand(),
  ps: async () => (await import('./commands/ps.js')).psCommand(),
  attach: async () => (await import('./commands/attach.js')).attachCommand(),
  logs: async () => (await import('./commands/logs.js')).logsCommand(),
  trace: async () => (await import('./commands/trace.js')).traceCommand(),
  stat: async () => (await import('./commands/stat.js')).statCommand(),
  stop: async () => (await import('./commands/stop.js')).stopCommand(),
  rm: async () => (await import('./commands/rm.js')).rmCommand(),
  bench: async () => (await import('./commands/bench/bench.js')).benchCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
};

/** The command that was named; all of them for help, and for a name that nobody has. */
function commands(name: string | undefined): Promise<Command[]> {
  const wanted =
    name !== undefined && Object.hasOwn(loaders, name) ? [loaders[name]!] : Object.values(loaders);
  return Promise.all(wanted.map((load) => load()));
}

/** Says what went wrong in words and gives the exit status for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  const style = styleFor(process.stderr);
  if (error instanceof TerrariumError) {
    process.stderr.write(`${style.red('terrarium:')} ${printableText(error.message)}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${printableText(error.hint)}\n`);
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
