import type { FromWorker, SavedMachine, ToWorker } from './protocol.js';

/** Where a hosted machine lives: a thread of its own, or the caller's between two turns of its event loop. */
export interface Place {
  /** The shared state of the current run. */
  readonly control: Int32Array;
  /** True once it has made a machine whose guest runs in the host's kernel and must be kicked out of it. */
  hostKernel: boolean;
  /** The error that ended the place, where it ended by itself. */
  readonly failed: Error | undefined;
  /** One request at a time. Rejects with the error that was thrown there. */
  ask<T extends FromWorker['type']>(message: ToWorker, answer: T): Promise<Extract<FromWorker, { type: T }>>;
  /** Makes the machine look at its control block and its devices, wherever it is. */
  kick(): void;
  /** Cancels a request to stop that came too late for the previous run. */
  clearRequest(): void;
  /** Asks the current run to stop; the caller repeats it until it has. */
  requestStop(): void;
  /**
   * The state of the machine in the middle of its run, which continues; undefined where the run has ended before. Rejects where the
   * state cannot be saved.
   */
  saveRunning(): Promise<SavedMachine | undefined>;
  /** Gets the machine out of its guest without the event loop; for a process that ends. */
  leaveGuest(): void;
  /** Has the machine disposed of. It must be out of its guest. */
  disposeMachine(): Promise<void>;
  /** Releases the place. @param foreign the user's own modules ran there */
  release(foreign: boolean): Promise<void>;
}
