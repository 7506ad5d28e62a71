/**
 * `--profile`: where the guest spent its instructions, as a table, a flame graph, or for other tools.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import type { MachineSpec } from '../../../../config/index.js';
import { flameGraph, folded, formatProfile, type Profile, speedscope } from '../../../../profile/index.js';
import { printableText } from '../../../../symbols/index.js';
import { say } from '../../../frontend/standard-output.js';
import { onCountingEngine } from './counting-engine.js';

/** The description of a machine that can be profiled. @throws ConfigError where another engine was asked for */
export function specToProfile(spec: MachineSpec): MachineSpec {
  return onCountingEngine(
    spec,
    '--profile counts instructions, which only the software CPU can do',
    'use --engine soft; for KVM there is `perf kvm`',
  );
}

/** Prints the table, or writes the file in the format that its name selects. */
export function showProfile(target: string | true, profile: Profile, title: string): void {
  if (target === true || target === '-') {
    say(`\n${printableText(formatProfile(profile))}\n`);
    return;
  }
  writeFileSync(target, fileOf(target, profile, title));
  say(`terrarium: the profile is in ${printableText(target)}\n`);
}

function fileOf(file: string, profile: Profile, title: string): string {
  if (file.endsWith('.svg')) return flameGraph(profile, title);
  if (file.endsWith('.json')) return speedscope(profile, title);
  return file.endsWith('.folded') ? folded(profile) : `${formatProfile(profile)}\n`;
}
