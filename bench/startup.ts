/**
 * `terrarium run` as a whole process, on each engine, compared with an empty Node: wall-clock time, and the CPU time of
 * all its threads.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { inTurns, type Row } from './measure.js';

const PAIRS = 15;
/** The limit of `run`, in multiples of `node -e 0`: later Nodes start in half of Node 20's time. */
const GOAL = Number.parseInt(process.versions.node, 10) < 22 ? 1.5 : 2.5;
/** The limit of the software CPU beyond KVM, in milliseconds. */
const SOFT_GOAL_MS = 30;
/** The limit for a floppy from its boot sector to its shell's prompt beyond Node, in milliseconds. */
const FLOPPY_GOAL_MS = 200;
/** Milliseconds of one of the kernel's ticks (USER_HZ, 100 on Linux). */
const TICK_MS = 10;

function time(...args: string[]): number {
  const started = performance.now();
  const done = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (done.status !== 0) throw new Error(`node ${args.join(' ')} ended with ${done.status}`);
  return performance.now() - started;
}

/** CPU time of all processes that this one has waited for, in milliseconds: cutime and cstime of proc(5). */
function cpuOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
}

/** Adds up the times of a kind of process. */
class Cpu {
  spent = 0;
  runs = 0;

  add(run: () => number): number {
    const before = cpuOfChildren();
    const ms = run();
    this.spent += cpuOfChildren() - before;
    this.runs++;
    return ms;
  }

  get each(): number {
    return this.spent / this.runs;
  }
}

/** A floppy with a file system, from its boot sector to the prompt of its shell and power-off: guests/fat-shell. */
function benchFloppy(root: string, cli: string): Row {
  const words = [cli, 'run', path.join(root, 'guests/fat-shell'), '--engine', 'soft', '--type', 'exit\\n'];
  const row = inTurns(
    PAIRS,
    () => time(...words),
    () => time('-e', '0'),
  );
  const more = row.terrarium - row.control;
  return {
    name: 'a FAT12 floppy to its shell, soft',
    unit: 'ms',
    terrarium: row.terrarium,
    control: { name: 'node -e 0', value: row.control },
    ratio: row.ratio,
    goal: `≤ ${FLOPPY_GOAL_MS} ms more`,
    holds: more <= FLOPPY_GOAL_MS,
    note: `${more.toFixed(0)} ms more`,
  };
}

function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** koffi, KVM's bare calls and the exits of guests/hello, without a monitor: no goal, but the minimum for Node. */
function benchFloor(root: string): Row[] {
  if (!hasKvm()) return [];
  const floor = path.join(root, 'bench/start-floor.cjs');
  const row = inTurns(
    PAIRS,
    () => time(floor),
    () => time('-e', '0'),
  );
  return [
    {
      name: 'koffi and the bare calls of KVM alone',
      unit: 'ms',
      terrarium: row.terrarium,
      control: { name: 'node -e 0', value: row.control },
      ratio: row.ratio,
    },
  ];
}

export function benchStartup(root: string): Row[] {
  const cli = path.join(root, 'dist/cli.cjs');
  const guest = path.join(root, 'guests/hello');
  const measure = (engine: string) => {
    const [ours, theirs] = [new Cpu(), new Cpu()];
    const row = inTurns(
      PAIRS,
      () => ours.add(() => time(cli, 'run', guest, '--engine', engine)),
      () => theirs.add(() => time('-e', '0')),
    );
    return { ...row, cpu: `CPU ${ours.each.toFixed(0)} ms to ${theirs.each.toFixed(0)}` };
  };
  const [kvm, soft] = [measure('auto'), measure('soft')];
  const more = soft.terrarium - kvm.terrarium;
  const control = (value: number) => ({ name: 'node -e 0', value });
  const floppy = benchFloppy(root, cli);
  return [
    floppy,
    ...benchFloor(root),
    {
      name: 'terrarium run guests/hello',
      unit: 'ms',
      terrarium: kvm.terrarium,
      control: control(kvm.control),
      ratio: kvm.ratio,
      goal: `≤ ${GOAL}`,
      holds: kvm.ratio <= GOAL,
      note: kvm.cpu,
    },
    {
      name: 'the same with --engine soft',
      unit: 'ms',
      terrarium: soft.terrarium,
      control: control(soft.control),
      ratio: soft.ratio,
      goal: `≤ ${SOFT_GOAL_MS} ms more`,
      holds: more <= SOFT_GOAL_MS,
      note: `${more.toFixed(0)} ms more; ${soft.cpu}`,
    },
  ];
}
