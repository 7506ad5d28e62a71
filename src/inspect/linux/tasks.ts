/**
 * The tasks of a Linux guest, as its scheduler has them (`include/linux/sched.h`), by the members that its BTF names.
 *
 * @module
 */
import { printable } from '../../symbols/index.js';
import { columns } from '../explorer/words.js';
import type { Btf, Field } from './btf.js';
import type { LinuxKernel } from './kernel.js';

/** PID_MAX_LIMIT is higher; a list that is longer than this loops, or is of no use as text. */
const MOST_TASKS = 1 << 15;

/** A process or a thread of one. */
export interface LinuxTask {
  readonly pid: number;
  /** The process: its first thread's number. */
  readonly tgid: number;
  readonly parent: number;
  /** As `ps` writes it: `R`, `S`, `D`, `T`, `t`, `X`, `Z`, `P`, `I`. */
  readonly state: string;
  /** The CPU that runs it now. */
  readonly running?: number;
  /** A thread of the kernel. */
  readonly kernel: boolean;
  /** Nanoseconds that it ran. */
  readonly ran: bigint;
  readonly name: string;
  /** Address of its `task_struct`. */
  readonly at: bigint;
}

/** Flags of `__state` and `exit_state`, the first that is set counts (`task_state_array` in `fs/proc/array.c`). */
const states: readonly (readonly [number, string])[] = [
  [0x10, 'X'],
  [0x20, 'Z'],
  [0x40, 'P'],
  [0x08, 't'],
  [0x04, 'T'],
  [0x02, 'D'],
  [0x01, 'S'],
];
const PF_KTHREAD = 0x20_0000n;
/** TASK_UNINTERRUPTIBLE | TASK_NOLOAD. */
const IDLE = 0x402;

/** The members that are read; a kernel without one of them is shown without it. */
function fieldsOf(btf: Btf) {
  const field = (path: string) => btf.field('task_struct', path);
  const [tasks, pid, tgid, comm] = ['tasks', 'pid', 'tgid', 'comm'].map(field);
  const state = field('__state') ?? field('state');
  if (!tasks || !pid || !tgid || !comm || !state) return undefined;
  return {
    ...{ tasks, pid, tgid, comm, state },
    exit: field('exit_state'),
    parent: field('real_parent'),
    flags: field('flags'),
    onCpu: field('on_cpu'),
    cpu: field('thread_info.cpu') ?? field('cpu'),
    ran: field('se.sum_exec_runtime'),
    signal: field('signal'),
    thread: field('thread_node'),
    threads: btf.field('signal_struct', 'thread_head'),
  };
}
type Fields = NonNullable<ReturnType<typeof fieldsOf>>;

/** All tasks in the order of the kernel's list, each process with its threads; without the idle task. */
export function readTasks(kernel: LinuxKernel): LinuxTask[] {
  const fields = kernel.btf && fieldsOf(kernel.btf);
  const first = kernel.address('init_task');
  if (fields === undefined || first === undefined) return [];
  const tasks: LinuxTask[] = [];
  const { tasks: node } = fields;
  for (const leader of listed(kernel, first + BigInt(node.offset), node)) {
    const threads = threadsOf(kernel, fields, leader);
    for (const at of threads.length > 0 ? threads : [leader]) {
      const task = readTask(kernel, fields, at);
      if (task !== undefined) tasks.push(task);
      if (tasks.length >= MOST_TASKS) return tasks;
    }
  }
  return tasks;
}

/** The structures of a `list_head`, from the member through which they are linked. */
function listed(kernel: LinuxKernel, head: bigint, member: Field): bigint[] {
  const found: bigint[] = [];
  const seen = new Set<bigint>([head]);
  for (let at = kernel.number(head, 8); at !== undefined && !seen.has(at); at = kernel.number(at, 8)) {
    seen.add(at);
    found.push(BigInt.asUintN(64, at - BigInt(member.offset)));
    if (found.length >= MOST_TASKS) break;
  }
  return found;
}

function threadsOf(kernel: LinuxKernel, { signal, thread, threads }: Fields, task: bigint): bigint[] {
  const shared = signal && kernel.number(task + BigInt(signal.offset), 8);
  if (!shared || thread === undefined || threads === undefined) return [];
  return listed(kernel, shared + BigInt(threads.offset), thread);
}

function readTask(kernel: LinuxKernel, fields: Fields, at: bigint): LinuxTask | undefined {
  const number = (field: Field | undefined, of = at) =>
    field && kernel.number(of + BigInt(field.offset), Math.min(field.size, 8));
  const pid = number(fields.pid);
  if (pid === undefined) return undefined;
  const exit = Number(number(fields.exit) ?? 0n);
  const state = Number(number(fields.state) ?? 0n);
  const parent = number(fields.parent);
  const runs = number(fields.onCpu) === 1n;
  return {
    pid: Number(pid),
    tgid: Number(number(fields.tgid) ?? pid),
    parent: Number((parent && number(fields.tgid, parent)) || 0n),
    state: letterOf(exit | state),
    ...(runs && { running: Number(number(fields.cpu) ?? 0n) }),
    kernel: ((number(fields.flags) ?? 0n) & PF_KTHREAD) !== 0n,
    ran: number(fields.ran) ?? 0n,
    name: printable(kernel.text(at + BigInt(fields.comm.offset), fields.comm.size)),
    at,
  };
}

function letterOf(state: number): string {
  if ((state & IDLE) === IDLE) return 'I';
  return states.find(([bit]) => state & bit)?.[1] ?? 'R';
}

/** A line for each task. Names of the kernel's own threads are in brackets, as in `ps`. */
export function formatTasks(tasks: readonly LinuxTask[]): string {
  const rows = tasks.map((task) => [
    String(task.pid).padStart(6),
    String(task.parent).padStart(6),
    task.state + (task.running === undefined ? '' : ` on CPU ${task.running}`),
    `${(Number(task.ran) / 1e6).toFixed(1)} ms`.padStart(11),
    (task.kernel ? `[${task.name}]` : task.name) +
      (task.pid === task.tgid ? '' : `  (thread of ${task.tgid})`),
  ]);
  return columns([['   PID', 'PARENT', 'STATE', '        RAN', 'NAME'], ...rows]).join('\n');
}
