import path from 'node:path';
import { TerrariumError } from '../errors.js';
import { openRuntimeDirectory, type RuntimeDirectory } from '../runtime/index.js';
import { type ConsoleEvents, type ControlClient, openConnection, within } from './client.js';
import { CONSOLE_LOG, MESSAGES, readLog } from './kept-log.js';
import { holderOf, noMachine } from './list.js';
import { checkName } from './names.js';
import { type HolderId, isAlive, processStat } from './processes.js';
import type { MachineEnd, MachineStatus } from './protocol.js';
import { readRecord } from './record.js';

/** How long a machine may take for its greeting: milliseconds. */
const GREETING_MS = 5000;

/** How long a machine may take to stop before its process is killed, by default: milliseconds. */
export const STOP_GRACE_MS = 5000;

/** A connection to a console. */
export interface AttachedConsole extends Disposable {
  /** Types on the guest's serial port; resolves when the guest's port has taken all of it. One call at a time. */
  send(bytes: Uint8Array): Promise<void>;
  /** Resolves when the guest has ended and all its output was received, or, with undefined, when the connection has ended. */
  readonly ended: Promise<MachineEnd | undefined>;
}

export interface AttachOptions extends ConsoleEvents {
  /** How many bytes of earlier output to send first; default 0, at most `CONSOLE_KEPT`. */
  replay?: number;
}

/** The resources that a machine has used so far. */
export interface MachineUse {
  readonly exits: number;
  readonly coalesced: number;
  readonly printed: number;
  readonly uptimeMs: number;
  /** CPU time of its process: milliseconds. */
  readonly cpuMs: number;
}

/**
 * Connects to the machine of that name.
 *
 * ```ts
 * using machine = await connectMachine('web');
 * using console = await machine.attach({ replay: 4096, onOutput: (bytes) => process.stdout.write(bytes) });
 * await console.send(Buffer.from('help\n'));
 * await machine.stop();
 * ```
 * @throws TerrariumError ENOMACHINE where none of that name runs; EGONE, ESILENT where its process does not answer
 */
export async function connectMachine(
  name: string,
  directory: RuntimeDirectory = openRuntimeDirectory(),
): Promise<MachineConnection> {
  const id = holderOf(directory, name);
  if (id === undefined) throw noMachine(directory, name);
  const socket = path.join(directory.sockets, id.text);
  return new MachineConnection(name, id, socket, await openConnection(socket, GREETING_MS));
}

/** A machine that runs in another process; made by `connectMachine`. */
export class MachineConnection implements Disposable {
  readonly name: string;
  readonly pid: number;
  readonly #id: HolderId;
  readonly #socket: string;
  readonly #client: ControlClient;
  readonly #consoles = new Set<ControlClient>();

  /** @internal */
  constructor(name: string, id: HolderId, socket: string, client: ControlClient) {
    this.name = name;
    this.pid = id.pid;
    this.#id = id;
    this.#socket = socket;
    this.#client = client;
  }

  /** Its description and state. */
  state(): Promise<MachineStatus> {
    return this.#client.status();
  }

  /**
   * The resources it has used so far.
   * @throws TerrariumError ESILENT where it does not answer within `limitMs`; default: no limit
   */
  async stats(limitMs?: number): Promise<MachineUse> {
    const { exits, coalesced, printed, startedAt } = await this.#client.status(limitMs);
    const cpuMs = processStat(this.pid)?.cpuMs ?? 0;
    return { exits, coalesced, printed, uptimeMs: Date.now() - startedAt, cpuMs };
  }

  /** Shows its console, over its own connection: a slow reader does not delay anything else. */
  async attach({ replay = 0, ...events }: AttachOptions): Promise<AttachedConsole> {
    const client = await openConnection(this.#socket, GREETING_MS);
    this.#consoles.add(client);
    void client.ended.then(() => this.#consoles.delete(client));
    await client.attach(replay, events);
    return {
      ended: client.ended,
      send: (bytes) => client.send(bytes),
      [Symbol.dispose]: () => client[Symbol.dispose](),
    };
  }

  /**
   * Writes a snapshot of the machine, which goes on, to a file: `terrarium run --from FILE` continues from it. Only a machine of
   * `terrarium run --name` can.
   * @throws TerrariumError `ESTATE` for a machine whose state cannot be saved; `ETERRA` where the file cannot be written
   */
  snapshot(file: string): Promise<{ bytes: number }> {
    return this.#client.snapshot(path.resolve(file));
  }

  /**
   * Stops the guest and waits until its process has ended; kills it after `graceMs`.
   * @returns true where it had to be killed
   */
  stop(graceMs: number = STOP_GRACE_MS): Promise<boolean> {
    return stopProcess(this.#id, graceMs, this.#client.stop());
  }

  /**
   * Presses its power button: a guest that listens to it switches its machine off.
   * @throws TerrariumError ENOBUTTON where it has none
   */
  pressPowerButton(): Promise<void> {
    return this.#client.pressPowerButton();
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
    for (const client of this.#consoles) client[Symbol.dispose]();
  }
}

/**
 * Stops the machine of that name, even if it does not answer; see `MachineConnection.stop`.
 * @returns true where it had to be killed
 */
export async function stopMachine(
  name: string,
  graceMs: number = STOP_GRACE_MS,
  directory: RuntimeDirectory = openRuntimeDirectory(),
): Promise<boolean> {
  const id = holderOf(directory, name);
  if (id === undefined) throw noMachine(directory, name);
  const asked = openConnection(path.join(directory.sockets, id.text), graceMs).then(async (client) => {
    using connection = client;
    await connection.stop();
  });
  return stopProcess(id, graceMs, asked);
}

/**
 * Presses the power button of the machine of that name, and waits at most `graceMs` for its process to end: a guest that does not
 * listen to the button goes on.
 * @returns true where it has ended
 * @throws TerrariumError ENOMACHINE, ENOBUTTON, and ESILENT where it does not answer
 */
export async function powerOffMachine(
  name: string,
  graceMs: number = STOP_GRACE_MS,
  directory: RuntimeDirectory = openRuntimeDirectory(),
): Promise<boolean> {
  const id = holderOf(directory, name);
  if (id === undefined) throw noMachine(directory, name);
  using client = await openConnection(path.join(directory.sockets, id.text), GREETING_MS);
  await within(GREETING_MS, client.pressPowerButton());
  const limit = performance.now() + graceMs;
  while (isAlive(id) && performance.now() < limit) await pause(5);
  return !isAlive(id);
}

/** Waits for the process to end, and kills it where that takes too long. */
async function stopProcess(id: HolderId, graceMs: number, asked: Promise<void>): Promise<boolean> {
  const limit = performance.now() + graceMs;
  // A process that does not listen yet gets the signal; one that is ending may not answer any more.
  await within(Math.max(1, graceMs), asked).catch(() => isAlive(id) && process.kill(id.pid, 'SIGTERM'));
  while (isAlive(id) && performance.now() < limit) await pause(5);
  if (!isAlive(id)) return false;
  process.kill(id.pid, 'SIGKILL');
  // The kernel frees the machine's resources before the process has ended.
  for (let waited = 0; isAlive(id); waited += 5) {
    if (waited > KILL_LIMIT_MS) {
      throw new TerrariumError('ESTUCK', `process ${id.pid} does not end, even by SIGKILL`, {
        hint: 'it waits in the kernel; dmesg may show for what',
      });
    }
    await pause(5);
  }
  return true;
}

const KILL_LIMIT_MS = 5000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The stored console output, at most the last `CONSOLE_KEPT` bytes, of a machine that runs or has ended.
 * @throws TerrariumError ENOMACHINE where there was none
 */
export function readConsole(name: string, directory: RuntimeDirectory = openRuntimeDirectory()): Uint8Array {
  return readLog(recorded(name, directory), CONSOLE_LOG);
}

/**
 * The messages of a detached machine's process on stderr: how its guest ended, failed expectations.
 * @throws TerrariumError ENOMACHINE where there was none
 */
export function readMessages(name: string, directory: RuntimeDirectory = openRuntimeDirectory()): string {
  return readLog(recorded(name, directory), MESSAGES).toString('utf8');
}

/** The folder of a machine that runs or has ended. */
function recorded(name: string, directory: RuntimeDirectory): string {
  const folder = path.join(directory.machines, checkName(name));
  if (readRecord(folder) === undefined) throw noMachine(directory, name);
  return folder;
}
