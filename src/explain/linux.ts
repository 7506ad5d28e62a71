/**
 * A Linux kernel that oopsed or panicked says so in its log: this is a better explanation than the state of the CPU afterwards.
 *
 * @module
 */
import { type LinuxDeath, LinuxKernel, readDeath, readLog } from '../inspect/index.js';
import type { Scene } from './scene.js';

/** Functions that report, and did nothing wrong. */
const REPORTING = /^(?:dump_stack|dump_stack_lvl|panic|show_stack)\b/;

/** What the kernel in a guest's memory reports; undefined where there is none, or where nothing is wrong with it. */
export function linuxDeath({ memory }: Pick<Scene, 'memory'>): LinuxDeath | undefined {
  const kernel = LinuxKernel.find(memory);
  return kernel && readDeath(readLog(kernel));
}

/** An ending in the form of `explain`. */
export function explainLinux({ reason, panic, who, where, calls, before }: LinuxDeath) {
  const oopsed = panic !== reason;
  const title =
    panic === undefined
      ? `the Linux kernel oopsed, and goes on: ${reason}`
      : `the Linux kernel panicked: ${reason}`;
  const steps = [];
  if (who !== undefined) {
    const task = who.pid === 0 ? 'the idle task' : `task ${who.pid} (${who.name})`;
    steps.push({ text: `it happened on CPU ${who.cpu}, in ${task}` });
  }
  if (where !== undefined) steps.push({ text: `the instruction is at ${where}`, ...meaning(reason) });
  const [innermost, ...callers] = calls.filter((call) => !REPORTING.test(call));
  if (innermost !== undefined) {
    const chain = callers.map((call) => `called by ${call}`).join(', ');
    const text = where === undefined ? `it was in ${innermost}` : `called by ${innermost}`;
    steps.push({ text: `${text}${chain && `, ${chain}`}` });
  }
  if (panic !== undefined && oopsed) steps.push({ text: `then the kernel panicked: ${panic}` });
  return {
    title,
    steps: steps.length > 0 ? steps : [{ text: 'its log has no more about it' }],
    evidence: before.map((line) => `its log before: ${line}`),
    mistakes: [advice(reason)],
  };
}

/** What the kernel's words mean. */
function meaning(reason: string): { why?: string } {
  const address = /address: ([0-9a-f]{16})/.exec(reason)?.[1];
  if (/NULL pointer dereference/.test(reason) && address !== undefined) {
    const offset = BigInt(`0x${address}`);
    return {
      why: `it uses a pointer that is NULL${offset === 0n ? '' : `, at the member with offset ${`0x${offset.toString(16)}`}`}`,
    };
  }
  if (/unable to handle page fault/.test(reason))
    return { why: 'it uses an address to which nothing is mapped: a wild or freed pointer' };
  if (/general protection/.test(reason))
    return { why: 'a pointer that is not canonical, often overwritten or freed memory' };
  if (/kernel BUG at/.test(reason)) return { why: 'a BUG() there: a condition that must not be' };
  if (/invalid opcode/.test(reason)) return { why: 'a BUG() there, or an instruction that this CPU lacks' };
  if (/lockup/.test(reason)) return { why: 'the CPU did nothing else for too long' };
  return {};
}

function advice(reason: string): string {
  if (/Attempted to kill init/.test(reason))
    return 'The first program of the initial file system, /init, ended. Its exit code is in the kernel’s words: 0x0000NN00 is status NN, 0x0000000b is signal 11.';
  if (/Unable to mount root|VFS: /.test(reason))
    return 'The kernel found no root file system: give --initrd, or --disk and root= in --append, and the driver’s module.';
  if (/No working init/.test(reason)) return 'The root file system has no program at /sbin/init or /init.';
  if (/sysrq/.test(reason)) return 'It was asked to, by sysrq.';
  return '--dump log shows the whole log of the kernel, --dump tasks its tasks.';
}
