/**
 * How a Linux kernel died, or what it survived: the last oops and the panic in its log, taken apart.
 *
 * The kernel has unwound its own stack and named each function (`arch/x86/kernel/dumpstack.c`). Its lines are data of the guest: they are
 * matched, never trusted.
 *
 * @module
 */
import type { LinuxLogRecord } from './log.js';

/** An oops, a panic, or a lockup. */
export interface LinuxDeath {
  /** The kernel's words: `kernel NULL pointer dereference, address: 0000000000000010`. */
  readonly reason: string;
  /** It does not go on; its words after `not syncing`. */
  readonly panic?: string;
  readonly who?: { readonly cpu: number; readonly pid: number; readonly name: string };
  /** Symbol and offset of the instruction; an address for one of a program. */
  readonly where?: string;
  /** The functions that called each other, the innermost first. Those of which the kernel is not sure are left out. */
  readonly calls: readonly string[];
  /** Lines of the log before. */
  readonly before: readonly string[];
}

/** What begins a report (`arch/x86/mm/fault.c`, `traps.c`, `lib/bug.c`, `kernel/watchdog.c`). */
const BEGINS =
  /^(?:BUG: |kernel BUG at |Oops: |general protection|invalid opcode: |divide error: |int3: |stack segment: |double fault: |traps: PANIC|PANIC: |watchdog: BUG: |kernel tried to execute|Unable to handle)/;
const PANIC = /^Kernel panic - not syncing: (.*)/;
/** Trailing words of a report: it has ended. */
const ENDS = /^---\[ end /;
const WHO = /^CPU: (\d{1,5}) (?:UID: \d+ )?PID: (\d{1,10}) Comm: (.{1,15}?) (?:Not tainted|Tainted:|Kdump)/;
const WHERE = /^RIP: (00[0-9a-f]{2}):(\S{1,600})/;
const CALL = /^ ([A-Za-z_][\w.$]{0,511}\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[\w-]+\])?)$/;

const MOST_CALLS = 40;
const LINES_BEFORE = 5;
/** Records of one report. */
const LONGEST_REPORT = 400;

/** The last report in a log, and the panic. */
export function readDeath(log: readonly LinuxLogRecord[]): LinuxDeath | undefined {
  const lines = log.flatMap(({ text }) => text.split('\n'));
  const panicAt = lines.findLastIndex((line) => PANIC.test(line));
  const panic = panicAt < 0 ? undefined : PANIC.exec(lines[panicAt]!)?.[1];
  const begin = beginOf(lines, panicAt < 0 ? lines.length : panicAt);
  // An oops that the kernel survived long ago is not the reason for a panic: the panic says when it is.
  const ofOops = begin >= 0 && (panic === undefined || /fatal exception|lockup|hung/i.test(panic));
  const from = ofOops ? begin : panicAt;
  if (from < 0) return undefined;
  const end = lines.findIndex((line, n) => n > from && ENDS.test(line));
  const report = lines.slice(from, Math.min(end < 0 ? lines.length : end, from + LONGEST_REPORT));
  const who = first(report, WHO);
  const where = first(report, WHERE);
  return {
    reason: (ofOops ? report[0]! : panic!).replace(/^BUG: /, ''),
    ...(panic !== undefined && { panic }),
    ...(who && { who: { cpu: Number(who[1]), pid: Number(who[2]), name: who[3]! } }),
    ...(where && { where: where[1] === '0010' ? where[2]! : `a program’s ${where[2]}` }),
    calls: report.flatMap((line) => CALL.exec(line)?.[1] ?? []).slice(0, MOST_CALLS),
    before: lines.slice(Math.max(0, from - LINES_BEFORE), from),
  };
}

/** The first line of the report before `end`: several lines of it may look like a beginning. */
function beginOf(lines: readonly string[], end: number): number {
  let begin = -1;
  for (let n = end - 1; n >= 0; n--) {
    if (begin >= 0 && (ENDS.test(lines[n]!) || begin - n > 8)) break;
    if (BEGINS.test(lines[n]!)) begin = n;
  }
  return begin;
}

function first(lines: readonly string[], pattern: RegExp): RegExpExecArray | undefined {
  for (const line of lines) {
    const found = pattern.exec(line);
    if (found !== null) return found;
  }
  return undefined;
}
