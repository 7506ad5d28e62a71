import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { asTyped, command } from '../../command.js';
import { isTerrariumError } from '../../errors.js';
import { printableText } from '../../symbols/index.js';
import { ExitStatus } from '../frontend/exit-status.js';
import { type StandardOutput, say, standardError, standardOutput } from '../frontend/standard-output.js';
import { styleFor } from '../frontend/style.js';
import { joinFiles } from '../frontend/trace-format.js';
import { refuseEmptyNames } from './empty-names.js';
import { fromQemu } from './qemu-words.js';

/** The commands; each is made when it is needed: a guest should not wait for code that it does not need. */
export type Commands = Readonly<Record<string, () => Promise<Command>>>;

const examples = `
Examples:
  $ terrarium run guests/hello                 a guest that says hello
  $ terrarium run kernel.S --trace             assemble, run, and show every exit
  $ terrarium debug kernel.S                   step through it: registers, memory, console, screen
  $ terrarium run kernel.elf --timeout 2s --expect 'rax=42'
  $ terrarium new my-kernel                    a kernel of your own to begin with
  $ terrarium dap --install-vscode             debug kernels in VS Code
  $ terrarium course                           learn how machines work, in fourteen lessons
  $ terrarium grade exercise submissions       grade a class's submissions, safely
  $ terrarium run guests/hello --name web --detach    in a process of its own
  $ terrarium ps                               which machines run
  $ terrarium stat web                         the kernel's counters of it, live
  $ terrarium trace run.ndjson                 the summary of a run's trace
  $ terrarium verify                           the software CPU against KVM
  $ terrarium doctor                           can this host run guests?
`;

/** Runs one command line; sets the process's exit status. */
export async function runProgram(argv: readonly string[], known: Commands): Promise<void> {
  for (const output of [standardOutput, standardError]) endWithReader(output);
  // Not by commander's own option, so that no command is loaded for it.
  if (argv[2] === '-V' || argv[2] === '--version') {
    void standardOutput.write(`${version()}\n`);
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
    .exitOverride()
    .hook('preAction', (_, action) => refuseEmptyNames(action));
  for (const command of await commands(known, argv[2])) program.addCommand(command);
  inheritSettings(program);
  try {
    if (argv.length <= 2) program.help({ error: false });
    const [topic] = argv[2] === 'help' ? argv.slice(3) : [];
    if (topic !== undefined && !Object.hasOwn(known, topic))
      program.error(`unknown command '${topic}'`, { exitCode: ExitStatus.usage });
    const words = argv.map((word) => (word === '--gdb' ? '--gdb=1234' : word));
    await program.parseAsync(argv[2] === 'run' ? joinFiles(inOurs(words)) : argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** The arguments of `run`, with QEMU's options translated. */
function inOurs(argv: readonly string[]): string[] {
  const { words, note } = fromQemu(argv.slice(3));
  if (note !== undefined && !words.includes('--quiet')) say(`${printableText(note)}\n`);
  return [...argv.slice(0, 3), ...words];
}

/**
 * Ends the process when the reader of a stream has closed it (`| head -1`), as SIGPIPE ends others, and when its disk is full. A command
 * that has more to do then adds its own listener.
 */
function endWithReader(output: StandardOutput): void {
  output.onError(({ code }) => {
    if (output.watched) return;
    if (code === 'EPIPE' || output === standardError) process.exit(ExitStatus.abandoned);
    say(`terrarium: stdout cannot be written: ${code}\n`);
    process.exit(ExitStatus.engine);
  });
}

/** Passes a command's handling of errors and help on to its subcommands; each points to its own help. */
function inheritSettings(above: Command, words = above.name()): void {
  above.showHelpAfterError(`  see: ${words} --help`);
  for (const below of above.commands) {
    below.copyInheritedSettings(above).helpOption('-h, --help', 'show help');
    inheritSettings(below, `${words} ${below.name()}`);
  }
}

/** The command that was named; all of them for help, and for an unknown name. */
function commands(known: Commands, name: string | undefined): Promise<Command[]> {
  const wanted = name !== undefined && Object.hasOwn(known, name) ? [known[name]!] : Object.values(known);
  return Promise.all(wanted.map((load) => load()));
}

/** Prints what went wrong and gives the exit status for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitStatus.ok : ExitStatus.usage;
  const style = styleFor(standardError);
  if (isTerrariumError(error)) {
    say(`${style.red('terrarium:')} ${printableText(error.message)}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${printableText(error.hint)}\n`);
    return hostErrors.has(error.name) || hostErrors.has(error.code) ? ExitStatus.engine : ExitStatus.usage;
  }
  say(`${style.red('terrarium:')} ${error instanceof Error ? error.stack : String(error)}\n`);
  return ExitStatus.engine;
}

/** Errors of the host rather than of the caller, by name or code: they may come from a machine's thread. */
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
