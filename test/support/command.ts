/**
 * `terrarium …` without a process's start, which takes ten times as long as most commands: a process beside the test
 * runs one command after another (test/support/command-server.ts). The results are the same, and `terrariumProcess` in
 * test/support.ts is for tests whose subject is the process.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandAnswer, CommandRequest } from './command-server.js';

/** A command's end, as `spawnSync` returns it; the status is null where a signal ended it, as for one that hangs. */
export interface EndedCommand {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input: string | Buffer;
  cwd: string;
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
}

/** A process that runs commands, and this side's ends of its descriptors. */
class CommandServer {
  readonly #requests: number;
  readonly #answers: number;
  readonly #stdout: number;
  readonly #stderr: number;
  /** The environment at its start: its idle threads have that one. */
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
    const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-commands-'));
    const file = (name: string) => path.join(folder, name);
    // They are unlinked: only processes that have them open can use them.
    try {
      spawnSync('mkfifo', [file('requests'), file('answers')]);
      const [requests, ownRequests] = openPipe(file('requests'));
      const [ownAnswers, answers] = openPipe(file('answers'));
      [this.#requests, this.#answers] = [ownRequests, ownAnswers];
      [this.#stdout, this.#stderr] = ['stdout', 'stderr'].map((name) => openSync(file(name), 'a+')) as [
        number,
        number,
      ];
      const child = spawn(process.execPath, [path.resolve('build/test/support/command-server.js')], {
        env,
        stdio: ['ignore', this.#stdout, this.#stderr, requests, answers],
      });
      child.unref();
      closeSync(requests);
      closeSync(answers);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Whether it can run commands with this environment. */
  suits(env: NodeJS.ProcessEnv): boolean {
    // The folder of named machines is looked up each time, by the main thread.
    const names = new Set([...Object.keys(env), ...Object.keys(this.#env)]);
    names.delete('XDG_RUNTIME_DIR');
    return [...names].every((name) => env[name] === this.#env[name]);
  }

  /** @returns undefined where it has ended during the command: then the status is unknown */
  run(request: CommandRequest): CommandAnswer | undefined {
    for (const file of [this.#stdout, this.#stderr]) ftruncateSync(file);
    writeSync(this.#requests, `${JSON.stringify(request)}\n`);
    const answer = this.#line();
    // When a process has ended, all its output is in the files.
    if (answer?.last) while (this.#line() !== undefined);
    return answer;
  }

  #line(): CommandAnswer | undefined {
    const buffer = Buffer.alloc(4096);
    const length = readSync(this.#answers, buffer, 0, buffer.length, null);
    return length === 0 ? undefined : (JSON.parse(buffer.toString('utf8', 0, length)) as CommandAnswer);
  }

  /** The last command's output, in latin1, so that every byte is kept. */
  said(): { stdout: string; stderr: string } {
    return { stdout: textOf(this.#stdout), stderr: textOf(this.#stderr) };
  }

  close(): void {
    for (const file of [this.#requests, this.#answers, this.#stdout, this.#stderr]) closeSync(file);
  }
}

/** Both ends of a named pipe in blocking mode: opening one waits for the other, except with O_NONBLOCK. */
function openPipe(file: string): [read: number, write: number] {
  const first = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const write = openSync(file, constants.O_WRONLY);
  const read = openSync(file, constants.O_RDONLY);
  closeSync(first);
  return [read, write];
}

function textOf(file: number): string {
  const buffer = Buffer.alloc(fstatSync(file).size);
  let length = 0;
  while (length < buffer.length) length += readSync(file, buffer, length, buffer.length - length, length);
  return buffer.toString('latin1');
}

let server: CommandServer | undefined;

/** Runs a command to its end. */
export function runCommand(args: readonly string[], options: CommandOptions): EndedCommand {
  const { input, cwd, env, timeoutMs } = options;
  if (server !== undefined && !server.suits(env)) endServer();
  server ??= new CommandServer(env);
  const folder = input.length > 0 ? mkdtempSync(path.join(tmpdir(), 'terrarium-input-')) : undefined;
  const stdin = folder === undefined ? '/dev/null' : path.join(folder, 'stdin');
  if (folder !== undefined) writeFileSync(stdin, input);
  try {
    const answer = server.run({ args, cwd, env, stdin, seconds: Math.ceil(timeoutMs / 1000) });
    const said = server.said();
    if (answer === undefined || answer.last) endServer();
    return { status: answer?.status ?? null, ...said };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

function endServer(): void {
  server?.close();
  server = undefined;
}
