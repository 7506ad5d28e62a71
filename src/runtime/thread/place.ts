import type { FromWorker, SavedMachine, ToWorker } from './protocol.js';

/** Where a hosted machine lives: a thread of its own, or the caller's between two turns of its event loop. */
export interface Place {
  /** What both sides see of the run under way. */
  readonly control: Int32Array;
  /** True once it has made a machine whose guest runs in the host's kernel and has to be called out of there. */
  hostKernel: boolean;
  /** The error that ended the place, where it ended by itself. */
  readonly failed: Error | undefined;
  /** One question at a time. Rejects with what was thrown there. */
  ask<T extends FromWorker['type']>(message: ToWorker, answer: T): Promise<Extract<FromWorker, { type: T }>>;
  /** Makes the machine look at its control block and its devices, wherever it is. */
  kick(): void;
  /** Takes back a request to stop that came too late for the run before. */
  clearRequest(): void;
  /** Asks the run under way to stop; repeated by the caller until it has. */
  requestStop(): void;
  /**
   * The state of the machine in the middle of its run, which goes on; undefined where the run has ended before. Rejects where the
   * state cannot be saved.
   */
  saveRunning(): Promise<SavedMachine | undefined>;
  /** Gets the machine out of its guest without the event loop; for a process that ends. */
  leaveGuest(): void;
  /** Has the machine disposed of. It must be out of its guest. */
  disposeMachine(): Promise<void>;
  /** Gives the place back. @param foreign modules of the user's own ran there */
  release(foreign: boolean): Promise<void>;
}
