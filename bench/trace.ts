/**
 * The cost of a trace: recording an exit compared with the exit itself, and a million exits written as NDJSON and read
 * again.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseImage } from '../src/boot/index.js';
import { type Exit, ExitKind } from '../src/engine/contract/index.js';
import { kvmEngine } from '../src/engine/kvm/index.js';
import { Machine } from '../src/machine/index.js';
import { Tracer } from '../src/runtime/index.js';
import { ExitLog } from '../src/trace/index.js';
import { median, type Row } from './measure.js';

const EXITS = 1_000_000;
const RECORDED = 500_000;
const ROUNDS = 5;

/** An endless loop of `out 0x80,al`. */
const LOOP = [0xe6, 0x80, 0xeb, 0xfc];

function exitOf(port: number): Exit {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint8(0, 0x48);
  return {
    cpu: 0,
    kind: ExitKind.io,
    address: port,
    size: 1,
    count: 1,
    write: true,
    refused: false,
    coalesced: false,
    data,
    offset: 0,
    reason: 2,
    ripLow: 0x7c10,
    ripHigh: 0,
  };
}

/** Microseconds of an exit, without an observer. */
function exitTime(): number {
  const image = parseImage(new Uint8Array(LOOP), 'out');
  const device = { name: 'register', ports: [{ first: 0x80, count: 1 }], writePort() {} };
  using machine = new Machine({ engine: kvmEngine(), image, mode: 'real', devices: [device] });
  const run = () => (machine.run({ maxExits: 20_000 }).elapsedMs * 1000) / 20_000;
  run();
  return median(Array.from({ length: ROUNDS }, run));
}

/** Microseconds that the log adds to an exit: its entry, and two clock reads of the run loop. */
function recordTime(): number {
  const log = new ExitLog();
  const exit = exitOf(0x80);
  const round = () => {
    const started = performance.now();
    for (let i = 0; i < RECORDED; i++) {
      const left = performance.now();
      log.record(exit, 0, left, performance.now());
    }
    return ((performance.now() - started) * 1000) / RECORDED;
  };
  round();
  return median(Array.from({ length: ROUNDS }, round));
}

/** Exits per second that are written as NDJSON to a file, with the device's description and without the instruction. */
function writeSpeed(file: string): number {
  const fd = openSync(file, 'w');
  const log = new ExitLog();
  const device = {
    name: 'serial',
    describeAccess: () => words,
  };
  const words = {
    register: 'transmitter holding',
    says: (value: number) => `'${String.fromCharCode(value)}'`,
  };
  const tracer = new Tracer({
    log,
    names: ['serial'],
    options: { format: 'ndjson' },
    machine: () => undefined,
    write: (bytes) => void writeSync(fd, bytes),
  });
  const exit = exitOf(0x3f8);
  const access = { space: 'port', address: 0x3f8, size: 1, write: true } as const;
  const started = performance.now();
  tracer.begin(started);
  for (let i = 0; i < EXITS; i++) {
    exit.data.setUint8(0, 0x20 + (i % 64));
    tracer.access(device, access, 0);
    tracer.record(exit, 0, started + i * 0.004, started + i * 0.004 + 0.001);
  }
  tracer.flush();
  closeSync(fd);
  return EXITS / ((performance.now() - started) / 1000);
}

/** Seconds and MiB that `terrarium trace` takes for the file. */
function readCost(root: string, file: string): { seconds: number; mebibytes: number } {
  const cli = path.join(root, 'dist/cli.cjs');
  const program = `process.argv.splice(1, 0, ${JSON.stringify(cli)});
    process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)));
    require(${JSON.stringify(cli)});`;
  const started = performance.now();
  const { stderr, status } = spawnSync(process.execPath, ['-e', program, 'trace', file], {
    encoding: 'utf8',
  });
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(stderr);
  return { seconds, mebibytes: Number(stderr) / 1024 };
}

export function benchTrace(root: string): Row[] {
  const exit = exitTime();
  const recorded = recordTime();
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-bench-'));
  try {
    const file = path.join(folder, 'million.ndjson');
    const perSecond = Math.max(writeSpeed(file), writeSpeed(file));
    const { seconds, mebibytes } = readCost(root, file);
    const share = recorded / exit;
    return [
      {
        name: 'trace: an exit recorded',
        unit: 'µs',
        terrarium: recorded,
        control: { name: 'an exit', value: exit },
        ratio: share,
        goal: 'ratio ≤ 0.02',
        holds: share <= 0.02,
      },
      {
        name: 'trace: NDJSON of a million exits',
        unit: 'lines/s',
        terrarium: perSecond,
        goal: '≥ 300,000',
        holds: perSecond >= 300_000,
      },
      {
        name: 'trace: reading them',
        unit: 's',
        terrarium: seconds,
        goal: '≤ 5 s and ≤ 300 MiB',
        holds: seconds <= 5 && mebibytes <= 300,
        note: `${mebibytes.toFixed(0)} MiB`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}
