import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import { listMachines, type MachineInfo } from '../../../manage/index.js';
import { printable } from '../../../symbols/index.js';
import { styleFor } from '../../frontend/style.js';
import { formatDuration } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium ps                      the machines that run
  $ terrarium ps --all                those that have ended as well, and how
  $ terrarium ps --json | jq '.[].pid'
`;

export function psCommand(): Command {
  return new Command('ps')
    .description('Lists the machines that were started with a name.')
    .option('-a, --all', 'those that have ended as well')
    .option('--json', 'for programs')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(async ({ all, json }: { all?: true; json?: true }) => {
      const machines = await listMachines({ all: all === true });
      if (json) process.stdout.write(`${JSON.stringify(machines, null, 2)}\n`);
      else printTable(machines);
    });
}

const columns: readonly [title: string, cell: (machine: MachineInfo) => string, right?: true][] = [
  ['NAME', ({ name }) => name],
  ['PID', ({ pid, state }) => (state === 'ended' ? '-' : String(pid)), true],
  ['ENGINE', ({ engine }) => engine ?? '-'],
  ['IMAGE', ({ image }) => printable(image)],
  ['STATE', stateOf],
  ['UPTIME', (machine) => (wasKilled(machine) ? '-' : formatDuration(machine.uptimeMs)), true],
  ['EXITS', (machine) => (wasKilled(machine) ? '-' : String(machine.exits ?? '-')), true],
  ['CPU', ({ cpuMs }) => (cpuMs === undefined ? '-' : formatDuration(cpuMs)), true],
];

function printTable(machines: readonly MachineInfo[]): void {
  const rows = [columns.map(([title]) => title), ...machines.map((m) => columns.map(([, cell]) => cell(m)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const style = styleFor(process.stdout);
  for (const [n, row] of rows.entries()) {
    const cells = row.map((cell, i) =>
      columns[i]![2] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
    );
    const line = cells.join('  ').trimEnd();
    process.stdout.write(`${n === 0 ? style.bold(line) : line}\n`);
  }
}

/** `running`, or how it ended: `halted`, `exited (3)`, `shutdown`, `killed`, … */
function stateOf({ state, end }: MachineInfo): string {
  if (end === undefined) return state;
  return end.code === undefined ? end.kind : `${end.kind} (${end.code})`;
}

/** A killed process wrote no record of its progress. */
const wasKilled = ({ end }: MachineInfo) => end?.kind === 'killed';
