import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { command } from '../command.js';
import { TerrariumError } from '../errors.js';
import { checkName } from './names.js';
import { type HolderId, isAlive, newHolderId, parseHolderId } from './processes.js';
import type { RuntimeDirectory } from './runtime-dir.js';

/** How long a claimant waits for others that came at the same moment to withdraw: milliseconds. */
const CONTEST_LIMIT_MS = 2000;

const CLAIM = 'claim.';
const HELD = 'held.';

/** Who holds a name, or is about to. */
export interface Holder {
  readonly id: HolderId;
  /** True once the name is theirs; before that they are still asking for it. */
  readonly held: boolean;
}

/**
 * The right to a name, held by at most one process at a time, and by none once that process has gone however it went.
 *
 * Node has no file locks, and a lock file that its dead owner left cannot be taken over without a race: two that find
 * it dead would remove it one after the other, the second one removing the first one's new one. So here a file that was
 * once made is never anybody else's: a claimant puts down a file whose name is its own (`claim.PID.START.BOOT.RANDOM`)
 * and only then looks for others. A process that sees no other has the name. Of two that overlap, the one that looks
 * last sees the other, since each wrote before it looked; so never two win. Where several ask at once, all but the one
 * with the lowest id withdraw, and that one wins; so never none. The dead are known by their ids, and to remove their
 * files is safe for everybody at any time.
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

/** Who holds or asks for a name now. What the dead left in the folder is removed on the way. */
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

/** Removes what a machine left in its folder; the claims stay. For who holds the name. */
export function emptyFolder(folder: string): void {
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(CLAIM) && !file.startsWith(HELD)) rmSync(path.join(folder, file), { force: true });
  }
}

/** The names in a folder; none where it is not there. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes a folder with nothing in it, and leaves any other alone. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // in use, or gone already
  }
}

function taken(name: string, { id, held }: Holder): TerrariumError {
  const doing = held ? 'runs already' : 'is just being started';
  return new TerrariumError('ENAME', `a machine called '${name}' ${doing}, as process ${id.pid}`, {
    hint: `take another name, or stop it first: ${command(`stop ${name}`)}`,
  });
}
