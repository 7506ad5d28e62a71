/**
 * The reply to gdb when the guest has stopped.
 *
 * @module
 */
import type { Outcome } from '../../machine/index.js';
import type { Stop } from '../stop.js';
import { hexText } from './packets.js';

/** gdb's numbers of signals, which are Linux's for these. */
const SIGINT = 2;
const SIGILL = 4;
const SIGTRAP = 5;
const SIGSEGV = 11;

/** The kind of a breakpoint: gdb must be told which kind stopped the guest. */
export interface KnownBreakpoints {
  software: ReadonlySet<bigint>;
  hardware: ReadonlySet<bigint>;
}

/** The reply's text, and whether the guest has ended for gdb. */
export interface StopReply {
  /** Packets: possibly a message for the user, then the reply. */
  packets: string[];
  over: boolean;
}

export function replyTo(stop: Stop, known: KnownBreakpoints): StopReply {
  if (stop.why === 'end') return replyToEnd(stop.outcome!, stop.again === true);
  return {
    packets: [stopped(stop.cpu, stop.why === 'interrupt' ? SIGINT : SIGTRAP, detailOf(stop, known))],
    over: false,
  };
}

/** gdb's number of a thread, in hexadecimal: it counts from 1, CPUs count from 0. */
export function threadOf(cpu: number): string {
  return (cpu + 1).toString(16);
}

function stopped(cpu: number, signal: number, detail = ''): string {
  return `T${hex2(signal)}thread:${threadOf(cpu)};${detail}`;
}

function detailOf({ why, touched, pc }: Stop, { software, hardware }: KnownBreakpoints): string {
  if (why === 'watchpoint' && touched !== undefined)
    return `${{ write: 'watch', read: 'rwatch', access: 'awatch' }[touched.on]}:${touched.address.toString(16)};`;
  if (why === 'begin') return 'replaylog:begin;';
  if (why !== 'breakpoint') return '';
  return software.has(pc) ? 'swbreak:;' : hardware.has(pc) ? 'hwbreak:;' : '';
}

/**
 * A guest that exits with a code has ended. One that halts, faults or cannot continue stops once more, for inspection; the next
 * attempt to run it reports that it has ended.
 */
function replyToEnd({ kind, cpu, code = 0, reason, failure }: Outcome, again: boolean): StopReply {
  if (kind === 'exited') return { packets: [`W${hex2(code)}`], over: true };
  const signal = kind === 'shutdown' ? SIGSEGV : kind === 'engineError' ? SIGILL : 0;
  if (again) return { packets: [signal === 0 ? 'W00' : `X${hex2(signal)}`], over: true };
  const hint = failure?.hint === undefined ? '' : ` (${failure.hint})`;
  const words = `terrarium: ${reason}${hint}; its registers and memory are as it left them, and 'monitor why' explains it\n`;
  return { packets: [`O${hexText(words)}`, stopped(cpu, signal)], over: false };
}

function hex2(value: number): string {
  return value.toString(16).padStart(2, '0');
}
