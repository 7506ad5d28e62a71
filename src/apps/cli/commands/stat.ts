import { Command, InvalidArgumentError, Option } from 'commander';
import { asTyped } from '../../../command.js';
import {
  connectMachine,
  listMachines,
  type MachineConnection,
  type MachineUse,
  pidOf,
} from '../../../manage/index.js';
import {
  hasKernelVm,
  openProcess,
  type StatSample,
  type WatchedProcess,
  watchCounters,
  watchStats,
} from '../../../runtime/index.js';
import { formatCounter, formatCounters } from '../../../trace/index.js';
import { styleFor } from '../../frontend/style.js';
import { formatDuration, parseCount, parseDuration } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium stat 1234                            KVM's counters of process 1234, every second
  $ terrarium stat web                             … of the machine that was started with --name web, and its
                                                   monitor's own beside them
  $ terrarium stat 1234 --interval 200ms --count 5
  $ terrarium stat 1234 --count 2 --json | tail -1
`;

const statuses = `
Exit status:
  0 all samples were taken, or the process has ended; 2 there is no such process, or it has no virtual machine;
  4 its counters cannot be read.
`;

interface StatFlags {
  interval: number;
  count?: number;
  json?: true;
}

export function statCommand(): Command {
  return new Command('stat')
    .usage('<pid | name> [options]')
    .description("Shows the kernel's own counters of a process that runs virtual machines, as kvm_stat does.")
    .argument('<pid | name>', 'the number of a process, any that uses KVM, or the name of a machine')
    .addOption(
      new Option('--interval <duration>', 'time between two samples: 500ms, 2s')
        .argParser(parseInterval)
        .default(1000, '1s'),
    )
    .option('--count <n>', 'end after n samples', parseCount)
    .option('--json', 'one JSON object per line, for programs')
    .addHelpText('before', asTyped(examples.trimStart()))
    .addHelpText('after', statuses)
    .action(stat);
}

async function stat(which: string, flags: StatFlags): Promise<void> {
  const { interval: intervalMs, count, json = false } = flags;
  const pid = /^\d+$/.test(which) ? Number(which) : pidOf(which);
  // Root may look at another user's process and have no runtime directory of its own: then the process has no name.
  const machines = await listMachines().catch(() => []);
  const machine = machines.find((one) => one.pid === pid);
  if (machine === undefined) return showStats(pid, { intervalMs, count, json });
  // Before it has chosen an engine, it may still choose KVM.
  if (machine.engine === undefined || hasKernelVm(pid)) {
    const monitor = machine.state === 'running' ? await connectMachine(machine.name) : undefined;
    return showStats(beside(openProcess(pid), monitor), { intervalMs, count, json });
  }
  const what = `${machine.name} runs on the engine ${machine.engine}, for which the kernel has no counters: these are the monitor's own counters`;
  process.stderr.write(`terrarium: ${what}\n`);
  await showStats(await openMachine(machine.name), { intervalMs, count, json });
}

/** A monitor that takes longer to answer is left out of a sample: milliseconds. */
const ANSWER_MS = 500;

/** The kernel's counters of a process, followed by its monitor's. */
function beside(kernel: WatchedProcess, monitor: MachineConnection | undefined): WatchedProcess {
  return {
    pid: kernel.pid,
    get alive() {
      return kernel.alive;
    },
    async read() {
      const counted = await kernel.read();
      const ours = counted && (await monitor?.stats(ANSWER_MS).catch(() => undefined));
      return ours ? { ...counted, groups: [...counted.groups, groupOf(ours)] } : counted;
    },
    [Symbol.dispose]() {
      kernel[Symbol.dispose]();
      monitor?.[Symbol.dispose]();
    },
  };
}

/** The counters of a named machine as its monitor has them. */
async function openMachine(name: string): Promise<WatchedProcess> {
  const connection = await connectMachine(name);
  let alive = true;
  return {
    pid: connection.pid,
    get alive() {
      return alive;
    },
    async read() {
      try {
        return { source: 'monitor', groups: [groupOf(await connection.stats())] };
      } catch {
        alive = false;
        return undefined;
      }
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

function groupOf({ exits, coalesced, printed, cpuMs, uptimeMs }: MachineUse) {
  const counter = (name: string, value: number, unit = '') => ({
    name,
    value,
    unit,
    kind: 'cumulative' as const,
  });
  const counters = [
    counter('exits', exits),
    counter('coalesced', coalesced),
    counter('printed', printed, 'bytes'),
    counter('cpu_time', cpuMs, 'ms'),
    counter('uptime', uptimeMs, 'ms'),
  ];
  return { where: 'monitor', counters };
}

/** Shows what `watchStats` reads from a process, or from any source of counters, on stdout, until it ends. */
export async function showStats(
  of: number | WatchedProcess,
  options: { intervalMs: number; count?: number | undefined; json: boolean },
): Promise<void> {
  const { intervalMs, count, json } = options;
  const terminal = process.stdout.isTTY === true;
  const gone = new AbortController();
  // The reader of stdout has closed it (`| head -1`): stop.
  process.stdout.on('error', () => gone.abort());
  const watching = { intervalMs, signal: gone.signal, ...(count !== undefined && { count }) };
  const watch = typeof of === 'number' ? watchStats(of, watching) : watchCounters(of, watching);
  for await (const sample of watch) {
    if (json) process.stdout.write(`${JSON.stringify(sample)}\n`);
    else if (terminal) redraw(sample, intervalMs);
    else print(sample);
  }
}

/** Plain lines, for a file or a pipe: each has its time. */
function print(sample: StatSample): void {
  const time = `${(sample.elapsedMs / 1000).toFixed(1)}s`;
  const rows = sample.ended ? [] : sample.rows.filter(({ value, change }) => value !== 0 || change);
  const lines = rows.map((row) => `${time}  ${formatCounter(row)}`);
  if (sample.ended) lines.push(`${time}  ${endText(sample)}`);
  else if (lines.length === 0) lines.push(`${time}  every counter is 0`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

const sources = { files: 'the files it has open', debugfs: 'debugfs', monitor: 'its monitor' };

/** One table in the same place of a terminal: each line overwrites the old one, and the rest is cleared. */
function redraw(sample: StatSample, intervalMs: number): void {
  const { stdout } = process;
  const style = styleFor(stdout);
  const source = sources[sample.source];
  const title = sample.ended
    ? endText(sample)
    : `process ${sample.pid}, from ${source}, every ${formatDuration(intervalMs)}; end with Ctrl-C`;
  const table = formatCounters(sample.rows, {
    color: stdout.hasColors?.() === true && !process.env.NO_COLOR,
    // Title, blank line, header, "… and n more", and the line of the cursor.
    rows: (stdout.rows ?? 24) - 5,
  });
  const lines = `${style.bold('terrarium stat:')} ${title}\n\n${table}`.split('\n');
  // Home; after each line clear its rest; at the end clear the rest of the screen.
  stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
}

function endText({ pid, elapsedMs }: StatSample): string {
  return `process ${pid} has ended, ${formatDuration(elapsedMs)} after the first sample`;
}

function parseInterval(text: string): number {
  const interval = parseDuration(text);
  if (interval >= 10) return interval;
  throw new InvalidArgumentError(`${text} is too short. Write 10ms or more.`);
}
