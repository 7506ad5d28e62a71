import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readIfThere } from './kept-log.js';
import { isEnd, isObject, type MachineEnd } from './protocol.js';

const FILE = 'machine.json';

/** The record of a machine, which other processes can read after it has ended. */
export interface MachineRecord {
  readonly name: string;
  /** The holder's id, as text. */
  readonly id: string;
  readonly pid: number;
  readonly image: string;
  /** Undefined before it was made. */
  readonly engine?: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly end?: MachineEnd;
}

/** Writes it atomically: a reader sees the old one or the new one, never a part. */
export function writeRecord(folder: string, record: MachineRecord): void {
  const fresh = path.join(folder, `${FILE}.${record.id}`);
  try {
    writeFileSync(fresh, JSON.stringify(record), { mode: 0o600 });
    renameSync(fresh, path.join(folder, FILE));
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Undefined where there is no readable record. */
export function readRecord(folder: string): MachineRecord | undefined {
  let said: unknown;
  try {
    said = JSON.parse(readIfThere(path.join(folder, FILE)).toString('utf8'));
  } catch {
    return undefined;
  }
  return isRecord(said) ? said : undefined;
}

function isRecord(said: unknown): said is MachineRecord {
  if (!isObject(said)) return false;
  const { name, id, pid, image, engine, startedAt, end } = said;
  return (
    typeof name === 'string' &&
    typeof id === 'string' &&
    typeof image === 'string' &&
    Number.isSafeInteger(pid) &&
    Number.isFinite(startedAt) &&
    (engine === undefined || typeof engine === 'string') &&
    (end === undefined || isEnd(end))
  );
}
