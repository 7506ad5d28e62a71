/**
 * A link that opens a run in the lab, at its end: the sources, the machine, what was sent, and at which instruction.
 *
 * @module
 */
import type { MachineSpec } from '../config/index.js';
import type { InputEvent } from '../machine/index.js';
import { encodeLink, hostFields } from '../terra/index.js';
import type { Source } from './build.js';

/** Bytes of sources: a link is an address, and programs that pass it on have limits. */
const MOST_SOURCES = 64 * 1024;

/** A run as the lab repeats it. */
export interface Repeatable {
  readonly title: string;
  /** First the one that is compiled, then what it includes. */
  readonly files: readonly Source[];
  readonly spec: MachineSpec;
  readonly inputs: readonly InputEvent[];
  readonly instructions: number;
}

/** The fragment of an address; undefined where a link cannot hold the run: files in folders, large sources, host files. */
export function replayLink({ title, files, spec, inputs, instructions }: Repeatable): string | undefined {
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  if (size > MOST_SOURCES || !files.every(({ name }) => /^\w[\w.+-]*$/.test(name))) return undefined;
  if (hostFields.some((field) => spec[field] !== undefined && field !== 'hypercalls')) return undefined;
  const { hypercalls: _answered, ...machine } = spec;
  return encodeLink({
    title: title.slice(0, 200),
    files: files.map(({ name, text }) => ({ name, text })),
    spec: machine,
    breakpoints: [],
    moment: instructions,
    inputs,
    view: {},
  });
}
