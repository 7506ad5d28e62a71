import type { State } from '../../debug/index.js';
import {
  type CpuSubject,
  readDescriptorTable,
  readInterruptTable,
  readTaskState,
} from '../../inspect/index.js';
import type { Item } from './item.js';
import { hex } from './values.js';

/** GDT, LDT, IDT and TSS, entry by entry. */
export function tables(subject: CpuSubject, { view }: State): Item[] {
  const { gdt, idt, ldt, tr } = view.system;
  const place = (base: bigint, limit: number) => `base ${hex(base)}, limit ${hex(limit)}`;
  return [
    {
      name: 'gdtr',
      ...table(gdt.base, place(gdt.base, gdt.limit)),
      children: () => descriptors(subject, 'GDT'),
    },
    { name: 'idtr', ...table(idt.base, place(idt.base, idt.limit)), children: () => gates(subject) },
    { name: 'ldtr', ...table(ldt.base, selected(ldt)), children: () => descriptors(subject, 'LDT') },
    { name: 'tr', ...table(tr.base, selected(tr)), children: () => taskFields(subject) },
  ];
}

const table = (base: bigint, value: string) => ({ value, memoryReference: hex(base) });

function selected({ selector, base, limit }: { selector: number; base: bigint; limit: number }): string {
  return `${hex(selector)}  base ${hex(base)}, limit ${hex(limit)}`;
}

const withProblems = (text: string, problems: readonly string[]) => [text, ...problems].join('; ');

function descriptors(subject: CpuSubject, name: 'GDT' | 'LDT'): Item[] {
  const { entries, problems, base } = readDescriptorTable(subject, name);
  const lines = entries.map(
    ({ selector, meaning, problems, raw }): Item => ({
      name: hex(selector),
      value: withProblems(meaning, problems),
      type: hex(raw),
      memoryReference: hex(base + BigInt(selector & ~7)),
    }),
  );
  return [...lines, ...problems.map((value): Item => ({ name: 'problem', value }))];
}

function gates(subject: CpuSubject): Item[] {
  const { entries, problems } = readInterruptTable(subject);
  const lines = entries.map(
    ({ vector, meaning, problems, raw, offset }): Item => ({
      name: `${vector}`,
      value: withProblems(meaning, problems),
      type: hex(raw),
      memoryReference: hex(offset),
    }),
  );
  return [...lines, ...problems.map((value): Item => ({ name: 'problem', value }))];
}

function taskFields(subject: CpuSubject): Item[] {
  const { fields, problems } = readTaskState(subject);
  const lines = fields.map(
    ({ name, value, meaning }): Item => ({
      name,
      value: meaning === '' ? hex(value) : `${hex(value)}  ${meaning}`,
      memoryReference: hex(value),
    }),
  );
  return [...lines, ...problems.map((value): Item => ({ name: 'problem', value }))];
}
