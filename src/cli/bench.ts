import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Notification, notifications } from '../devices/index.js';
import { TerrariumError } from '../errors.js';
import { type EngineName, engineNames } from '../host/index.js';
import { BATCHES, type ProfileRow, profile } from './simvirtio-profile.js';
import { plotSvg } from './svg-plot.js';
import { parseCount } from './values.js';

const examples = `
Examples:
  $ terrarium bench simvirtio                  a queue's bytes by exits and by polling, side by side
  $ terrarium bench simvirtio --svg profile.svg --json > profile.json
`;

interface BenchFlags {
  engine: EngineName;
  rounds: number;
  svg?: string;
  json?: true;
}

export function benchCommand(): Command {
  const simvirtio = new Command('simvirtio')
    .description('Exits, bytes, time an exit and throughput of SIMVIRTIO, by exits and by polling.')
    .addOption(new Option('--engine <name>', 'what runs the code').choices(engineNames).default('auto'))
    .option('--rounds <n>', 'runs of each kind; the median counts', parseCount, 3)
    .option('--svg <file>', 'draw the throughput')
    .option('--json', 'for programs')
    .addHelpText('before', examples.trimStart())
    .action(benchSimvirtio);
  return new Command('bench').description('Measures devices on this host.').addCommand(simvirtio);
}

async function benchSimvirtio({ engine, rounds, svg, json }: BenchFlags): Promise<void> {
  const rows = await profile(rounds, engine);
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : profileTable(rows));
  if (svg !== undefined) writeSvg(svg, rows);
}

/** The table for people. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const head = ['by', 'bytes a time', 'bytes', 'exits', 'µs an exit', 'bytes/s', 'polling'];
  const body = rows.map((row) => [
    row.notification,
    String(row.batch),
    String(row.bytes),
    String(row.exits),
    row.exitUs === null ? '' : row.exitUs.toFixed(1),
    withUnit(row.bytesPerSecond),
    row.passes === undefined ? '' : `${row.passes} looks, ${row.sleeps} sleeps`,
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => [...cells[column]!].length)),
  );
  const lines = [head, ...body].map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 || column === 6 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
  const slow = rows.find(({ notification, batch }) => notification === 'exits' && batch === 1);
  const fast = rows.find(({ notification, batch }) => notification === 'polling' && batch === 1);
  const verdict =
    slow && fast
      ? `A byte at a time, polling moves ${Math.round(fast.bytesPerSecond / slow.bytesPerSecond)} times the bytes.`
      : '';
  return `${lines.join('\n')}\n\n${verdict}\n`;
}

const prefixes = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** 12345678 → `12.3 M`. */
function withUnit(value: number): string {
  const [size, letter] = prefixes.find(([least]) => value >= least) ?? [1, ''];
  return `${Number((value / size).toPrecision(3))} ${letter}`.trimEnd();
}

const colours: Record<Notification, string> = { exits: '#b3261e', polling: '#1a6b3c' };

function writeSvg(file: string, rows: readonly ProfileRow[]): void {
  const svg = plotSvg({
    title: 'SIMVIRTIO: bytes a second out of a guest',
    xLabel: 'bytes that the guest announces together',
    yLabel: 'bytes a second',
    xTicks: BATCHES,
    yTick: withUnit,
    series: notifications.map((notification) => ({
      name: `by ${notification}`,
      colour: colours[notification],
      points: rows
        .filter((row) => row.notification === notification)
        .map((row) => [row.batch, row.bytesPerSecond] as const),
    })),
  });
  try {
    writeFileSync(file, svg);
  } catch (cause) {
    throw new TerrariumError('ESVG', `the plot ${file} could not be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}
