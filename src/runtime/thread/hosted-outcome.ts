import type { DeviceCounts, VirtioView } from '../../devices/index.js';
import { abortReason } from '../../errors.js';
import type { TranslationsFound } from '../../inspect/index.js';
import type { Outcome } from '../../machine/index.js';
import type { Profile } from '../../profile/index.js';
import type { CounterRow } from '../../trace/index.js';
import type { FromWorker, WrittenDisk } from './protocol.js';

/** A run's outcome, and the counts where `statistics` was set. */
export interface HostedOutcome extends Outcome {
  readonly statistics?: unknown;
  /** The engine's own counters and their increase in this run, with `statistics`. */
  readonly counters?: readonly CounterRow[];
  /** Where the guest spent its instructions since the machine was made, with `profile`. */
  readonly profile?: Profile;
  /** The software CPU's translations, with `translations`. */
  readonly translations?: TranslationsFound;
  /** The traffic of each SIMVIRTIO device since the machine was made, where it has them. */
  readonly simvirtio?: SimvirtioReport;
  /** The virtio devices as the run has left them, where it has them: `--dump virtio` draws their rings. */
  readonly virtio?: readonly VirtioView[];
  /** The writes to disks whose changes are kept in memory, since the machine was made. */
  readonly written?: readonly WrittenDisk[];
}

/** SIMVIRTIO's report about a run. */
export interface SimvirtioReport {
  readonly devices: readonly DeviceCounts[];
  /** By polling: how often the devices were polled, and how often the polling thread slept. */
  readonly passes?: number;
  readonly sleeps?: number;
}

/** @param polled SIMVIRTIO's report where another thread polls its devices */
export function hostedOutcome(
  {
    outcome,
    statistics,
    counters,
    profile,
    translations,
    simvirtio,
    virtio,
    written,
  }: Extract<FromWorker, { type: 'outcome' }>,
  polled: SimvirtioReport | undefined,
  signal?: AbortSignal,
): HostedOutcome {
  const report = polled ?? (simvirtio && { devices: simvirtio });
  const aborted = outcome.kind === 'stopped' && signal?.aborted === true;
  return {
    ...outcome,
    ...(aborted && { reason: `aborted: ${abortReason(signal)}` }),
    ...(statistics !== undefined && { statistics }),
    ...(counters && { counters }),
    ...(profile && { profile }),
    ...(translations && { translations }),
    ...(report && { simvirtio: report }),
    ...(virtio && { virtio }),
    ...(written && { written }),
  };
}
