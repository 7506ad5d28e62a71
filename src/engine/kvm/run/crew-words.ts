/** The words that a vCPU's thread shares with the machine's. */
export const MEMBER = {
  /** One of `STATE`. Waited on by both. */
  state: 0,
  /** Why KVM_RUN failed; 0 where it did not. */
  errno: 1,
  /** The operating system's number of the thread; 0 before it has started. */
  thread: 2,
} as const;

export const memberWords = 3;

export const STATE = {
  /** The machine's thread has the vCPU. */
  rests: 0,
  /** The vCPU's thread has it: it is in the guest, or about to be. */
  inside: 1,
  /** It has exited the guest, and waits for the machine's thread. */
  left: 2,
  /** Its thread must end; it has ended. */
  ends: 3,
  ended: 4,
} as const;

/** The data with which a vCPU's thread is started. */
export interface ThreadData {
  fd: number;
  index: number;
  words: Int32Array;
  control: Int32Array;
}
