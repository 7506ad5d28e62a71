/**
 * SIMVIRTIO by polling, on its own thread: it polls shared memory while the guest runs without exits. `worker.ts` runs this;
 * `PollingThread` is the handle to it.
 *
 * @module
 */
import { type DeviceCounts, Simvirtio, standardBackends } from '../../devices/index.js';
import { GuestMemory, type MemoryRegion } from '../../memory/index.js';
import { SharedRing } from './shared-ring.js';

/** Words of the control block between a polling thread and its owner. */
export const PollControl = { command: 0 } as const;
export const pollControlBytes = 4;
/** Keep polling; poll until nothing is left and end; end now without waiting for a reader. */
export const PollCommand = { poll: 0, finish: 1, abandon: 2 } as const;

/** The start message of a polling thread. */
export interface PollChannels {
  memory: WebAssembly.Memory;
  regions: readonly MemoryRegion[];
  control: SharedArrayBuffer;
  output: SharedArrayBuffer;
}

/** The report about one run. */
export interface PollReport {
  devices: DeviceCounts[];
  /** How often all devices were polled, and how often the thread slept in between. */
  passes: number;
  sleeps: number;
}

/** The number of idle polls before the thread sleeps: a fraction of a millisecond, in which most drivers continue. */
const IDLE_POLLS = 2000;
/** The first sleep, and the longest, in milliseconds; each is twice as long as the one before, until a driver has work. */
const SHORTEST_SLEEP = 0.05;
const LONGEST_SLEEP = 1;

/** The devices of one machine, on the thread that polls them. */
export class Poller {
  readonly #devices: Simvirtio;
  readonly #control: Int32Array;

  /** @param notify notifies the owner of output to read */
  constructor({ memory, regions, control, output }: PollChannels, notify: () => void) {
    this.#control = new Int32Array(control);
    const ring = new SharedRing(output);
    const abandoned = () => Atomics.load(this.#control, PollControl.command) === PollCommand.abandon;
    const backends = standardBackends((bytes) => ring.write(bytes, notify, abandoned));
    this.#devices = new Simvirtio(GuestMemory.attach(memory, regions), { backends });
  }

  /** Polls until the command changes. Requests that the guest made before `finish` are completed. */
  run(): PollReport {
    const control = this.#control;
    let passes = 0;
    let sleeps = 0;
    let idle = 0;
    let sleep = SHORTEST_SLEEP;
    for (;;) {
      // Read before the poll: requests made before the command are part of it.
      const command = Atomics.load(control, PollControl.command);
      if (command === PollCommand.abandon) break;
      const done = this.#devices.service();
      passes++;
      if (done > 0) {
        idle = 0;
        sleep = SHORTEST_SLEEP;
      } else if (command === PollCommand.finish) break;
      else if (++idle > IDLE_POLLS) {
        sleeps++;
        Atomics.wait(control, PollControl.command, PollCommand.poll, sleep);
        sleep = Math.min(2 * sleep, LONGEST_SLEEP);
      }
    }
    return { devices: this.#devices.counts, passes, sleeps };
  }
}
