/**
 * Runs commands one after another in one process, for test/support/command.ts: a start takes ten times as long as most
 * commands. Each command sees its own arguments, folder, environment and stdin; stdout and stderr are files that its
 * reader empties; and it ends as a process does, when it has nothing more to wait for.
 *
 * A request is a line of JSON at descriptor 3, an answer one at descriptor 4.
 */
import { closeSync, createReadStream, openSync, type ReadStream, readSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import koffi from 'koffi';

export interface CommandRequest {
  args: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The file that is stdin. */
  stdin: string;
  /** A command that has not ended after this time ends this process. */
  seconds: number;
}

export interface CommandAnswer {
  status: number;
  /** This process ends with the command. */
  last: boolean;
}

const [REQUESTS, ANSWERS] = [3, 4];
const NEWLINE = 0x0a;

/** alarm(2): its signal ends the process, also one in an endless loop. */
const alarm = koffi.load(null).func('unsigned int alarm(unsigned int)') as (seconds: number) => void;

const root = path.resolve('.');
const require = createRequire(path.join(root, 'dist/cli.cjs'));

/** The bundle that src/apps/cli/main.ts loads for a command. */
function mainOf(command: string | undefined): (argv: readonly string[]) => Promise<void> {
  return require(command === 'run' ? './run.cjs' : './program.cjs').main;
}

let stdin: ReadStream | undefined;
Object.defineProperty(process, 'stdin', {
  configurable: true,
  // A module as Node loads it from a file.
  get: () => (stdin ??= createReadStream('', { fd: 0, autoClose: false })),
});

// Modules add their listeners once, commands each time.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

/** A command has begun, and has no answer yet. */
let runs = false;

process.on('beforeExit', () => {
  if (runs) answer({ status: Number(process.exitCode ?? 0), last: false });
  forget();
  const request = nextRequest();
  if (request !== undefined) begin(request);
});
process.on('exit', (status) => {
  if (runs) answer({ status, last: true });
});

function begin({ args, cwd, env, stdin: file, seconds }: CommandRequest): void {
  runs = true;
  alarm(seconds);
  process.argv = [process.execPath, path.join(root, 'dist/cli.cjs'), ...args];
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  // It gets the lowest number that is free: 0.
  closeSync(0);
  openSync(file, 'r');
  void mainOf(args[0])(process.argv);
  // A command may also end at once.
  setImmediate(() => {});
}

function answer(given: CommandAnswer): void {
  runs = false;
  alarm(0);
  writeSync(ANSWERS, `${JSON.stringify(given)}\n`);
}

/** Waits without the event loop, which would have nothing to do. Undefined where there is no more input. */
function nextRequest(): CommandRequest | undefined {
  const parts: Buffer[] = [];
  const buffer = Buffer.alloc(64 * 1024);
  for (;;) {
    const length = readSync(REQUESTS, buffer, 0, buffer.length, null);
    if (length === 0) return undefined;
    parts.push(Buffer.from(buffer.subarray(0, length)));
    if (buffer[length - 1] === NEWLINE) return JSON.parse(Buffer.concat(parts).toString()) as CommandRequest;
  }
}

/** Undoes a command's changes of the process. */
function forget(): void {
  process.exitCode = undefined;
  stdin?.destroy();
  stdin = undefined;
  for (const name of process.eventNames())
    if (String(name).startsWith('SIG')) process.removeAllListeners(name);
}
