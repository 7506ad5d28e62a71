/**
 * Kicks a thread out of KVM_RUN: with SIGURG, which the thread blocks except inside the guest (KVM_SET_SIGNAL_MASK), so that no
 * signal is lost and none interrupts other code. The default action of SIGURG is to do nothing, so a late one is harmless.
 *
 * All functions here act on the calling thread, except `kickThread`.
 *
 * @module
 */
import { errnoNumbers } from './errno.js';
import { callFailed, KvmError } from './errors.js';
import { kvm_signal_mask } from './layout.js';
import * as c from './libc.js';

/** glibc's sigset_t is 128 bytes; the kernel's is the first 8. */
const SIGSET_BYTES = 128;
const KERNEL_SIGSET_BYTES = 8;

const urgent = new Uint8Array(SIGSET_BYTES);
urgent[(c.SIGURG - 1) >> 3] = 1 << ((c.SIGURG - 1) & 7);
const before = new Uint8Array(SIGSET_BYTES);
/** struct timespec of zeros: do not wait. */
const now = new BigInt64Array(2);

let users = 0;
let thread = 0;

/** The operating system's ID of this thread. */
export function threadId(): number {
  if (thread === 0) thread = c.libc().syscall(c.SYS_gettid, 0, 0, 0);
  return thread;
}

/** Blocks the kick signal in this thread until as many calls of `unblockKicks`. */
export function blockKicks(): void {
  if (users === 0) {
    const error = c.libc().sigmask(c.SIG_BLOCK, urgent, before);
    if (error !== 0) throw callFailed('pthread_sigmask', error);
  }
  users++;
}

export function unblockKicks(): void {
  users--;
  if (users > 0) return;
  drainKicks();
  const wasBlocked = (before[(c.SIGURG - 1) >> 3]! & urgent[(c.SIGURG - 1) >> 3]!) !== 0;
  if (!wasBlocked) c.libc().sigmask(c.SIG_UNBLOCK, urgent, null);
}

const mask = new DataView(new ArrayBuffer(kvm_signal_mask.sigset + KERNEL_SIGSET_BYTES));

/**
 * A `struct kvm_signal_mask`, always the same object: inside the guest the kick signal is not blocked. Valid between
 * block and unblock.
 */
export function guestSignalMask(): DataView {
  mask.setUint32(kvm_signal_mask.len, KERNEL_SIGSET_BYTES, true);
  for (let i = 0; i < KERNEL_SIGSET_BYTES; i++) {
    mask.setUint8(kvm_signal_mask.sigset + i, before[i]! & ~urgent[i]!);
  }
  return mask;
}

/** Consumes all pending kicks. */
export function drainKicks(): void {
  while (c.libc().sigtimedwait(urgent, null, now) > 0);
}

/** Kicks thread `tid` of this process out of its guest. False where the thread has ended. */
export function kickThread(tid: number): boolean {
  if (c.libc().syscall(c.SYS_tgkill, process.pid, tid, c.SIGURG) === 0) return true;
  const errno = c.libc().errno();
  if (errno === errnoNumbers.ESRCH || errno === errnoNumbers.EAGAIN) return false;
  throw callFailed('tgkill', errno);
}

/** Names the calling thread for `top -H` and `/proc`; the kernel keeps the first 15 bytes. */
export function setThreadName(name: string): void {
  const bytes = new Uint8Array(16);
  new TextEncoder().encodeInto(name, bytes.subarray(0, 15));
  if (c.libc().prctl(c.PR_SET_NAME, bytes) !== 0) throw callFailed('prctl', c.libc().errno());
}

/** A timer that kicks the thread that made it (timer_create(2), SIGEV_THREAD_ID). */
export class KickTimer implements Disposable {
  #id = -1;
  /** struct itimerspec: interval and first expiry, seconds and nanoseconds of 64 bits each; the upper halves stay 0. */
  readonly #spec = new Int32Array(8);

  constructor() {
    // struct sigevent, 64 bytes: value @0, signal @8, kind @12, thread @16.
    const event = new Int32Array(16);
    event[2] = c.SIGURG;
    event[3] = c.SIGEV_THREAD_ID;
    event[4] = threadId();
    const id = new Int32Array(1);
    if (c.libc().timerCreate(c.SYS_timer_create, c.CLOCK_MONOTONIC, event, id) !== 0) {
      throw callFailed('timer_create', c.libc().errno());
    }
    this.#id = id[0]!;
  }

  /** Fires after `firstMs` and then every `intervalMs`; 0 for both turns it off. */
  set(firstMs: number, intervalMs: number): void {
    checkTime(firstMs);
    checkTime(intervalMs);
    this.#put(0, intervalMs);
    this.#put(4, firstMs === 0 ? intervalMs : firstMs);
    if (c.libc().timerSet(c.SYS_timer_settime, this.#id, 0, this.#spec, null) !== 0) {
      throw callFailed('timer_settime', c.libc().errno());
    }
  }

  #put(at: number, ms: number): void {
    // Whole nanoseconds, and at least one: 0 would mean never.
    const nanoseconds = ms === 0 ? 0 : Math.max(1, Math.round(Math.min(ms, MAX_TIMER_MS) * 1e6));
    this.#spec[at] = Math.floor(nanoseconds / 1e9);
    this.#spec[at + 2] = nanoseconds % 1e9;
  }

  [Symbol.dispose](): void {
    if (this.#id < 0) return;
    c.libc().syscall(c.SYS_timer_delete, this.#id, 0, 0);
    this.#id = -1;
  }
}

/** Longer waits are shortened to this, about 12 days. */
const MAX_TIMER_MS = 1e9;

function checkTime(ms: number): void {
  if (ms >= 0) return;
  throw new KvmError('EINVAL', `a timer cannot run for ${ms} ms`, { hint: 'give a number from 0' });
}
