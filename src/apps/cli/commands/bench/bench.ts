import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { asTyped } from '../../../../command.js';
import { type EngineName, engineNames } from '../../../../config/index.js';
import { type Notification, notifications } from '../../../../devices/index.js';
import { ConfigError, TerrariumError } from '../../../../errors.js';
import { requireWritable } from '../../../frontend/output-file.js';

import { barsSvg } from '../../../frontend/svg/bars.js';
import { plotSvg } from '../../../frontend/svg/plot.js';
import { parseCount } from '../../../frontend/values.js';
import { type IoCost, measureIo } from './io-costs.js';
import { BATCHES, type ProfileRow, profile } from './simvirtio-profile.js';

const examples = `
Examples:
  $ terrarium bench simvirtio                  a queue's bytes by exits and by polling, side by side
  $ terrarium bench simvirtio --svg profile.svg --json > profile.json
  $ terrarium bench io --svg io.svg            what an exit costs, and which accesses cause none
`;

interface BenchFlags {
  engine: EngineName;
  rounds: number;
  ring: '0' | '3';
  svg?: string;
  json?: true;
}

export function benchCommand(): Command {
  const simvirtio = new Command('simvirtio')
    .description('Exits, bytes, time per exit and throughput of SIMVIRTIO, by exits and by polling.')
    .addOption(new Option('--engine <name>', 'what runs the code').choices(engineNames).default('auto'))
    .option('--rounds <n>', 'runs of each kind; the median counts', parseCount, 3)
    .addOption(new Option('--ring <n>', 'where the guest sends from').choices(['0', '3']).default('3'))
    .option('--svg <file>', 'draw the throughput')
    .option('--json', 'for programs')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(benchSimvirtio);
  const io = new Command('io')
    .description(
      'What accesses to ports, holes in memory and read-only memory cost a guest, by exits and coalesced.',
    )
    .addOption(new Option('--engine <name>', 'what runs the code').choices(engineNames).default('auto'))
    .option('--accesses <n>', 'of each kind, at most 65535', parseCount, 20_000)
    .option('--rounds <n>', 'runs of each kind; the median counts', parseCount, 3)
    .option('--svg <file>', 'draw the accesses a second')
    .option('--json', 'for programs')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(benchIo);
  return new Command('bench')
    .description('Measures devices on this host.')
    .addCommand(simvirtio)
    .addCommand(io);
}

interface IoFlags {
  engine: EngineName;
  accesses: number;
  rounds: number;
  svg?: string;
  json?: true;
}

function benchIo({ engine, accesses, rounds, svg, json }: IoFlags): void {
  if (svg !== undefined) requireWritable('--svg', svg);
  if (accesses > 65535) throw new ConfigError(`${accesses} accesses are more than 65535`, 'CX counts them');
  const costs = measureIo(accesses, rounds, engine);
  process.stdout.write(json ? `${JSON.stringify(costs, null, 2)}\n` : ioTable(costs));
  if (svg !== undefined) writePlot(svg, ioPlot(costs));
}

/** The table as text. */
export function ioTable(costs: readonly IoCost[]): string {
  const head = ['access', 'a second', 'µs each', 'exits'];
  const body = costs.map(({ name, perSecond, nanoseconds, exits, accesses }) => [
    name,
    withUnit(perSecond),
    (nanoseconds / 1000).toFixed(2),
    exits === 0 ? 'none' : `${exits} of ${accesses}`,
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...body].map((cells) => [...cells[column]!].length)),
  );
  const lines = [head, ...body].map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  return `${lines.join('\n')}\n`;
}

function ioPlot(costs: readonly IoCost[]): string {
  const colour = (exits: number, accesses: number) =>
    exits === 0 ? '#1a6b3c' : exits < accesses ? '#b8860b' : '#b3261e';
  return barsSvg({
    title: 'The cost of an access to a device',
    axis: 'accesses a second; red: an exit each, yellow: coalesced, green: no exit',
    tick: withUnit,
    bars: costs.map(({ name, perSecond, exits, accesses }) => ({
      name,
      value: perSecond,
      label: withUnit(perSecond),
      colour: colour(exits, accesses),
    })),
  });
}

async function benchSimvirtio({ engine, rounds, ring, svg, json }: BenchFlags): Promise<void> {
  if (svg !== undefined) requireWritable('--svg', svg);
  const rows = await profile(rounds, { engine, ring: ring === '0' ? 0 : 3 });
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : profileTable(rows));
  if (svg !== undefined) writeSvg(svg, rows);
}

/** The table as text. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const head = ['by', 'bytes a time', 'bytes', 'exits', 'µs an exit', 'bytes/s', 'polling'];
  const body = rows.map((row) => [
    row.notification,
    String(row.batch),
    String(row.bytes),
    String(row.exits),
    row.exitUs === null ? '' : row.exitUs.toFixed(1),
    withUnit(row.bytesPerSecond),
    row.passes === undefined ? '' : `${row.passes} polls, ${row.sleeps} sleeps`,
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
  writePlot(file, svg);
}

function writePlot(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (cause) {
    throw new TerrariumError('ESVG', `the plot ${file} could not be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}
