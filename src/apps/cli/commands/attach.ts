import { Command, Option } from 'commander';
import { asTyped } from '../../../command.js';
import { size } from '../../../config/index.js';
import { type AttachedConsole, connectMachine, type MachineEnd } from '../../../manage/index.js';
import { ExitStatus } from '../../frontend/exit-status.js';
import { parseKey, RawTerminal, showKey } from '../../frontend/raw-terminal.js';
import { SAFE_OUTPUT, SafeOutput } from '../../frontend/safe-output.js';
import { asArgument } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium attach web              its console here, your keys there; Ctrl-] detaches
  $ terrarium attach web --detach-key ctrl-a --replay 64K
  $ echo help | terrarium attach web  sends it, shows the answer, and detaches half a second after the last byte
`;

const statuses = `
Exit status:
  0 detached; when the guest ends, the exit status of its run; 4 the connection broke.
`;

interface AttachFlags {
  detachKey: number | undefined;
  replay: number;
  safeOutput?: boolean;
}

/** When stdin is a pipe and has ended, the console must be quiet for this long before the command detaches: milliseconds. */
const QUIET_MS = 500;

/** Default of --replay: bytes of earlier console output that are shown first. */
const REPLAY = 4096;

export function attachCommand(): Command {
  return new Command('attach')
    .description(
      "Connects this terminal to a named machine's console and serial port. Several terminals can attach at once.",
    )
    .argument('<name>')
    .addOption(
      new Option('--detach-key <key>', 'the key that detaches: ctrl-a to ctrl-z, ctrl-], ctrl-^, none')
        .argParser(parseKey)
        .default(0x1d, 'ctrl-]'),
    )
    .addOption(
      new Option('--replay <size>', 'how much of the earlier console output is shown first')
        .argParser(asArgument(size.parse))
        .default(REPLAY, '4K'),
    )
    .option('--safe-output', `${SAFE_OUTPUT} (default: on a terminal)`)
    .addOption(new Option('--no-safe-output', 'let them through').hideHelp())
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(attach);
}

async function attach(name: string, { detachKey, replay, safeOutput }: AttachFlags): Promise<void> {
  using machine = await connectMachine(name);
  using terminal = new RawTerminal(process.stdin);
  if (terminal.raw) {
    const how = detachKey === undefined ? 'end this program to detach' : `${showKey(detachKey)} detaches`;
    process.stderr.write(`[${name}: ${how}]\r\n`);
  }
  let printed = 0;
  const safe = (safeOutput ?? process.stdout.isTTY) ? new SafeOutput() : undefined;
  using console = await machine.attach({
    replay,
    onOutput: (bytes) => {
      printed = performance.now();
      return new Promise<void>((resolve) =>
        process.stdout.write(safe?.take(bytes) ?? bytes, () => resolve()),
      );
    },
    onLost: (count) => {
      process.stderr.write(`\r\n[${name}: ${count} bytes are missing here]\r\n`);
    },
  });
  process.stdout.on('error', () => console[Symbol.dispose]());
  const detached = type(console, detachKey, () => printed);
  const end = await Promise.race([detached, console.ended.then((how) => ({ how }))]);
  terminal[Symbol.dispose]();
  process.exitCode = farewell(name, end);
}

/**
 * Sends typed bytes to the guest; resolves when the detach key is pressed, or when a pipe has ended and the guest has been quiet since.
 * @param printed when the guest printed last, by `performance.now()`
 */
function type(
  console: AttachedConsole,
  detachKey: number | undefined,
  printed: () => number,
): Promise<'detached'> {
  const { stdin } = process;
  return new Promise((resolve) => {
    let sending = Promise.resolve();
    stdin.on('end', () => {
      if (stdin.isTTY) return;
      void sending.then(() => {
        const sent = performance.now();
        const look = () => {
          const quiet = performance.now() - Math.max(sent, printed());
          if (quiet >= QUIET_MS) resolve('detached');
          else setTimeout(look, QUIET_MS - quiet);
        };
        look();
      });
    });
    stdin.on('data', (chunk: Buffer) => {
      // A pipe carries any byte; only a terminal has a detach key.
      const at = stdin.isTTY && detachKey !== undefined ? chunk.indexOf(detachKey) : -1;
      // One chunk at a time: while a guest does not read, no more is sent, and no buffer grows. The detach key must still work,
      // so the machine drops what is typed beyond that (EFULL).
      const sent = console.send(at < 0 ? chunk : chunk.subarray(0, at));
      if (at >= 0) {
        stdin.pause();
        resolve('detached');
      } else if (!stdin.isTTY) {
        stdin.pause();
        sending = sent.catch(() => {});
        void sending.then(() => stdin.resume());
        return;
      }
      sent.catch(() => {});
    });
    stdin.on('error', () => {});
  });
}

function farewell(name: string, end: 'detached' | { how: MachineEnd | undefined }): number {
  process.stdin.destroy();
  if (end === 'detached') {
    process.stderr.write(`\n[detached from ${name}]\n`);
    return ExitStatus.ok;
  }
  if (end.how === undefined) {
    process.stderr.write(`\n[${name} closed the connection]\n`);
    return ExitStatus.engine;
  }
  process.stderr.write(`\n[${name} ended: ${end.how.reason}]\n`);
  return end.how.status;
}
