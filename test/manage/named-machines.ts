/**
 * Helpers for the tests of named machines: their own folder, small guests, and the command line beside this process.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { listMachines, type MachineInfo, removeMachine, stopMachine } from '../../src/manage/index.js';
import { Scratch, startTerrarium, terrarium, until } from '../support.js';

// Every process of a test inherits it.
export const scratch = new Scratch();
process.env.XDG_RUNTIME_DIR = scratch.path;
export const place = path.join(scratch.path, 'terrarium');

export function image(name: string, ...bytes: number[]): string {
  const file = scratch.file(name);
  writeFileSync(file, new Uint8Array(bytes));
  return file;
}

/** jmp . */
export const spin = image('spin.bin', 0xeb, 0xfe);
/** mov $'!',%al; out %al,$0xe9; jmp . */
export const shout = image('shout.bin', 0xb0, 0x21, 0xe6, 0xe9, 0xeb, 0xfe);
/** 1: mov $0x3fd,%dx; in %dx,%al; test $1,%al; jz 1b; mov $0x3f8,%dx; in %dx,%al; out %al,%dx; jmp 1b */
export const echo = image(
  'echo.bin',
  ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xf8, 0xba, 0xf8, 0x03, 0xec, 0xee, 0xeb, 0xf1],
);
/** 1: out %al,$0xe9; inc %al; jmp 1b */
export const flood = image('flood.bin', 0xe6, 0xe9, 0xfe, 0xc0, 0xeb, 0xfa);
/** mov $7,%al; out %al,$0xf4; jmp . */
export const seven = image('seven.bin', 0xb0, 7, 0xe6, 0xf4, 0xeb, 0xfe);

/** True while the process runs; one that only waits for its parent does not. */
export function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/**
 * The machines of `terrarium ps`, once all of them answer it. On a busy host one may take longer than the second that ps
 * waits, which then calls it unresponsive.
 */
export async function answering(): Promise<MachineInfo[]> {
  let machines: MachineInfo[] = [];
  await until('an answer', () => {
    machines = JSON.parse(terrarium(['ps', '--json']).stdout) as MachineInfo[];
    return machines.every(({ state }) => state === 'running');
  });
  return machines;
}

/** Time enough for a machine to stop by itself, however busy the host is. */
export const GRACE_MS = 30_000;

/** Starts a machine with the command line and returns its process. */
export function detach(name: string, file: string, ...options: string[]): number {
  const done = terrarium(['run', file, '--name', name, '--detach', ...options]);
  assert.equal(done.status, 0, done.stderr);
  const [, pid] = /^\S+ runs as process (\d+)\n$/.exec(done.stdout) ?? [];
  return Number(pid);
}

/** Runs `terrarium …` beside this process, to its end. */
export async function beside(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = startTerrarium(args);
  child.stdin!.end();
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (text) => {
    stdout += text;
  });
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  const [status] = (await once(child, 'close')) as [number];
  return { status, stdout, stderr };
}

export const everyMachine = (): Promise<MachineInfo[]> => listMachines({ all: true });
export const sockets = (): string[] => readdirSync(path.join(place, 'sockets'));

/** Ends and removes all machines, and checks that nothing of them is left. */
export async function clear(): Promise<void> {
  for (const { name } of await listMachines()) await stopMachine(name, 1000);
  for (const { name } of await everyMachine()) await removeMachine(name);
  assert.deepEqual(readdirSync(path.join(place, 'machines')), []);
  assert.deepEqual(sockets(), []);
}
