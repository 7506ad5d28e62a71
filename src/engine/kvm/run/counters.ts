import type { EngineCounter } from '../../contract/index.js';
import type { Stat, Stats } from '../api/stats.js';

/** KVM's counters with a single value, in the form that all engines use. Histograms stay with `Stats.read`. */
export function readCounters(stats: Stats): EngineCounter[] {
  const counters: EngineCounter[] = [];
  for (const stat of stats.read()) {
    if (stat.kind === 'linearHistogram' || stat.kind === 'logHistogram') continue;
    const { name, kind } = stat;
    counters.push({ name, kind, unit: unitOf(stat), value: Number(stat.values[0] ?? 0n) });
  }
  return counters;
}

const secondNames: Record<number, string> = { 0: 's', [-3]: 'ms', [-6]: 'µs', [-9]: 'ns' };

/** KVM gives a unit and a power of 2 or 10 (KVM API 4.133). */
function unitOf({ unit, base, exponent }: Stat): string {
  if (unit === 'none' || unit === 'boolean') return '';
  if (unit === 'seconds' && base === 10) return secondNames[exponent] ?? `10^${exponent} s`;
  return exponent === 0 ? unit : `${base}^${exponent} ${unit}`;
}
