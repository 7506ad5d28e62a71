import { ConfigError } from '../../../../errors.js';
import {
  type PublishedMachine,
  publishMachine,
  type Snapshotter,
  StartReporter,
  spawnDetached,
} from '../../../../manage/index.js';
import type { HostedMachine, HostedOutcome } from '../../../../runtime/index.js';

/** The options of `run` that give a machine a name and a process of its own. */
export interface NameFlags {
  name?: string;
  detach?: true;
  /** Hidden: this is the process that `--detach` started, and this file takes its stderr. */
  detachedChild?: string;
  quiet?: true;
  trace?: string | true;
}

/** The part of a named run that serves the commands which find it by its name. */
export interface NamedMachine {
  print(bytes: Uint8Array): void;
  /** The run has begun: open the socket. */
  serve(machine: HostedMachine, snapshot: Snapshotter): Promise<void>;
  end(outcome: HostedOutcome, status: number): Promise<void>;
}

/** Carries out `terrarium run`: here, here under a name, or in a process of its own. */
export async function runNamed<Flags extends NameFlags>(
  files: readonly string[],
  flags: Flags,
  run: (files: readonly string[], flags: Flags, named?: NamedMachine) => Promise<void>,
): Promise<void> {
  const { name, detach, detachedChild: messages } = flags;
  if (detach && messages === undefined) return startInBackground(flags);
  if (name === undefined) return run(files, flags);
  const reporter = messages === undefined ? undefined : new StartReporter();
  try {
    await using published = await publishMachine({
      name,
      image: files.join(' '),
      ...(messages && { messages }),
    });
    if (reporter !== undefined) keepMessages(published);
    await run(files, flags, {
      print: (bytes) => published.print(bytes),
      async serve(machine, snapshot) {
        await published.serve(machine, snapshot);
        reporter?.ready();
      },
      end: (outcome, status) => published.end(outcome, status),
    });
  } catch (error) {
    reporter?.failed(error);
    throw error;
  }
}

/** From here on stderr goes into a log of bounded size: a guest may make its monitor print endlessly. */
function keepMessages(published: PublishedMachine): void {
  const write = (text: string | Uint8Array, ...rest: unknown[]): boolean => {
    published.tell(typeof text === 'string' ? Buffer.from(text) : text);
    const done = rest.find((argument) => typeof argument === 'function') as (() => void) | undefined;
    if (done !== undefined) process.nextTick(done);
    return true;
  };
  process.stderr.write = write as typeof process.stderr.write;
}

async function startInBackground({ name, trace, quiet }: NameFlags): Promise<void> {
  if (name === undefined) {
    throw new ConfigError('--detach needs a name, by which the machine can be found', 'add --name NAME');
  }
  if (trace === true || trace === '-') {
    throw new ConfigError('--trace needs a file with --detach', 'give it a file: --trace=FILE');
  }
  // The same arguments again, unchanged: the new process runs them as if they had been typed there.
  const words = process.argv.slice(process.argv.indexOf('run') + 1);
  const { pid, warnings } = await spawnDetached(name, words);
  if (warnings !== '') process.stderr.write(warnings);
  if (!quiet) process.stdout.write(`${name} runs as process ${pid}\n`);
}
