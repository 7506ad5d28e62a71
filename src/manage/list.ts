import { rmSync } from 'node:fs';
import path from 'node:path';
import { command } from '../command.js';
import { TerrariumError } from '../errors.js';
import { openRuntimeDirectory, type RuntimeDirectory, STARTING } from '../runtime/index.js';
import { Claim, emptyFolder, holdersOf, list, removeIfEmpty } from './claim.js';
import { openConnection } from './client.js';
import { checkName } from './names.js';
import { isAlive, parseHolderId, processStat } from './processes.js';
import type { MachineEnd } from './protocol.js';
import { type MachineRecord, readRecord } from './record.js';

/** How many ended machines are remembered, the newest ones; each takes up to 1 MiB for its console. */
const REMEMBERED = 32;

/** How long a machine may take to answer a status request: milliseconds. */
const ANSWER_MS = 1000;

/** The public information about a named machine. */
export interface MachineInfo {
  readonly name: string;
  readonly pid: number;
  readonly image: string;
  /** Undefined while it is being started. */
  readonly engine?: string;
  /** `unresponsive`: its process lives but does not answer, since it is suspended or very busy. */
  readonly state: 'starting' | 'running' | 'unresponsive' | 'ended';
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds from its start to now or its end. */
  readonly uptimeMs: number;
  /** Undefined where it did not answer. */
  readonly exits?: number;
  /** CPU time of its process: milliseconds. Undefined where it has ended. */
  readonly cpuMs?: number;
  readonly end?: MachineEnd;
}

export interface ListOptions {
  /** Also those that have ended. */
  all?: boolean;
  directory?: RuntimeDirectory;
}

/** This user's named machines, by name. */
export async function listMachines(options: ListOptions = {}): Promise<MachineInfo[]> {
  const directory = options.directory ?? openRuntimeDirectory();
  await tidy(directory);
  const found = await Promise.all(list(directory.machines).map((name) => inspect(directory, name)));
  return found
    .filter((info) => info !== undefined)
    .filter(({ state }) => options.all === true || state !== 'ended')
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The process that runs the machine of that name.
 * @throws TerrariumError ENOMACHINE where none runs
 */
export function pidOf(name: string, directory: RuntimeDirectory = openRuntimeDirectory()): number {
  const holder = holderOf(directory, name);
  if (holder === undefined) throw noMachine(directory, name);
  return holder.pid;
}

/** The holder of a name, if there is one. */
export function holderOf(directory: RuntimeDirectory, name: string) {
  return holdersOf(path.join(directory.machines, checkName(name))).find(({ held }) => held)?.id;
}

/** The error for a machine that does not run; it names those that do. */
export function noMachine(directory: RuntimeDirectory, name: string): TerrariumError {
  const running = list(directory.machines).filter((other) => holderOf(directory, other) !== undefined);
  const ended = readRecord(path.join(directory.machines, name)) !== undefined;
  return new TerrariumError('ENOMACHINE', `no machine called '${name}' runs${ended ? ' any more' : ''}`, {
    hint:
      running.length === 0
        ? `no named machine runs; start one: ${command('run IMAGE --name NAME --detach')}`
        : `these do: ${running.sort().join(', ')}`,
  });
}

/**
 * Removes an ended machine: its record, console and messages.
 * @throws TerrariumError ENAME where it runs, ENOMACHINE where there is none
 */
export async function removeMachine(
  name: string,
  directory: RuntimeDirectory = openRuntimeDirectory(),
): Promise<void> {
  if (!list(directory.machines).includes(checkName(name))) throw noMachine(directory, name);
  using claim = await Claim.take(directory, name);
  emptyFolder(claim.folder);
}

/** Removes the files of dead processes: sockets, claims, failed starts, and the oldest of the ended machines. */
export async function tidy(directory: RuntimeDirectory): Promise<void> {
  for (const socket of list(directory.sockets)) {
    const id = parseHolderId(socket);
    if (id === undefined || !isAlive(id)) rmSync(path.join(directory.sockets, socket), { force: true });
  }
  for (const file of list(directory.path)) {
    const starter = file.startsWith(STARTING) ? parseHolderId(file.slice(STARTING.length)) : undefined;
    if (starter !== undefined && !isAlive(starter)) rmSync(path.join(directory.path, file), { force: true });
  }
  const ended: { name: string; at: number }[] = [];
  for (const name of list(directory.machines)) {
    const folder = path.join(directory.machines, name);
    if (holdersOf(folder).length > 0) continue;
    const record = readRecord(folder);
    if (record === undefined) removeIfEmpty(folder);
    else ended.push({ name, at: endOf(record).endedAt });
  }
  for (const { name } of ended.sort((a, b) => b.at - a.at).slice(REMEMBERED)) {
    // Unless a process starts it again at this moment.
    await removeMachine(name, directory).catch(() => {});
  }
}

async function inspect(directory: RuntimeDirectory, name: string): Promise<MachineInfo | undefined> {
  const folder = path.join(directory.machines, name);
  const holders = holdersOf(folder);
  const record = readRecord(folder);
  if (record === undefined) return undefined;
  const { pid, image, engine, startedAt } = record;
  const known = { name, pid, image, startedAt, ...(engine !== undefined && { engine }) };
  if (!holders.some(({ id }) => id.text === record.id)) {
    const end = endOf(record);
    return { ...known, state: 'ended', uptimeMs: end.endedAt - startedAt, exits: end.exits, end };
  }
  const cpuMs = processStat(pid)?.cpuMs;
  const live = { ...known, uptimeMs: Date.now() - startedAt, ...(cpuMs !== undefined && { cpuMs }) };
  try {
    using connection = await openConnection(path.join(directory.sockets, record.id), ANSWER_MS);
    const { exits, engine } = await connection.status(ANSWER_MS);
    return { ...live, state: 'running', engine, exits };
  } catch {
    return { ...live, state: engine === undefined ? 'starting' : 'unresponsive' };
  }
}

/** How a machine ended whose process has gone: from its record, or, without one, that it was killed. */
export function endOf({ end, startedAt, pid }: MachineRecord): MachineEnd {
  if (end !== undefined) return end;
  const reason = `its process ${pid} ended without a record: it was killed, or the host restarted`;
  // As a shell reports SIGKILL. The time is not known.
  return { kind: 'killed', reason, exits: 0, elapsedMs: 0, status: 137, endedAt: startedAt };
}
