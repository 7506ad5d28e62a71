/**
 * The runners of the programs of bench/programs: our engines, v86, QEMU, the processor itself.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseImage } from '../src/boot/index.js';
import { DebugExit } from '../src/devices/index.js';
import { SoftCpu } from '../src/engine/soft/index.js';
import { createMachine } from '../src/runtime/index.js';
import { PartClock, type Parts } from './programs.js';

const SERIAL = 0x3f8;

/** On one of our engines; the software CPU counts instructions. @throws where the engine cannot run them */
export function runOurs(engine: 'soft' | 'kvm', file: string, mode: 'protected' | 'long'): Parts {
  using machine = createMachine({
    engine,
    image: parseImage(readFileSync(file), file),
    mode,
    standardDevices: false,
    irqchip: 'none',
    devices: [
      new DebugExit(),
      {
        name: 'serial',
        ports: [{ first: SERIAL, count: 1 }],
        writePort: (_port, _size, value) => clock.byte(value),
      },
    ],
  });
  const { cpu } = machine;
  const clock = new PartClock(cpu instanceof SoftCpu ? () => Number(cpu.instructions) : undefined);
  const outcome = machine.run({ timeoutMs: 60_000 });
  if (!clock.done) throw new Error(outcome.reason);
  return clock.parts;
}

/** A program whose standard output is the programs' serial port. @throws where it ends too early */
async function listen(command: string, args: readonly string[]): Promise<Parts> {
  const clock = new PartClock();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += String(text);
  });
  child.stdout.on('data', (bytes: Uint8Array) => {
    for (const byte of bytes) clock.byte(byte);
  });
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  if (!clock.done) throw new Error(errors.trim().split('\n')[0] ?? `${command} ended too early`);
  return clock.parts;
}

export function runNative(file: string): Promise<Parts> {
  return listen(file, []);
}

const QEMU = 'qemu-system-x86_64';

/** QEMU without KVM: its translator, TCG. */
export function runTcg(file: string): Promise<Parts> {
  const machine = ['-accel', 'tcg', '-m', '64', '-display', 'none', '-net', 'none', '-no-reboot'];
  const ports = ['-serial', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'];
  return listen(QEMU, [...machine, ...ports, '-kernel', file]);
}

/** v86 in a separate Node process. */
export async function runV86(file: string, jit: boolean): Promise<Parts> {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(import.meta.dirname, 'v86.js'), file, jit ? 'jit' : 'interpreter'],
    { encoding: 'utf8', timeout: 120_000 },
  );
  try {
    return new Map(Object.entries(JSON.parse(stdout) as Record<string, { ms: number; checksum: string }>));
  } catch {
    throw new Error(stderr.trim().split('\n').at(-1) || 'v86 did not finish');
  }
}

/** Why a peer is not available, or undefined. */
export function missingPeer(peer: 'qemu' | 'v86'): string | undefined {
  if (peer === 'qemu') {
    return spawnSync(QEMU, ['--version']).status === 0 ? undefined : `${QEMU} is not installed`;
  }
  try {
    import.meta.resolve('v86');
    return undefined;
  } catch {
    return 'the npm package v86 is not installed';
  }
}
