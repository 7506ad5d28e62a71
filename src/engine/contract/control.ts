/**
 * The control block: words of shared memory between the thread that runs a CPU and those that may stop it. `newControl()`
 * makes one; used with Atomics only.
 */
export const Control = {
  /** Not 0: the CPU's thread must return. The machine defines the number's meaning. */
  request: 0,
  /** 1 while the CPU's thread is in its run loop. The code that stops it waits for this. */
  running: 1,
  /** The operating system's number of the thread that runs the CPU, 0 where there is none. */
  thread: 2,
  /** Counts the calls of `wakeThread`. */
  wake: 3,
  /** Not 0: the run should return briefly, where it can; see `Share`. */
  pause: 4,
} as const;

export const controlWords = 5;

export const controlBytes = controlWords * 4;

/** A shared buffer costs 5 µs, 1 % of a machine's life: one serves this many control blocks. None is used twice. */
const BLOCKS = 64;

let blocks: SharedArrayBuffer | undefined;

let used = 0;

/** A control block of zeros in shared memory. */
export function newControl(): Int32Array {
  if (blocks === undefined || used === BLOCKS) {
    blocks = new SharedArrayBuffer(BLOCKS * controlBytes);
    used = 0;
  }
  return new Int32Array(blocks, used++ * controlBytes, controlWords);
}

/**
 * Wakes the CPU's thread where it sleeps because the guest halted: it then checks its control block and its devices. A
 * thread that is inside the guest is stopped with `Engine.kick`.
 */
export function wakeThread(control: Int32Array): void {
  Atomics.add(control, Control.wake, 1);
  Atomics.notify(control, Control.wake);
}
