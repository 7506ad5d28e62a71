import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { command } from '../command.js';
import { TerrariumError } from '../errors.js';
import type { RuntimeDirectory } from '../runtime/index.js';
import { checkName } from './names.js';
import { type HolderId, isAlive, newHolderId, parseHolderId } from './processes.js';

/** How long a claimant waits for simultaneous claimants to withdraw: milliseconds. */
const CONTEST_LIMIT_MS = 2000;

const CLAIM = 'claim.';
const HELD = 'held.';

/** The holder of a name, or a claimant. */
export interface Holder {
  readonly id: HolderId;
  /** True for the holder; false for a claimant. */
  readonly held: boolean;
}

/**
 * The right to a name, held by at most one process at a time, and by none once that process has ended in any way.
 *
 * Node has no file locks, and a lock file of a dead owner cannot be taken over without a race: two processes that find it could
 * remove it one after the other, and the second would remove the first one's new file. So here no file changes its owner: a
 * claimant creates a file with a unique name (`claim.PID.START.BOOT.RANDOM`) and only then looks for others. A process that
 * sees no other has the name. Of two that overlap, the one that looks last sees the other, since each wrote before it looked;
 * so never two win. Where several claim at once, all but the one with the lowest id withdraw, and that one wins; so one always
 * wins. Dead claimants are recognised by their ids, and every process may remove their files at any time.
 */
export class Claim implements Disposable {
  readonly name: string;
  readonly id: HolderId;
  /** The machine's folder. */
  readonly folder: string;
  #released = false;

  private constructor(name: string, id: HolderId, folder: string) {
    this.name = name;
    this.id = id;
    this.folder = folder;
  }

  /** @throws TerrariumError ENAME where another process has the name. */
  static async take(directory: RuntimeDirectory, name: string): Promise<Claim> {
    const folder = path.join(directory.machines, checkName(name));
    const claim = new Claim(name, newHolderId(), folder);
    claim.#putDown(CLAIM);
    try {
      const limit = performance.now() + CONTEST_LIMIT_MS;
      for (;;) {
        const others = holdersOf(folder).filter(({ id }) => id.text !== claim.id.text);
        if (others.length === 0) break;
        const stronger = others.find(({ id, held }) => held || id.text < claim.id.text);
        if (stronger !== undefined || performance.now() > limit) throw taken(name, stronger ?? others[0]!);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      claim.#putDown(HELD);
      return claim;
    } catch (error) {
      claim[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#released) return;
    this.#released = true;
    for (const kind of [HELD, CLAIM]) rmSync(path.join(this.folder, kind + this.id.text), { force: true });
    removeIfEmpty(this.folder);
  }

  #putDown(kind: string): void {
    for (;;) {
      try {
        mkdirSync(this.folder, { recursive: true, mode: 0o700 });
        closeSync(openSync(path.join(this.folder, kind + this.id.text), 'wx', 0o600));
        return;
      } catch (error) {
        // The folder was empty for a moment, and another process removed it.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}

/** The holder and the claimants of a name. Removes the files of dead ones. */
export function holdersOf(folder: string): Holder[] {
  const files = list(folder);
  const alive: Holder[] = [];
  for (const file of files) {
    const id = file.startsWith(CLAIM) ? parseHolderId(file.slice(CLAIM.length)) : undefined;
    if (id === undefined) continue;
    if (isAlive(id)) alive.push({ id, held: existsSync(path.join(folder, HELD + id.text)) });
    else for (const kind of [HELD, CLAIM]) rmSync(path.join(folder, kind + id.text), { force: true });
  }
  return alive;
}

/** Removes a machine's files in its folder, but not the claims. Only for the holder of the name. */
export function emptyFolder(folder: string): void {
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(CLAIM) && !file.startsWith(HELD)) rmSync(path.join(folder, file), { force: true });
  }
}

/** The names in a folder; none where it does not exist. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes an empty folder, and no other. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // in use, or removed already
  }
}

function taken(name: string, { id, held }: Holder): TerrariumError {
  const doing = held ? 'is already running' : 'is just being started';
  return new TerrariumError('ENAME', `a machine called '${name}' ${doing}, as process ${id.pid}`, {
    hint: `use another name, or stop it first: ${command(`stop ${name}`)}`,
  });
}
