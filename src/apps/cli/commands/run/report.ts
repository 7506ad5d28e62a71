import { writeFileSync } from 'node:fs';
import { TerrariumError } from '../../../../errors.js';
import type { Explanation } from '../../../../explain/index.js';
import type { ExpectationResult } from '../../../../inspect/index.js';
import type { BootReport, HostedOutcome } from '../../../../runtime/index.js';

/** The whole outcome as one JSON object; 64-bit values are strings with 0x, so that no reader rounds them. */
export function writeReport(
  file: string,
  report: {
    image: string;
    /** The engine that ran the guest, and why `auto` did not select KVM. */
    engine: { name: string; because?: string };
    boot: BootReport;
    outcome: HostedOutcome;
    /** Why the guest died, or with `--why` how it ended. */
    why?: Explanation;
    /** The parts requested by `--dump`. */
    dump?: { what: string; value: unknown }[];
    expectations: ExpectationResult[];
    status: number;
  },
): void {
  const text = JSON.stringify(
    report,
    (_, value: unknown) => {
      if (typeof value === 'bigint') return `0x${value.toString(16)}`;
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
      return value;
    },
    2,
  );
  try {
    writeFileSync(file, `${text}\n`);
  } catch (cause) {
    throw new TerrariumError(
      'EREPORT',
      `the report ${file} could not be written: ${(cause as Error).message}`,
      { cause },
    );
  }
}
