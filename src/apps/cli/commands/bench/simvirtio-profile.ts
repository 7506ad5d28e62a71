/**
 * The profile that the SO2 assignment asks for: what SIMVIRTIO costs by exits and by polling, for the same guest.
 *
 * @module
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineName } from '../../../../config/index.js';
import { type Notification, notifications } from '../../../../devices/index.js';
import { TerrariumError } from '../../../../errors.js';
import { hostMachine, loadImage } from '../../../../runtime/index.js';

/** One way of sending, measured. */
export interface ProfileRow {
  notification: Notification;
  /** Bytes that the guest announces together. */
  batch: number;
  bytes: number;
  exits: number;
  /** Wall time of the run in milliseconds, from the guest's first instruction to its HLT. */
  ms: number;
  bytesPerSecond: number;
  /** Microseconds from one exit to the next; null where there are too few. */
  exitUs: number | null;
  /** By polling: how often the thread polled, and how often it slept. */
  passes?: number;
  sleeps?: number;
}

/** Where the guest's loop runs. */
export type Ring = 0 | 3;

export interface ProfileOptions {
  /** Default 3: native on every host. */
  ring?: Ring;
  engine?: EngineName;
}

/** What is measured: bytes that are announced together. */
export const BATCHES = [1, 4, 16, 64, 256, 1024] as const;

/** Where `simvirtio-speed.c` reads its parameters. */
const WANTED_BYTES = 0x500;
const WANTED_BATCH = 0x508;
const WANTED_KERNEL = 0x510;
/** The sink is the device that the guest sends to. */
const SINK = 2;
/** Announcements in a run by exits, each an exit; by polling a run takes as many bytes as fill some milliseconds. */
const ANNOUNCEMENTS = 300;
const POLLED_BYTES = 2 ** 20;
const MAX_POLLED_BYTES = 2 ** 24;
/** From ring 0, which some hosts emulate. */
const MAX_KERNEL_BYTES = 2 ** 14;
/** With fewer exits than this, the start of the guest dominates the time. */
const EXITS_TO_TELL = 100;
const TIMEOUT_MS = 20_000;

function bytesFor(notification: Notification, batch: number, ring: Ring): number {
  if (notification === 'exits')
    return Math.min(ANNOUNCEMENTS * batch, ring === 0 ? MAX_KERNEL_BYTES : Infinity);
  return Math.min(POLLED_BYTES * batch, ring === 0 ? MAX_KERNEL_BYTES : MAX_POLLED_BYTES);
}

/**
 * Runs `guests/simvirtio-speed` once.
 * @throws TerrariumError where the guest did not send everything
 */
export async function profileOnce(
  notification: Notification,
  batch: number,
  { ring = 3, engine = 'auto' }: ProfileOptions = {},
): Promise<ProfileRow> {
  const bytes = bytesFor(notification, batch, ring);
  const folder = fileURLToPath(new URL('guests/simvirtio-speed', import.meta.resolve('#package')));
  const { image, spec } = loadImage(path.resolve(folder));
  await using machine = await hostMachine({ ...spec, image, engine, simvirtio: notification });
  machine.memory.write64(WANTED_BYTES, BigInt(bytes));
  machine.memory.write64(WANTED_BATCH, BigInt(batch));
  machine.memory.write64(WANTED_KERNEL, ring === 0 ? 1n : 0n);
  machine.onOutput(() => {});
  const { kind, reason, exits, elapsedMs: ms, simvirtio } = await machine.run({ timeoutMs: TIMEOUT_MS });
  const sent = simvirtio?.devices[SINK]?.transmitted;
  if (kind !== 'halted' || sent !== bytes) {
    throw new TerrariumError('EBENCH', `${sent} of ${bytes} bytes arrived by ${notification}: ${reason}`);
  }
  return {
    notification,
    batch,
    bytes,
    exits,
    ms,
    bytesPerSecond: (bytes / ms) * 1000,
    exitUs: exits < EXITS_TO_TELL ? null : (ms * 1000) / exits,
    ...(simvirtio?.passes !== undefined && { passes: simvirtio.passes }),
    ...(simvirtio?.sleeps !== undefined && { sleeps: simvirtio.sleeps }),
  };
}

/** Every way of sending: the median run of `rounds`, by throughput. */
export async function profile(rounds: number, options?: ProfileOptions): Promise<ProfileRow[]> {
  const rows: ProfileRow[] = [];
  for (const notification of notifications) {
    // The first run warms up and does not count.
    await profileOnce(notification, 1, options);
    for (const batch of BATCHES) {
      const runs: ProfileRow[] = [];
      for (let round = 0; round < rounds; round++) runs.push(await profileOnce(notification, batch, options));
      runs.sort((a, b) => a.bytesPerSecond - b.bytesPerSecond);
      rows.push(runs[runs.length >> 1]!);
    }
  }
  return rows;
}
