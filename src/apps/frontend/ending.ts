/**
 * The reports about every run: how it ended, and notes while it runs. The report about a bad end is in `outcome-text.ts`, which takes
 * longer to load than a good end takes to report.
 *
 * @module
 */
import { endsBadly, missingAt } from '../../explain/index.js';
import type { HostedMachine, HostedOutcome } from '../../runtime/index.js';
import { say, standardError } from './standard-output.js';
import { type Style, styleFor } from './style.js';
import { formatDuration } from './values.js';

/** Unclaimed addresses that are named at the end of a run; the report has more. */
const UNCLAIMED_SHOWN = 4;

/**
 * Shows what the guest logs by hypercall on stderr, each line after `guest: `, so that it is not taken for Terrarium's
 * own words. The lines come with their control characters made visible.
 */
export function printGuestLog(machine: HostedMachine): void {
  const style = styleFor(standardError);
  let started = false;
  machine.onLog((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    const lines = text.replace(/^/gm, (_, at: number) =>
      at === text.length || (at === 0 && started) ? '' : style.dim('guest: '),
    );
    started = !text.endsWith('\n');
    return standardError.write(Buffer.from(lines, 'latin1'));
  });
}

/** Says on stderr that `auto` did not take KVM, and why. */
export function printEngine({ engine, engineBecause }: HostedMachine): void {
  // The user who set the variable knows it.
  if (engineBecause === undefined || process.env.TERRARIUM_ENGINE !== undefined) return;
  const style = styleFor(standardError);
  const running = engine === 'soft' ? 'running on the software CPU' : `running on ${engine}`;
  say(`${style.bold('terrarium:')} ${engineBecause}: ${running}\n`);
}

/** How much a guest wrote to disks, and how to keep it. */
function writtenText({ name, file, bytes }: { name: string; file: string; bytes: number }): string {
  const size = bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)}K` : `${(bytes / 2 ** 20).toFixed(1)}M`;
  const option = name.startsWith('fd') ? '--floppy' : '--disk';
  return `  ${size} were written to ${name} and are lost: ${option} ${file},write keeps them there, ${option} ${file},keep=COPY in a copy`;
}

/** No storm of interrupts is over sooner: milliseconds. */
const STORM_MS = 5;

/** An end that an interrupt without a handler may have led to: `stormText` looks. */
export const couldBeStorm = ({ kind, elapsedMs, system }: HostedOutcome): boolean =>
  (kind === 'halted' || kind === 'shutdown') && elapsedMs >= STORM_MS && (system.cr0 & 1n) === 0n;

/** How a run ended: a line, further notes, and the addresses that no device answered. */
export function endingText(outcome: HostedOutcome, style: Style, more: readonly string[] = []): string {
  const { engine, exits, coalesced, elapsedMs } = outcome;
  const lines = [
    `${style.bold('terrarium:')} ${engine}: ${endOf(outcome, style)}${outcome.others ? ` on CPU ${outcome.cpu}` : ''} after ${exits} exit${exits === 1 ? '' : 's'}` +
      `${coalesced > 0 ? ` and ${coalesced} coalesced writes` : ''} in ${formatDuration(elapsedMs)}`,
    ...more,
    ...(outcome.remarks ?? []).map((remark) => `  ${remark}`),
    ...(outcome.written ?? []).map(writtenText),
  ];
  if (outcome.assistance?.because !== undefined)
    lines.push(style.dim(`  ${outcome.assistance.because}: from there on the guest ran on the software CPU`));
  for (const { space, address, write, count } of outcome.unclaimed.slice(0, UNCLAIMED_SHOWN)) {
    const times = count === 1 ? 'once' : `${count} times`;
    const verb = write ? 'wrote' : 'read';
    const place = space === 'port' ? 'port' : 'address';
    const missing = missingAt(space, address);
    // The reason for its wait is not repeated.
    const said = missing === undefined || more.some((line) => line.includes(missing.instead));
    const there = said ? '' : ` (${missing.what}: ${missing.instead})`;
    lines.push(
      style.dim(
        `  nothing answers ${place} 0x${address.toString(16)}: the guest ${verb} it ${times}${there}`,
      ),
    );
  }
  const others = outcome.unclaimed.length - UNCLAIMED_SHOWN;
  if (others > 0) lines.push(style.dim(`  … and ${others} more addresses that nothing answers`));
  return lines.join('\n');
}

function endOf(outcome: HostedOutcome, style: Style): string {
  const at = `at cs:rip ${outcome.system.cs.selector.toString(16)}:${outcome.registers.rip.toString(16)}`;
  switch (outcome.kind) {
    case 'halted':
      return endsBadly(outcome) ? style.red('halted forever') : style.green('halted');
    case 'exited':
      return outcome.code === 0
        ? style.green('exited with code 0')
        : style.yellow(`exited with code ${outcome.code}`);
    case 'reset':
      return style.green('reset itself');
    case 'poweredOff':
      return style.green('switched off');
    case 'panicked':
      return style.red("ended by its kernel's panic");
    case 'shutdown':
      return style.red('shut down (triple fault)');
    case 'engineError':
      return `${style.red('engine error')} ${at}`;
    default:
      return `${style.yellow(outcome.reason)}, ${at},`;
  }
}

/** True for unwanted ends, which are always explained. */
export const needsExplanation: (
  outcome: Pick<HostedOutcome, 'kind' | 'reason' | 'registers' | 'system'>,
) => boolean = endsBadly;

/** The guest waited for an interrupt, and none can come. */
export function waitsForever(kind: string, reason: string): boolean {
  return kind === 'halted' && reason.includes('no interrupt can wake it');
}
