/** An 8259A's command and data words (data sheet, figures 7 and 8) in words. */
import type { AccessWords } from '../contract/index.js';
import { bitNumbers, hex, names, words } from '../words.js';

/** The register that the next access to a chip reaches. */
export type PicRegister = 'command' | 'icw2' | 'icw3' | 'icw4' | 'imr' | 'irr' | 'isr' | 'poll' | 'elcr';

const OCW3 = 0x08;

const ends = [
  'no rotation in automatic EOI mode',
  'end of interrupt',
  'nothing',
  'end of interrupt of line',
  'rotation in automatic EOI mode',
  'end of interrupt, then lowest priority to it',
  'lowest priority to line',
  'end of interrupt and lowest priority to line',
] as const;
const ocw3Reads = names({ 2: 'read requests next', 3: 'read in-service next' });
const ocw3Masks = names({ 2: 'special mask off', 3: 'special mask on' });

/** The even port takes ICW1, OCW2 and OCW3; bits 3 and 4 distinguish them. */
function command(value: number): string {
  if (value & 0x10) {
    const more = [
      value & 8 ? 'level' : 'edge',
      value & 2 ? 'single' : 'cascade',
      value & 1 ? 'ICW4 follows' : '',
    ];
    return `ICW1: initialize, ${more.filter((text) => text !== '').join(', ')}`;
  }
  if (value & OCW3) {
    const read = value & 4 ? 'poll' : ocw3Reads(value & 3);
    const parts = [read, ocw3Masks((value >> 5) & 3)].filter((text) => text !== '');
    return `OCW3: ${parts.join(', ') || 'nothing'}`;
  }
  const kind = (value >> 5) & 7;
  return `OCW2: ${ends[kind as 0]}${kind === 3 || kind >= 6 ? ` ${value & 7}` : ''}`;
}

const lines = (first: number, verb: string) => (value: number) => {
  const numbers = bitNumbers(value & 0xff)
    .split(', ')
    .filter((text) => text !== '');
  return numbers.length === 0
    ? `no line ${verb}`
    : `${verb}: ${numbers.map((n) => `IRQ ${Number(n) + first}`).join(', ')}`;
};

function chip(name: string, first: number): Readonly<Record<PicRegister, AccessWords>> {
  const is = (register: string, says?: (value: number) => string) => words(`${name} ${register}`, says);
  const irqs = (verb: string) => lines(first, verb);
  return {
    command: is('command', command),
    icw2: is('ICW2, vectors', (value) => `from ${hex(value & 0xf8)}`),
    icw3: is('ICW3, cascade', (value) =>
      first === 0 ? `slaves on lines ${bitNumbers(value & 0xff) || 'none'}` : `behind line ${value & 7}`,
    ),
    icw4: is(
      'ICW4',
      (value) => `${value & 1 ? '8086' : '8085'} mode, ${value & 2 ? 'automatic' : 'normal'} EOI`,
    ),
    imr: is('interrupt mask', irqs('masked')),
    irr: is('interrupt requests', irqs('requested')),
    isr: is('in-service', irqs('in service')),
    poll: is('poll', (value) => (value & 0x80 ? `IRQ ${(value & 7) + first}` : 'nothing pending')),
    elcr: is('edge/level control', irqs('level')),
  };
}

export const picWords = { master: chip('master', 0), slave: chip('slave', 8) } as const;
