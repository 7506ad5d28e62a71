import { Command, Option } from 'commander';
import { asTyped } from '../../../command.js';
import { isTerrariumError } from '../../../errors.js';
import { CONSOLE_KEPT, connectMachine, readConsole, readMessages } from '../../../manage/index.js';
import { SAFE_OUTPUT, SafeOutput } from '../../frontend/safe-output.js';
import { parseCount } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium logs web                its stored console output: the last 1 MiB
  $ terrarium logs web --lines 20 --follow
  $ terrarium logs web --messages     the messages of its process: how the guest ended, --stat, --expect
`;

interface LogFlags {
  follow?: true;
  lines?: number;
  messages?: true;
  safeOutput?: boolean;
}

export function logsCommand(): Command {
  return new Command('logs')
    .description("Shows a named machine's console, while it runs and after it has ended.")
    .argument('<name>')
    .option('-f, --follow', 'follow until the guest ends or Ctrl-C')
    .option('-n, --lines <n>', 'the last n lines only', parseCount)
    .option('--messages', 'the messages of a detached machine’s process instead of the console')
    .option('--safe-output', `${SAFE_OUTPUT} (default: on a terminal)`)
    .addOption(new Option('--no-safe-output', 'let them through').hideHelp())
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(logs);
}

async function logs(name: string, { follow, lines, messages, safeOutput }: LogFlags): Promise<void> {
  safe = (safeOutput ?? process.stdout.isTTY) ? new SafeOutput() : undefined;
  if (messages) {
    await write(Buffer.from(readMessages(name)));
    return;
  }
  if (follow && (await followed(name, lines))) return;
  const bytes = Buffer.from(readConsole(name));
  await write(lines === undefined ? bytes : lastLines(bytes, lines));
}

/** Shows the console until the guest ends; false where it does not run. */
async function followed(name: string, lines: number | undefined): Promise<boolean> {
  const machine = await connectMachine(name).catch((error: unknown) => {
    if (isTerrariumError(error) && error.code === 'ENOMACHINE') return undefined;
    throw error;
  });
  if (machine === undefined) return false;
  using connection = machine;
  // Earlier output comes first, cut to the requested number of lines; later output follows as it arrives.
  let before = (await connection.state()).printed;
  let held: Buffer | undefined = Buffer.alloc(0);
  const flush = async () => {
    if (held !== undefined) await write(lines === undefined ? held : lastLines(held, lines));
    held = undefined;
  };
  before = Math.min(before, CONSOLE_KEPT);
  using console = await connection.attach({
    replay: before,
    async onOutput(bytes) {
      if (held === undefined) return write(bytes);
      held = Buffer.concat([held, bytes]);
      if (held.length >= before) await flush();
    },
    onLost: (count) => {
      process.stderr.write(`terrarium: ${count} bytes of the console are missing here\n`);
    },
  });
  // The reader of stdout has closed it, as in `| head -1`.
  process.stdout.on('error', () => console[Symbol.dispose]());
  await console.ended;
  await flush();
  return true;
}

/** The last lines of a text; text after the last newline is one of them. */
export function lastLines(bytes: Buffer, count: number): Buffer {
  let at = bytes.length - 1;
  for (let left = count; left > 0 && at >= 0; left--) at = at === 0 ? -1 : bytes.lastIndexOf(10, at - 1);
  return bytes.subarray(at + 1);
}

let safe: SafeOutput | undefined;

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(safe?.take(bytes) ?? bytes, () => resolve()));
}
