/**
 * Several vCPUs of a VM, each with a thread. Their exits are answered on the machine's thread, one at a time, while the
 * other vCPUs are in the guest; the kernel delivers interrupts between them.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import { Control, type Crew, ExitKind } from '../../contract/index.js';
import { KvmError } from '../api/errors.js';
import { kickThread } from '../api/signal.js';
import type { KvmCpu } from './cpu.js';
import { MEMBER, memberWords, STATE, type ThreadData } from './crew-words.js';

/** How long a thread may take to start or to end, in milliseconds. */
const PATIENCE_MS = 10_000;
/** How long a kick may take before it is repeated. */
const KICK_MS = 2;

interface Member {
  readonly cpu: KvmCpu;
  readonly words: Int32Array;
}

/** See the module's comment. */
export class KvmCrew implements Crew {
  readonly #control: Int32Array;
  readonly #members: Member[] = [];
  /** When `run` returns `interrupted` next, in milliseconds of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #interval = 0;
  /** The member that is checked first; it changes, so that each gets its turn. */
  #first = 0;

  constructor(control: Int32Array) {
    this.#control = control;
  }

  /** Starts the thread of another vCPU. */
  add(cpu: KvmCpu): void {
    const words = new Int32Array(new SharedArrayBuffer(4 * memberWords));
    const data: ThreadData = { fd: cpu.handle.fd, index: cpu.index, words, control: this.#control };
    const worker = new Worker(new URL(import.meta.resolve('#vcpu')), { workerData: data });
    worker.on('error', (error) => process.emitWarning(error));
    worker.unref();
    this.#members.push({ cpu, words });
  }

  setTimer(firstMs: number, intervalMs: number): void {
    const first = firstMs === 0 && intervalMs === 0 ? Number.POSITIVE_INFINITY : firstMs;
    this.#due = performance.now() + first;
    this.#interval = intervalMs;
  }

  run(): KvmCpu {
    const control = this.#control;
    for (;;) {
      // Read before the members are checked: an exit that comes meanwhile must end the wait.
      const seen = Atomics.load(control, Control.wake);
      if (Atomics.load(control, Control.request) !== 0 || this.#rings()) return this.#interrupted();
      for (let n = 0; n < this.#members.length; n++) {
        const at = (this.#first + n) % this.#members.length;
        const member = this.#members[at]!;
        if (!this.#go(member)) continue;
        this.#first = at + 1;
        return member.cpu;
      }
      const woken = Atomics.wait(control, Control.wake, seen, this.#due - performance.now());
      // No member has exited: the monitor was requested.
      if (woken !== 'timed-out' && !this.#members.some(hasLeft)) return this.#interrupted();
    }
  }

  /** Lets a member continue; true where it has an exit to answer first. */
  #go({ cpu, words }: Member): boolean {
    const state = Atomics.load(words, MEMBER.state);
    if (state === STATE.inside) return false;
    if (state === STATE.left) {
      Atomics.store(words, MEMBER.state, STATE.rests);
      if (cpu.leave(words[MEMBER.errno]!)) return true;
    } else if (state !== STATE.rests)
      throw new KvmError('ECLOSED', `the thread of CPU ${cpu.index} has ended`);
    if (cpu.enter()) return true;
    Atomics.store(words, MEMBER.state, STATE.inside);
    Atomics.notify(words, MEMBER.state);
    return false;
  }

  #rings(): boolean {
    if (this.#due === Number.POSITIVE_INFINITY) return false;
    const now = performance.now();
    if (now < this.#due) return false;
    this.#due = this.#interval === 0 ? Number.POSITIVE_INFINITY : now + this.#interval;
    return true;
  }

  /** The monitor was requested. The first CPU's record reports that as `interrupted`, without an exit of the guest. */
  #interrupted(): KvmCpu {
    const { cpu } = this.#members[0]!;
    cpu.exit.kind = ExitKind.interrupted;
    return cpu;
  }

  call(cpu: number): void {
    const member = this.#members[cpu]!;
    if (!this.#callOut(member)) return;
    // Its own exit is reported at its next run.
    Atomics.store(member.words, MEMBER.state, STATE.rests);
    member.cpu.hold(member.words[MEMBER.errno]!);
  }

  rest(): void {
    // All at once: they leave at the same time.
    for (const member of this.#members)
      if (Atomics.load(member.words, MEMBER.state) === STATE.inside) kick(member);
    for (const { cpu } of this.#members) this.call(cpu.index);
  }

  sleepsForGood(): boolean {
    this.rest();
    return this.#members.every(({ cpu }) => cpu.sleepsForGood);
  }

  /** False where it was not in the guest. */
  #callOut(member: Member): boolean {
    const { cpu, words } = member;
    const limit = performance.now() + PATIENCE_MS;
    for (;;) {
      const state = Atomics.load(words, MEMBER.state);
      if (state === STATE.left) return true;
      if (state !== STATE.inside) return false;
      kick(member);
      Atomics.wait(words, MEMBER.state, STATE.inside, KICK_MS);
      if (performance.now() > limit)
        throw new KvmError('EBUSY', `CPU ${cpu.index} did not exit the guest within ${PATIENCE_MS} ms`);
    }
  }

  /** Ends the threads; none is in the guest. */
  end(): void {
    this.rest();
    for (const { words } of this.#members) {
      Atomics.store(words, MEMBER.state, STATE.ends);
      Atomics.notify(words, MEMBER.state);
      Atomics.wait(words, MEMBER.state, STATE.ends, PATIENCE_MS);
    }
    this.#members.length = 0;
  }
}

/** Signals a member's thread to exit the guest, or not to enter it. */
function kick({ cpu, words }: Member): void {
  cpu.leaveAtOnce();
  const thread = Atomics.load(words, MEMBER.thread);
  if (thread !== 0) kickThread(thread);
}

const hasLeft = ({ words }: Member) => Atomics.load(words, MEMBER.state) === STATE.left;
