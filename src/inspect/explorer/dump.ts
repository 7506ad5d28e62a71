import { ConfigError } from '../../errors.js';
import { LinuxKernel } from '../linux/kernel.js';
import { formatLog, readLog } from '../linux/log.js';
import { formatTasks, readTasks } from '../linux/tasks.js';
import { formatRegisters } from '../registers.js';
import { parseNumber } from '../values.js';
import { type CodeSubject, formatCode, formatNames, readCode, readNames } from './code.js';
import { formatDescriptorTable, readDescriptorTable } from './descriptors.js';
import { formatInterruptTable, readInterruptTable } from './interrupts.js';
import { formatPageMap, pageMap } from './page-map.js';
import { formatWalk, walkPages } from './page-walk.js';
import { formatRings, readRings, type VirtioSubject } from './rings.js';
import { formatTaskState, readTaskState } from './task-state.js';
import { formatTranslation, formatTranslations, readTranslation, readTranslations } from './translation.js';

/** The parts that `--dump` can show. */
export const dumpNames = [
  'regs',
  'gdt',
  'idt',
  'ldt',
  'tss',
  'pages',
  'walk:ADDRESS',
  'code',
  'code:ADDRESS',
  'symbols',
  'translation',
  'translation:ADDRESS',
  'virtio',
  'tasks',
  'log',
] as const;

/** The parts without an argument. */
const plainNames = [
  'regs',
  'gdt',
  'idt',
  'ldt',
  'tss',
  'pages',
  'code',
  'symbols',
  'translation',
  'virtio',
  'tasks',
  'log',
] as const;

/** One part to show. */
export type DumpItem =
  | { what: (typeof plainNames)[number] }
  | { what: 'walk'; address: bigint }
  | { what: 'code'; address: bigint }
  | { what: 'translation'; address: bigint };

/** A part of a dump: as text, and as the structure from which the text was made. */
export interface DumpPart {
  what: string;
  text: string;
  value: unknown;
}

/**
 * `regs,gdt,walk:0x401000` → the items.
 * @throws ConfigError for an unknown name
 */
export function parseDump(text: string): DumpItem[] {
  return text.split(',').map((word): DumpItem => {
    const name = word.trim().toLowerCase();
    const [, kind, place] = /^(walk|code|translation)[:@](.*)$/.exec(name) ?? [];
    const address = place === undefined ? undefined : parseNumber(place);
    if (address !== undefined && address >= 0n && address < 1n << 64n)
      return { what: kind as 'walk' | 'code' | 'translation', address };
    const what = plainNames.find((one) => one === name);
    if (what !== undefined) return { what };
    throw new ConfigError(`'${word}' cannot be shown`, `--dump can show: ${dumpNames.join(', ')}`);
  });
}

/** The input of a dump: a CPU, its memory, and devices that share it. */
export interface DumpSubject extends CodeSubject {
  readonly virtio?: readonly VirtioSubject[];
  /** The number of the CPU, and the others where there are some. */
  readonly cpu?: number;
  readonly others?: readonly (Pick<CodeSubject, 'registers' | 'system'> & { readonly cpu: number })[];
}

/** Reads the current state of the CPU and its memory. */
export function dump(subject: DumpSubject, items: readonly DumpItem[]): DumpPart[] {
  return items.map((item) => dumpOne(subject, item));
}

function dumpOne(subject: DumpSubject, item: DumpItem): DumpPart {
  const { what } = item;
  switch (what) {
    case 'regs': {
      const { registers, system, cpu = 0, others } = subject;
      if (others === undefined)
        return { what, text: formatRegisters(registers, system), value: { registers, system } };
      const value = [{ cpu, registers, system }, ...others].sort((a, b) => a.cpu - b.cpu);
      const text = value.map((one) => `CPU ${one.cpu}\n${formatRegisters(one.registers, one.system)}`);
      return { what, text: text.join('\n\n'), value };
    }
    case 'gdt':
    case 'ldt': {
      const value = readDescriptorTable(subject, what === 'gdt' ? 'GDT' : 'LDT');
      return { what, text: formatDescriptorTable(value), value };
    }
    case 'idt': {
      const value = readInterruptTable(subject);
      return { what, text: formatInterruptTable(value), value };
    }
    case 'tss': {
      const value = readTaskState(subject);
      return { what, text: formatTaskState(value), value };
    }
    case 'pages': {
      const value = pageMap(subject);
      return { what, text: formatPageMap(value), value };
    }
    case 'code': {
      const value = readCode(subject, 'address' in item ? item.address : undefined);
      return { what, text: formatCode(value), value };
    }
    case 'translation': {
      if (!('address' in item)) {
        const value = readTranslations(subject);
        return { what, text: formatTranslations(value), value };
      }
      const value = readTranslation(subject, item.address);
      return { what: `translation:0x${item.address.toString(16)}`, text: formatTranslation(value), value };
    }
    case 'symbols': {
      const value = readNames(subject);
      return { what, text: formatNames(value), value };
    }
    case 'virtio': {
      const value = readRings(subject.virtio ?? [], subject.memory);
      return { what, text: formatRings(value), value };
    }
    case 'tasks': {
      const value = readLinux(subject, readTasks);
      return { what, text: linuxText(value, formatTasks), value: value ?? null };
    }
    case 'log': {
      const value = readLinux(subject, readLog);
      return { what, text: linuxText(value, formatLog), value: value ?? null };
    }
    case 'walk': {
      const value = walkPages(subject, item.address);
      return { what: `walk:0x${item.address.toString(16)}`, text: formatWalk(value, subject.memory), value };
    }
  }
}

/** Undefined where no Linux kernel is in the guest's memory. */
function readLinux<T>({ memory }: DumpSubject, read: (kernel: LinuxKernel) => T[]): T[] | undefined {
  const kernel = LinuxKernel.find(memory);
  return kernel && read(kernel);
}

function linuxText<T>(found: T[] | undefined, format: (found: readonly T[]) => string): string {
  if (found === undefined) return 'no Linux kernel with a symbol table (kallsyms) is in the guest’s memory';
  return found.length === 0
    ? 'the Linux kernel has none yet, or no description of its types (BTF)'
    : format(found);
}
