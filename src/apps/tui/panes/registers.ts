import type { CpuView } from '../../../debug/index.js';
import { formatRegisters } from '../../../inspect/index.js';
import type { RegisterName, SegmentName } from '../../../x86/index.js';
import { registerNames } from '../../../x86/index.js';
import type { Model } from '../model.js';
import { type Line, look, type Span, type Style, styled, widthOf } from '../text.js';
import { flagNames } from '../words.js';

/** Marks what has changed since the previous stop; works without colours too. */
export const CHANGED = '•';

/** The widest row and two spaces. */
const COLUMN_WIDTH = 26;

const generalOrder: readonly RegisterName[] = [
  'rax',
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rbp',
  'rsp',
  ...registerNames.slice(8, 16),
];

const CR0_BITS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'PE'],
  [16, 'WP'],
  [31, 'PG'],
];

/** The registers one below the other, in as many columns as fit; all registers where only this pane is shown. */
export function registersPane(model: Model, width: number): Line[] {
  const { view } = model;
  if (view === undefined) return [];
  const lines = model.zoomed ? everything(view) : inColumns(valueRows(model, view), width);
  return model.phase === 'running' ? lines.map((line) => styled(line, look.quiet)) : lines;
}

function everything({ registers, system }: CpuView): Line[] {
  return formatRegisters(registers, system)
    .split('\n')
    .map((line) => [` ${line}`]);
}

function inColumns(rows: readonly Line[], width: number): Line[] {
  const columns = Math.max(1, Math.floor((width + 1) / COLUMN_WIDTH));
  if (columns === 1) return [...rows];
  const full = rows.filter((row) => row.length > 0);
  const height = Math.ceil(full.length / columns);
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: columns }, (_, x) => full[x * height + y] ?? []).flatMap((line) => [
      ...line,
      ' '.repeat(Math.max(0, COLUMN_WIDTH - widthOf(line))),
    ]),
  );
}

function valueRows(model: Model, view: CpuView): Line[] {
  const { before, bits } = model;
  const names = bits === 64 ? generalOrder : generalOrder.slice(0, 8);
  const row = (label: string, now: string, was: string | undefined, rest: Span[] = []) =>
    valueRow(label, now, was !== undefined && was !== now, rest);
  const of = (from: CpuView | undefined, name: RegisterName) =>
    from && shown(from.registers[name], name, bits);
  const lines = [...names, 'rip' as const].map((name) => {
    const { label, text } = of(view, name)!;
    const old = of(before, name);
    return row(label, text, old?.text);
  });
  lines.push([], flagsRow(view, before), [], ...segmentRows(view, before));
  lines.push(...controlRows(view, before));
  return lines;
}

/** `eax 00001234`, or `ax 1234` in 16-bit code where the upper half is clear. */
function shown(value: bigint, name: RegisterName, bits: Model['bits']): { label: string; text: string } {
  const label = name === 'rip' || !/^r\d/.test(name) ? name.slice(1) : name;
  if (bits === 64) return { label: name, text: hex(value, 16) };
  const low = value & 0xffff_ffffn;
  if (bits === 16 && low <= 0xffffn) return { label, text: hex(low, 4) };
  return { label: `e${label}`, text: hex(low, 8) };
}

function valueRow(label: string, text: string, changed: boolean, rest: Span[]): Line {
  const style: Style = changed ? look.changed : look.plain;
  return [[changed ? CHANGED : ' ', look.changed], [label.padEnd(4), look.quiet], [text, style], ...rest];
}

function flagsRow(view: CpuView, before: CpuView | undefined): Line {
  const [now, was] = [view.registers.rflags, before?.registers.rflags ?? view.registers.rflags];
  // Set in capitals, clear in small letters.
  const spans = flagNames.map(([bit, name]): Span => {
    const mask = 1n << BigInt(bit);
    const set = (now & mask) !== 0n;
    const changed = (was & mask) !== (now & mask);
    const style: Style = changed ? look.changed : set ? look.strong : look.quiet;
    return [`${set ? name : name.toLowerCase()}`, style];
  });
  return spans.flatMap((span, i): Span[] => {
    const [bit] = flagNames[i]!;
    const changed = ((was ^ now) >> BigInt(bit)) & 1n;
    return [changed ? [CHANGED, look.changed] : ' ', span];
  });
}

function segmentRows({ system }: CpuView, before: CpuView | undefined): Line[] {
  const cell = (name: SegmentName): Span[] => {
    const text = hex(BigInt(system[name].selector), 4);
    const changed = before !== undefined && before.system[name].selector !== system[name].selector;
    return [
      [changed ? CHANGED : ' ', look.changed],
      [name.padEnd(4), look.quiet],
      [text, changed ? look.changed : look.plain],
    ];
  };
  const order: SegmentName[][] = [
    ['cs', 'ss'],
    ['ds', 'es'],
    ['fs', 'gs'],
  ];
  return order.map(([a, b]) => [...cell(a!), '  ', ...cell(b!)]);
}

function controlRows({ system }: CpuView, before: CpuView | undefined): Line[] {
  const row = (name: 'cr0' | 'cr3', digits: number, words: string): Line => {
    const changed = before !== undefined && before.system[name] !== system[name];
    return valueRow(
      name,
      hex(system[name], digits),
      changed,
      words === '' ? [] : [[` ${words}`, look.quiet]],
    );
  };
  const words = CR0_BITS.filter(([bit]) => (system.cr0 >> BigInt(bit)) & 1n).map(([, name]) => name);
  const paged = (system.cr0 >> 31n) & 1n;
  return [row('cr0', 8, words.join(' ')), ...(paged ? [row('cr3', 8, '')] : [])];
}

export function hex(value: bigint | number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
