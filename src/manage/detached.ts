import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  name as anyText,
  listOf,
  type MachineSpec,
  type OtherKeys,
  readFields,
  whole,
  wordsOf,
} from '../config/index.js';
import { ConfigError, TerrariumError } from '../errors.js';
import {
  openRuntimeDirectory,
  type PortableError,
  packError,
  STARTING,
  unpackError,
} from '../runtime/index.js';
import { checkName } from './names.js';
import { newHolderId } from './processes.js';
import { isObject } from './protocol.js';

/** How many bytes of a compiler's warnings the starter shows. */
const SHOWN_WARNINGS = 64 * 1024;

/** A machine for its own process: its description, and how to run it. All but the name and the image has a default. */
export interface DetachedOptions extends MachineSpec {
  name: string;
  /** A file: image, source or guest folder. */
  image: string;
  timeoutMs?: number;
  maxExits?: number;
  /** Further options of `terrarium run`, as they are typed: `['--report', 'end.json']`. */
  options?: readonly string[];
}

const keys: OtherKeys = {
  image: anyText,
  timeoutMs: whole(1),
  maxExits: whole(1),
  options: listOf(anyText, 'a list of texts'),
};

/** A machine that was started in its own process. */
export interface DetachedMachine {
  readonly name: string;
  readonly pid: number;
  /** The compiler's messages, if any. */
  readonly warnings: string;
}

/** The new process's message to its starter. */
type StartMessage = { ready: true } | { error: PortableError };

/**
 * Starts a machine in its own process, which continues when this one ends. Resolves when its guest runs.
 *
 * ```ts
 * await startDetached({ name: 'web', image: 'guests/hello' });
 * using machine = await connectMachine('web');
 * ```
 * @throws the error that `terrarium run` would end with, and ENAME where the name is taken
 */
export async function startDetached(options: DetachedOptions): Promise<DetachedMachine> {
  const { spec, others } = readFields(options, { place: 'startDetached: ', others: keys });
  const { image, timeoutMs, maxExits, options: more = [] } = others as Partial<DetachedOptions>;
  const { name } = spec;
  if (name === undefined || image === undefined)
    throw new ConfigError('startDetached: a machine has a "name" and an "image", a file');
  requireWords(spec);
  const words = [
    `--name=${name}`,
    ...wordsOf(spec),
    ...(timeoutMs === undefined ? [] : [`--timeout=${timeoutMs}ms`]),
    ...(maxExits === undefined ? [] : [`--max-exits=${maxExits}`]),
  ];
  return spawnDetached(name, [...words, ...more, '--', image]);
}

/** A process gets its machine as command line words, which cannot express all data. */
function requireWords({ devices = [], hypercalls, standardDevices }: MachineSpec): void {
  const hint = 'use a module that needs no options';
  if ([...devices, ...(hypercalls ? [hypercalls] : [])].some(({ options }) => options !== undefined))
    throw new ConfigError('startDetached: "options" of a module cannot be given to another process', hint);
  if (standardDevices === false)
    throw new ConfigError('startDetached: "standardDevices" is false, for which the command has no option');
}

/** Starts `terrarium run` with these words in its own process; resolves when its guest runs. */
export async function spawnDetached(name: string, words: readonly string[]): Promise<DetachedMachine> {
  checkName(name);
  const directory = openRuntimeDirectory();
  const messages = path.join(directory.path, STARTING + newHolderId().text);
  const fd = openSync(messages, 'wx+', 0o600);
  try {
    const args = [commandFile(), 'run', '--detached-child', messages, ...words];
    // A session of its own: no terminal's Ctrl-C or hang-up reaches it. stderr goes to the file, even after this process has ended.
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', fd, 'ipc'] });
    const message = await new Promise<StartMessage>((resolve, reject) => {
      child.once('error', reject);
      child.once('message', (said) => resolve(said as StartMessage));
      child.once('exit', (status, signal) => reject(diedEarly(signal ?? `status ${status}`, readFrom(fd))));
    });
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
    if (isObject(message) && 'error' in message) throw unpackError(message.error);
    return { name, pid: child.pid!, warnings: readFrom(fd) };
  } finally {
    closeSync(fd);
    // It was moved into the machine's folder, unless the start failed.
    rmSync(messages, { force: true });
  }
}

/** The new process's line to its starter. If the starter ends before the guest runs, the new process ends too. */
export class StartReporter {
  readonly #alone = () => process.exit(1);

  constructor() {
    process.once('disconnect', this.#alone);
  }

  ready(): void {
    this.#say({ ready: true });
  }

  failed(error: unknown): void {
    this.#say({ error: packError(error) });
  }

  #say(message: StartMessage): void {
    process.removeListener('disconnect', this.#alone);
    if (!process.connected) return;
    // The starter may have ended in the meantime.
    process.send?.(message, undefined, undefined, () => {
      if (process.connected) process.disconnect();
    });
  }
}

/** The file of the command `terrarium`, beside which this code is installed. */
function commandFile(): string {
  const file = fileURLToPath(import.meta.resolve('#package'));
  const { bin } = JSON.parse(readFileSync(file, 'utf8')) as { bin: { terrarium: string } };
  return path.join(path.dirname(file), bin.terrarium);
}

function readFrom(fd: number): string {
  const bytes = Buffer.alloc(SHOWN_WARNINGS);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
}

function diedEarly(how: string, said: string): TerrariumError {
  const words = said.trim() === '' ? '' : `: ${said.trim()}`;
  return new TerrariumError('ESTART', `the machine's process ended before its guest ran (${how})${words}`);
}
