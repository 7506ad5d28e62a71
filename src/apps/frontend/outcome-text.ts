import { type Explanation, endsBadly, formatExplanation } from '../../explain/index.js';
import { formatInstruction, formatRegisters } from '../../inspect/index.js';
import type { HostedMachine, HostedOutcome, SimvirtioReport } from '../../runtime/index.js';
import { formatCounters, formatStatistics, type StatisticsJson } from '../../trace/index.js';
import { type Style, styleFor } from './style.js';
import { formatDuration } from './values.js';

/** Unclaimed addresses that are named at the end of a run; the report has more. */
const UNCLAIMED_SHOWN = 4;

/**
 * Shows what the guest logs by hypercall on stderr, each line after `guest: `, so that nobody takes it for Terrarium's
 * own words. The lines come with their control characters made visible.
 */
export function printGuestLog(machine: HostedMachine): void {
  const style = styleFor(process.stderr);
  let started = false;
  machine.onLog((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const lines = text.replace(/^/gm, (_, at: number) =>
      at === text.length || (at === 0 && started) ? '' : style.dim('guest: '),
    );
    started = !text.endsWith('\n');
    return new Promise<void>((resolve) =>
      process.stderr.write(Buffer.from(lines, 'latin1'), () => resolve()),
    );
  });
}

/** Says on stderr that `auto` did not take KVM, and why. */
export function printEngine({ engine, engineBecause }: HostedMachine): void {
  // Whoever has chosen by the variable knows.
  if (engineBecause === undefined || process.env.TERRARIUM_ENGINE !== undefined) return;
  const style = styleFor(process.stderr);
  const running = engine === 'soft' ? 'running on the software CPU' : `running on ${engine}`;
  process.stderr.write(`${style.bold('terrarium:')} ${engineBecause}: ${running}\n`);
}

/** Says on stderr how a run ended; see `outcomeText`. */
export function printOutcome(outcome: HostedOutcome): void {
  process.stderr.write(`${outcomeText(outcome, styleFor(process.stderr))}\n`);
}

/** How a run ended: one line where all is well, with the CPU's state where it is not. */
export function outcomeText(outcome: HostedOutcome, style: Style): string {
  const { kind, engine, exits, coalesced, elapsedMs, registers, system, failure } = outcome;
  const lines = [
    `${style.bold('terrarium:')} ${engine}: ${endingText(outcome, style)} after ${exits} exit${exits === 1 ? '' : 's'}` +
      `${coalesced > 0 ? ` and ${coalesced} coalesced writes` : ''} in ${formatDuration(elapsedMs)}`,
  ];
  if (failure !== undefined) {
    lines.push(`  ${failure.name}: ${failure.message}`);
    if (failure.instruction?.length)
      lines.push(`  the instruction: ${formatInstruction(failure.instruction, registers.rip, system)}`);
    // What a triple fault came from is explained behind this, by the CPU's state.
    if (failure.hint !== undefined && kind !== 'shutdown') lines.push(`  ${failure.hint}`);
  }
  if (waitsInVain(kind, outcome.reason)) lines.push(`  ${outcome.reason}`);
  if (kind === 'shutdown' || kind === 'engineError') {
    lines.push(formatRegisters(registers, system).replace(/^/gm, '  '));
  }
  for (const { space, address, write, count } of outcome.unclaimed.slice(0, UNCLAIMED_SHOWN)) {
    const times = count === 1 ? 'once' : `${count} times`;
    const verb = write ? 'wrote' : 'read';
    const place = space === 'port' ? 'port' : 'address';
    lines.push(
      style.dim(`  nothing answers ${place} 0x${address.toString(16)}: the guest ${verb} it ${times}`),
    );
  }
  const more = outcome.unclaimed.length - UNCLAIMED_SHOWN;
  if (more > 0) lines.push(style.dim(`  … and ${more} more addresses that nothing answers`));
  return lines.join('\n');
}

/** True for the ends that nobody wants, which are explained without being asked. */
export const asksWhy: (outcome: Pick<HostedOutcome, 'kind' | 'reason' | 'registers' | 'system'>) => boolean =
  endsBadly;

/** The guest waited for an interrupt, and none can come. */
export function waitsInVain(kind: string, reason: string): boolean {
  return kind === 'halted' && reason.includes('no interrupt can wake it');
}

/** Says on stderr why the guest died. */
export function printExplanation(explanation: Explanation): void {
  const style = styleFor(process.stderr);
  const text = formatExplanation(explanation)
    .replace(/^why:.*$/m, (line) => style.bold(line))
    .replace(/^ {2}(what the CPU looked at|the likely mistake)$/gm, (line) => style.yellow(line));
  process.stderr.write(`\n${text}\n`);
}

function endingText(outcome: HostedOutcome, style: Style): string {
  const at = `at cs:rip ${outcome.system.cs.selector.toString(16)}:${outcome.registers.rip.toString(16)}`;
  switch (outcome.kind) {
    case 'halted':
      return endsBadly(outcome) ? style.red('halted for ever') : style.green('halted');
    case 'exited':
      return outcome.code === 0
        ? style.green('exited with code 0')
        : style.yellow(`exited with code ${outcome.code}`);
    case 'reset':
      return style.green('reset itself');
    case 'shutdown':
      return style.red('shut down (triple fault)');
    case 'engineError':
      return `${style.red('engine error')} ${at}`;
    default:
      return `${style.yellow(outcome.reason)}, ${at},`;
  }
}

/** The tables of `--stat`: what this monitor saw, and beside it what the engine counted of the same run. */
export function printStatistics({ statistics, engine, counters = [], assistance }: HostedOutcome): void {
  const width = process.stderr.columns ?? 100;
  process.stderr.write(`${formatStatistics(statistics as StatisticsJson, { width })}\n`);
  if (assistance !== undefined) {
    const { times, instructions } = assistance;
    process.stderr.write(
      `\nassisted: ${engine} gave up ${times} time${times === 1 ? '' : 's'}; the software CPU ran ${instructions} instructions for it\n`,
    );
  }
  if (counters.length === 0) {
    process.stderr.write(`\nno counters but these: ${engine} is no part of the kernel\n`);
    return;
  }
  // What only grows is told for this run; levels and peaks are what they are.
  const ofRun = counters.map((row) => (row.kind === 'cumulative' ? { ...row, value: row.change ?? 0 } : row));
  process.stderr.write(`\ncounted by ${engine} itself:\n${formatCounters(ofRun)}\n`);
}

/** What went through each SIMVIRTIO device, for `--stat`. */
export function printSimvirtio({ devices, passes, sleeps }: SimvirtioReport): void {
  const looked =
    passes === undefined ? 'by exits' : `by polling: ${passes} looks, the thread slept ${sleeps} times`;
  const lines = devices.map(
    ({ name, phase, transmitted, received, resets, refused }) =>
      `  ${name.padEnd(8)} ${phase.padEnd(12)} ${transmitted} bytes from the guest, ${received} to it, ` +
      `${resets} resets${refused === 0 ? '' : `, ${refused} times refused`}`,
  );
  process.stderr.write(`\nSIMVIRTIO ${looked}\n${lines.join('\n')}\n`);
}
