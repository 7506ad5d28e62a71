/**
 * Events as sentences. Pure.
 *
 * @module
 */
import type { CpuView, DebugStop, Frame, SourceFrame } from '../../debug/index.js';
import type { Outcome } from '../../machine/index.js';
import {
  CR0,
  EFER,
  namedBits,
  type RegisterName,
  RFLAGS,
  registerNames,
  type SystemRegisters,
} from '../../x86/index.js';
import { waitsForever } from '../frontend/ending.js';
import type { CodeRow, Model, Tone } from './model.js';

export interface Message {
  text: string;
  tone: Tone;
}

/** `32-bit paged, ring 0`: the CPU's mode (SDM 3A 2.2). */
export function modeWords({ registers, system }: CpuView, bits: number): string {
  const { cr0, efer, cs } = system;
  if ((cr0 & CR0.PE) === 0n) return '16-bit real mode';
  if ((registers.rflags & RFLAGS.VM) !== 0n) return '16-bit virtual-8086 mode';
  const kind =
    (efer & EFER.LMA) !== 0n ? longWords(bits) : (cr0 & CR0.PG) !== 0n ? 'paged' : 'protected mode';
  return `${bits}-bit ${kind}  ring ${ringOf(system, cs.selector)}`;
}

function longWords(bits: number): string {
  return bits === 64 ? 'long mode' : 'compatibility mode';
}

function ringOf({ ss }: SystemRegisters, cs: number): number {
  return ss.unusable ? cs & 3 : ss.dpl;
}

/** The flags that programs use. */
const shown = ['CF', 'PF', 'AF', 'ZF', 'SF', 'IF', 'DF', 'OF'];
export const flagNames = namedBits.rflags.filter(([, name]) => shown.includes(name));

/** The state after a step. */
export interface StepPlace {
  pc: bigint;
  bits: number;
  symbol: string | undefined;
  /** What the instruction did to a device, as the device describes it, and to memory. */
  effects: readonly string[];
}

/** `mov ax,0x1234: ax 0 → 0x1234`: one instruction, and what it changed. */
export function stepWords(
  row: CodeRow | undefined,
  before: CpuView,
  after: CpuView,
  { pc, bits, symbol, effects }: StepPlace,
): string {
  const changes = [...effects, ...registerChanges(before, after, bits), ...flagChanges(before, after)];
  const ahead = row !== undefined && pc !== row.address + BigInt(row.bytes.length);
  if (ahead) changes.unshift(pc === row.address ? 'not done yet' : `now at ${symbol ?? hex(pc)}`);
  const what = row?.text ?? 'one instruction';
  if (changes.length > 0) return `${what}:  ${changes.join(', ')}`;
  return `${what}:  nothing has changed`;
}

function registerChanges(before: CpuView, after: CpuView, bits: number): string[] {
  const changed = registerNames.filter(
    (name) => name !== 'rip' && name !== 'rflags' && before.registers[name] !== after.registers[name],
  );
  const segments = (['cs', 'ds', 'es', 'fs', 'gs', 'ss'] as const).filter(
    (name) => before.system[name].selector !== after.system[name].selector,
  );
  const controls = (['cr0', 'cr3', 'cr4'] as const).filter(
    (name) => before.system[name] !== after.system[name],
  );
  return [
    ...changed.map((name) => {
      const [was, is] = [before.registers[name], after.registers[name]];
      const { label, mask } = namedFor(name, bits, was | is);
      return `${label} ${hex(was & mask)} → ${hex(is & mask)}`;
    }),
    ...segments.map(
      (name) => `${name} ${hex(before.system[name].selector)} → ${hex(after.system[name].selector)}`,
    ),
    ...controls.map((name) => `${name} ${hex(before.system[name])} → ${hex(after.system[name])}`),
  ];
}

/** `ax`, `eax` or `rax`: as wide as the code's registers, and wider where the upper bits are not zero. */
function namedFor(name: RegisterName, bits: number, used: bigint): { label: string; mask: bigint } {
  if (bits === 64 || /^r\d/.test(name)) return { label: name, mask: (1n << 64n) - 1n };
  const short = name.slice(1);
  if (bits === 16 && (used & 0xffff_ffffn) <= 0xffffn) return { label: short, mask: 0xffffn };
  return { label: `e${short}`, mask: 0xffff_ffffn };
}

function flagChanges(before: CpuView, after: CpuView): string[] {
  const [was, is] = [before.registers.rflags, after.registers.rflags];
  return flagNames.flatMap(([bit, name]) => {
    const mask = 1n << BigInt(bit);
    return (was & mask) === (is & mask) ? [] : [`${name} ${(is & mask) !== 0n ? 'set' : 'clear'}`];
  });
}

/** Why a run has stopped. @param by where the instruction is that accessed a watchpoint, if that is known */
export function stopWords(stop: DebugStop, model: Model, place: string, by?: string): Message {
  const notes = stop.notes.length > 0 ? `  (${stop.notes.join('; ')})` : '';
  if (stop.why === 'end') return endWords(stop.outcome);
  if (stop.why === 'interrupt') return { text: `stopped at ${place}${notes}`, tone: 'plain' };
  if (stop.why === 'begin') return { text: `the history begins here, at ${place}${notes}`, tone: 'plain' };
  if (stop.why === 'watchpoint' && stop.back)
    return {
      text: `${placeWords(stop, model)}: the next instruction accesses it, ${place}${notes}`,
      tone: 'plain',
    };
  if (stop.why === 'watchpoint')
    return {
      text: `${watchWords(stop, model)}, ${by === undefined ? `written before ${place}` : `by the instruction at ${by}`}${notes}`,
      tone: 'plain',
    };
  const reached = model.points.filter(({ id }) => stop.breakpoints.includes(id));
  if (reached.length > 0) {
    const times = reached[0]!.hits > 1 ? `, for the ${ordinal(reached[0]!.hits)} time` : '';
    return { text: `breakpoint ${reached[0]!.text} reached${times}, at ${place}${notes}`, tone: 'plain' };
  }
  return { text: `now at ${place}${notes}`, tone: 'plain' };
}

function placeWords({ watchpoint, touched }: DebugStop, model: Model): string {
  const point = model.points.find(({ id }) => id === watchpoint?.id);
  return point === undefined ? `memory at ${hex(touched?.address ?? 0n)}` : `watchpoint ${point.text}`;
}

function watchWords({ watchpoint, touched }: DebugStop, model: Model): string {
  const point = model.points.find(({ id }) => id === watchpoint?.id);
  if (watchpoint === undefined || point === undefined)
    return `memory at ${hex(touched?.address ?? 0n)} was accessed`;
  return watchpoint.before === watchpoint.after
    ? `watchpoint ${point.text} was accessed, the value is ${hex(watchpoint.after)}`
    : `watchpoint ${point.text}: ${hex(watchpoint.before)} → ${hex(watchpoint.after)}`;
}

/** How the guest has ended. */
export function endWords(outcome: Outcome | undefined): Message {
  const rest = '; r restarts it';
  if (outcome === undefined) return { text: `the guest has ended${rest}`, tone: 'plain' };
  const { kind, code, reason } = outcome;
  switch (kind) {
    case 'halted':
      if (waitsForever(kind, reason))
        return { text: `the guest waits for an interrupt that cannot come${rest}`, tone: 'bad' };
      return { text: `the guest has halted${rest}`, tone: 'good' };
    case 'exited':
      return {
        text: `the guest has exited with code ${code ?? 0}${rest}`,
        tone: code === 0 ? 'good' : 'bad',
      };
    case 'reset':
      return { text: `the guest has reset itself${rest}`, tone: 'good' };
    case 'poweredOff':
      return { text: `the guest has switched the machine off${rest}`, tone: 'good' };
    case 'panicked':
      return { text: `the guest’s kernel has panicked${rest}`, tone: 'bad' };
    case 'shutdown':
      return { text: `the guest has shut down, by a triple fault${rest}`, tone: 'bad' };
    default:
      return { text: `${reason}${rest}`, tone: 'bad' };
  }
}

const ways: Readonly<Record<Frame['by'], string>> = {
  here: '',
  rule: '',
  entry: '',
  'frame pointer': '',
  interrupt: 'interrupted',
  stack: 'a guess: a word on the stack that a CALL may have put there',
};

/** A line per frame: its number, its place, and how it was found where that matters. */
export function frameLines(frames: readonly SourceFrame[]): string[] {
  const places = frames.map(({ pc, symbol }) => symbol ?? hex(pc));
  const width = Math.max(...places.map((place) => place.length));
  return frames.map(({ source, by, inlined }, i) => {
    const line = source === undefined ? '' : `${source.file.name}:${source.line}`;
    const parts = [
      `${i}`.padStart(2),
      places[i]!.padEnd(width),
      line,
      inlined ? 'inlined into the next one' : ways[by],
    ];
    return parts
      .filter((part) => part !== '')
      .join('  ')
      .trimEnd();
  });
}

function ordinal(count: number): string {
  const tens = count % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${suffix}`;
}

const hex = (value: bigint | number) => `0x${value.toString(16)}`;
