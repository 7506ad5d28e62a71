import type { MachineSpec } from '../../config/index.js';
import { type Explanation, formatExplanation, stormText, waitLine } from '../../explain/index.js';
import { formatInstruction, formatRegisters } from '../../inspect/index.js';
import type { GuestMemory } from '../../memory/index.js';
import type { HostedOutcome, SimvirtioReport } from '../../runtime/index.js';
import { formatCounters, formatStatistics, type StatisticsJson } from '../../trace/index.js';
import { couldBeStorm, endingText, waitsForever } from './ending.js';
import { say, standardError } from './standard-output.js';
import { type Style, styleFor } from './style.js';

/** Says on stderr how a run ended; see `outcomeText`. */
export function printOutcome(
  outcome: HostedOutcome,
  memory: GuestMemory,
  syntax?: MachineSpec['syntax'],
): void {
  say(`${outcomeText(outcome, styleFor(standardError), syntax, memory)}\n`);
}

/** Ends after which the guest could continue. */
const unfinished: ReadonlySet<string> = new Set(['timeout', 'limit', 'stopped']);

/** How a run ended: one line after a normal end, with the CPU's state after others. */
export function outcomeText(
  outcome: HostedOutcome,
  style: Style,
  syntax?: MachineSpec['syntax'],
  memory?: GuestMemory,
): string {
  const { kind, registers, system, failure } = outcome;
  const lines: string[] = [];
  if (failure !== undefined) {
    lines.push(`  ${failure.name}: ${failure.message}`);
    if (failure.instruction?.length)
      lines.push(
        `  the instruction: ${formatInstruction(failure.instruction, registers.rip, system, syntax)}`,
      );
    // The cause of a triple fault is explained after this, from the CPU's state.
    if (failure.hint !== undefined && kind !== 'shutdown') lines.push(`  ${failure.hint}`);
  }
  if (waitsForever(kind, outcome.reason)) lines.push(`  ${outcome.reason}`);
  const waits = unfinished.has(kind) ? waitLine(outcome, memory, syntax) : stormLine(outcome, memory);
  if (waits !== undefined) lines.push(`  ${waits}`);
  if (kind === 'shutdown' || kind === 'engineError') {
    lines.push(formatRegisters(registers, system).replace(/^/gm, '  '));
  }
  return endingText(outcome, style, lines);
}

/** A storm of interrupts that a HLT or a triple fault happened to end. It takes a while to fill a stack. */
function stormLine(outcome: HostedOutcome, memory?: GuestMemory): string | undefined {
  const { registers, system } = outcome;
  if (memory === undefined || !couldBeStorm(outcome)) return undefined;
  return stormText({ registers, system, memory });
}

/** Says on stderr why the guest died. */
export function printExplanation(explanation: Explanation): void {
  const style = styleFor(standardError);
  const text = formatExplanation(explanation)
    .replace(/^why:.*$/m, (line) => style.bold(line))
    .replace(/^ {2}(what the CPU looked at|the likely mistake)$/gm, (line) => style.yellow(line));
  say(`\n${text}\n`);
}

/** The tables of `--stat`: what this monitor counted, and what the engine counted in the same run. */
export function printStatistics(
  { statistics, engine, counters = [], assistance, translation }: HostedOutcome,
  nameOf?: (address: bigint) => string,
): void {
  const width = process.stderr.columns ?? 100;
  say(`${formatStatistics(statistics as StatisticsJson, { width })}\n`);
  if (assistance !== undefined) {
    const { times, instructions } = assistance;
    say(
      `\nassisted: ${engine} gave up ${times} time${times === 1 ? '' : 's'}; the software CPU ran ${instructions} instructions for it\n`,
    );
  }
  if (translation !== undefined) say(`\n${translationText(translation, nameOf)}\n`);
  if (counters.length === 0) {
    say(`\nno kernel counters: ${engine} is not part of the kernel\n`);
    return;
  }
  // Counters are shown as the difference over this run; levels and peaks as they are.
  const ofRun = counters.map((row) => (row.kind === 'cumulative' ? { ...row, value: row.change ?? 0 } : row));
  say(`\ncounted by ${engine} itself:\n${formatCounters(ofRun)}\n`);
}

/** The work of the software CPU's translator: the addresses where its code was left most often, and why it stopped translating, if it did. */
function translationText(
  done: NonNullable<HostedOutcome['translation']>,
  nameOf: (address: bigint) => string = (address) => `0x${address.toString(16)}`,
): string {
  const { instructions, translated, functions, size, bytes, ms, left, places, stopped } = done;
  const share = instructions === 0 ? 0 : (100 * Math.min(translated, instructions)) / instructions;
  const text = [
    `translated: ${share.toFixed(1)} % of ${instructions} instructions ran as WebAssembly;`,
    `${functions} functions of ${size} instructions, ${Math.ceil(bytes / 1024)} KiB, made in ${ms.toFixed(0)} ms,`,
    `left ${left} times in their middle`,
  ].join(' ');
  const lines = places.map(({ rip, times, enters }) => {
    const why = enters
      ? 'continued in code that is not translated'
      : 'left: the interpreter executed the instruction';
    return `  ${String(times).padStart(10)}  ${nameOf(rip)}: ${why}`;
  });
  if (stopped !== undefined) lines.push(`translation has stopped: ${stopped}`);
  return [text, ...lines].join('\n');
}

/** The traffic of each SIMVIRTIO device, for `--stat`. */
export function printSimvirtio({ devices, passes, sleeps }: SimvirtioReport): void {
  const looked =
    passes === undefined ? 'by exits' : `by polling: ${passes} polls, the thread slept ${sleeps} times`;
  const lines = devices.map(
    ({ name, phase, transmitted, received, resets, refused }) =>
      `  ${name.padEnd(8)} ${phase.padEnd(12)} ${transmitted} bytes from the guest, ${received} to it, ` +
      `${resets} resets${refused === 0 ? '' : `, ${refused} times refused`}`,
  );
  say(`\nSIMVIRTIO ${looked}\n${lines.join('\n')}\n`);
}
