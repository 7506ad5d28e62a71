import { renameSync } from 'node:fs';
import path from 'node:path';
import type { HostedMachine, HostedOutcome } from '../runtime/index.js';
import { openRuntimeDirectory, type RuntimeDirectory } from '../runtime/index.js';
import { Claim, emptyFolder } from './claim.js';
import { ConsoleHistory } from './history.js';
import { CONSOLE_KEPT, CONSOLE_LOG, KeptLog, MESSAGES, MESSAGES_KEPT } from './kept-log.js';
import { tidy } from './list.js';
import type { MachineEnd, MachineStatus } from './protocol.js';
import { type MachineRecord, writeRecord } from './record.js';
import { ControlServer, type Snapshotter } from './server.js';

export interface PublishOptions {
  name: string;
  /** The name of the image, for `ps`. */
  image: string;
  /** The file with this process's messages; it is moved into the machine's folder. */
  messages?: string;
  directory?: RuntimeDirectory;
}

/**
 * A machine of this process that others can find by its name: its claim to the name, its record, its stored console, and its
 * control socket.
 *
 * ```ts
 * await using published = await publishMachine({ name: 'web', image: 'guests/hello' });
 * await using machine = await hostMachine(config);
 * machine.onOutput((bytes) => published.print(bytes));
 * const running = machine.run();
 * await published.serve(machine);
 * await published.end(await running, 0);
 * ```
 * @throws TerrariumError ENAME where the name is taken, ERUNTIME where there is no folder for machines
 */
export async function publishMachine(options: PublishOptions): Promise<PublishedMachine> {
  const directory = options.directory ?? openRuntimeDirectory();
  const claim = await Claim.take(directory, options.name);
  try {
    await tidy(directory);
    return new PublishedMachine(directory, claim, options);
  } catch (error) {
    claim[Symbol.dispose]();
    throw error;
  }
}

/** See `publishMachine`. */
export class PublishedMachine implements AsyncDisposable {
  readonly name: string;
  readonly #claim: Claim;
  readonly #socket: string;
  readonly #history = new ConsoleHistory(CONSOLE_KEPT);
  readonly #log: KeptLog;
  readonly #messages: KeptLog;
  #record: MachineRecord;
  #server: ControlServer | undefined;
  #machine: HostedMachine | undefined;

  /** @internal */
  constructor(directory: RuntimeDirectory, claim: Claim, { name, image, messages }: PublishOptions) {
    const { folder, id } = claim;
    this.name = name;
    this.#claim = claim;
    this.#socket = path.join(directory.sockets, id.text);
    emptyFolder(folder);
    if (messages !== undefined) renameSync(messages, path.join(folder, MESSAGES));
    this.#log = new KeptLog(folder, CONSOLE_LOG, CONSOLE_KEPT);
    this.#messages = new KeptLog(folder, MESSAGES, MESSAGES_KEPT);
    this.#record = { name, image, id: id.text, pid: process.pid, startedAt: Date.now() };
    writeRecord(folder, this.#record);
  }

  /** Adds console output of the guest. */
  print(bytes: Uint8Array): void {
    this.#history.write(bytes);
    this.#log.write(bytes);
    this.#server?.printed();
  }

  /** Adds messages of the process, which are not the guest's console. */
  tell(bytes: Uint8Array): void {
    this.#messages.write(bytes);
  }

  /**
   * Opens the control socket of a machine whose run has begun.
   * @param snapshot writes its state to a file; missing: it cannot be asked for
   */
  async serve(machine: HostedMachine, snapshot?: Snapshotter): Promise<void> {
    this.#machine = machine;
    this.#record = { ...this.#record, engine: machine.engine };
    writeRecord(this.#claim.folder, this.#record);
    const controlled = {
      status: () => this.#status(machine),
      stop: () => machine.stop(),
      pressPowerButton: () => machine.pressPowerButton(),
      send: (bytes: Uint8Array) => machine.send(bytes),
      ...(snapshot && { snapshot }),
    };
    const server = new ControlServer(this.#socket, controlled, this.#history);
    await server.listen();
    this.#server = server;
  }

  /** The guest has ended: writes the record, notifies the connections, and closes the socket. */
  async end(outcome: HostedOutcome, status: number): Promise<void> {
    const { kind, code, reason, exits, elapsedMs } = outcome;
    const said = code === undefined ? {} : { code };
    await this.#end({ kind, ...said, reason, exits, elapsedMs, status, endedAt: Date.now() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#record.end === undefined) {
      // It never ran: there is no record, and the starter gets the reason.
      if (this.#machine === undefined) emptyFolder(this.#claim.folder);
      else await this.#end(this.#failed(this.#machine));
    }
    this.#log[Symbol.dispose]();
    this.#messages[Symbol.dispose]();
    this.#claim[Symbol.dispose]();
  }

  async #end(end: MachineEnd): Promise<void> {
    this.#record = { ...this.#record, end };
    this.#log[Symbol.dispose]();
    writeRecord(this.#claim.folder, this.#record);
    // The name is free from here on; connections may take a moment longer.
    this.#claim[Symbol.dispose]();
    await this.#server?.close(end);
  }

  #failed(machine: HostedMachine): MachineEnd {
    const endedAt = Date.now();
    return {
      kind: 'failed',
      reason: 'the monitor failed: see its messages',
      exits: machine.progress.exits,
      elapsedMs: endedAt - this.#record.startedAt,
      status: 4,
      endedAt,
    };
  }

  #status(machine: HostedMachine): Omit<MachineStatus, 'attached' | 'printed'> {
    const { name, pid, image, startedAt, end } = this.#record;
    const state = end === undefined ? 'running' : 'ended';
    return { name, pid, image, engine: machine.engine, state, startedAt, ...machine.progress };
  }
}
