/**
 * Jobs that are a command of Terrarium's own: a part of `verify`, the replay of a recording. A worker runs each in a process of its
 * own; what comes from the queue is checked before it becomes words of a command line.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandFile } from '../pool.js';

/** A part of a verification, by the options of `terrarium verify`. */
export interface VerifyData {
  readonly mode: string;
  readonly seed: number;
  readonly count: number;
  readonly only?: string;
  readonly engine?: string;
  readonly cpuVendor?: string;
}

/** A recording that is repeated: the content of its file in base64. */
export interface ReplayData {
  readonly recording: string;
}

/** How a command ended. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Characters of each stream that are kept. */
const KEPT = 256 * 1024;

/** @throws Error for data that no producer of this version made, and where the command did not end in time */
export async function runVerify(data: VerifyData, patienceMs: number): Promise<CommandResult> {
  const { mode, seed, count, only, engine, cpuVendor } = data;
  const isName = (value: unknown) => typeof value === 'string' && /^\w+$/.test(value);
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isName(mode) || !isCount(seed) || !isCount(count))
    throw new Error('this is no part of a verification');
  if (![only, engine, cpuVendor].every((value) => value === undefined || isName(value)))
    throw new Error('this is no part of a verification');
  const words = ['verify', '--json', '--mode', mode, '--seed', `${seed}`, '--count', `${count}`];
  if (only !== undefined) words.push('--only', only);
  if (engine !== undefined) words.push('--engine', engine);
  if (cpuVendor !== undefined) words.push('--cpu-vendor', cpuVendor);
  return runCommand(words, patienceMs);
}

/** As `runVerify`. */
export async function runReplay({ recording }: ReplayData, patienceMs: number): Promise<CommandResult> {
  if (typeof recording !== 'string') throw new Error('this is no recording');
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-replay-'));
  try {
    const file = path.join(folder, 'recording.terra');
    writeFileSync(file, Buffer.from(recording, 'base64'));
    const done = await runCommand(['replay', file], patienceMs);
    return { ...done, stderr: done.stderr.replaceAll(file, 'the recording') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runCommand(words: readonly string[], patienceMs: number): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [commandFile(), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, patienceMs);
    const kept = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        kept[name] += text.slice(0, KEPT - kept[name].length);
      });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      if (late) reject(new Error(`no result after ${patienceMs / 1000} s (worker --patience)`));
      else if (status === null) reject(new Error(`its process was ended by ${signal}`));
      else resolve({ status, ...kept });
    });
  });
}
