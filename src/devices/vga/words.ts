/** The VGA's ports and registers in words: IBM's names. */
import type { AccessWords } from '../contract/index.js';
import { bits, names, words } from '../words.js';
import type { Unit } from './registers.js';

const timing = [
  'horizontal total',
  'horizontal display end',
  'start horizontal blanking',
  'end horizontal blanking',
  'start horizontal retrace',
  'end horizontal retrace',
  'vertical total',
  'overflow',
  'preset row scan',
  'maximum scan line',
  'cursor start',
  'cursor end',
  'start address high',
  'start address low',
  'cursor location high',
  'cursor location low',
  'vertical retrace start',
  'vertical retrace end',
  'vertical display end',
  'offset',
  'underline location',
  'start vertical blanking',
  'end vertical blanking',
  'mode control',
  'line compare',
] as const;
const registerNames: Readonly<Record<Unit, readonly string[]>> = {
  sequencer: ['reset', 'clocking mode', 'map mask', 'character map select', 'memory mode'],
  crtc: timing,
  graphics: [
    'set/reset',
    'enable set/reset',
    'colour compare',
    'data rotate',
    'read map select',
    'mode',
    'miscellaneous',
    'colour don’t care',
    'bit mask',
  ],
  attribute: [
    ...Array.from({ length: 16 }, (_, at) => `palette ${at}`),
    'mode control',
    'overscan colour',
    'colour plane enable',
    'horizontal panning',
    'colour select',
  ],
};

function unit(name: Unit, title: string) {
  const called = registerNames[name];
  return {
    // Bit 5 of the attribute controller's index: the palette's owner.
    index: words(`${title} index`, (value) => called[name === 'attribute' ? value & 0x1f : value] ?? ''),
    data: called.map((text) => words(`${title} ${text}`)),
    none: words(`${title} register that does not exist`),
  };
}
const unitWords: Readonly<Record<Unit, ReturnType<typeof unit>>> = {
  sequencer: unit('sequencer', 'sequencer'),
  crtc: unit('crtc', 'CRT controller'),
  graphics: unit('graphics', 'graphics controller'),
  attribute: unit('attribute', 'attribute controller'),
};

/** A unit's index register, or the register that the index has chosen. */
export function unitRegister(name: Unit, index?: number): AccessWords {
  const known = unitWords[name];
  return index === undefined ? known.index : (known.data[index] ?? known.none);
}

const colours = ['red', 'green', 'blue'];
/** Red, green and blue of each entry of the colour table, made on first use. */
const dacEntries: AccessWords[] = [];

/** @param part 0 to 2: red, green, blue */
export function dacEntry(colour: number, part: number): AccessWords {
  const at = colour * 3 + part;
  dacEntries[at] ??= words(`DAC colour ${colour}, ${colours[part]}`);
  return dacEntries[at];
}

const displayNames = [
  'version',
  'width',
  'height',
  'bits of a pixel',
  'enable',
  'bank',
  'virtual width',
  'virtual height',
  'x offset',
  'y offset',
  'memory',
];
const decimal = (value: number) => `${value}`;
const displayWords = displayNames.map((name) =>
  words(
    `display interface ${name}`,
    name === 'enable'
      ? bits('on', 'capabilities', '', '', '', '8-bit colours', 'linear', 'keep memory')
      : name === 'version'
        ? undefined
        : name === 'memory'
          ? (value) => `${value / 16} MiB`
          : decimal,
  ),
);
const displayIndex = words('display interface index', (value) => displayNames[value] ?? '');
const noDisplayRegister = words('display interface register that does not exist');

/** Bochs' display interface: its index, or the register that the index has chosen. */
export function displayRegister(index?: number): AccessWords {
  return index === undefined ? displayIndex : (displayWords[index] ?? noDisplayRegister);
}

export const vgaPorts = {
  miscellaneous: words(
    'miscellaneous output',
    bits(
      'colour addresses',
      'memory on',
      'clock bit 0',
      'clock bit 1',
      '',
      'odd/even page',
      '-hsync',
      '-vsync',
    ),
  ),
  inputStatus0: words('input status 0'),
  inputStatus1: words('input status 1', bits('not displaying', '', '', 'vertical retrace')),
  enable: words('subsystem enable', bits('on')),
  dacMask: words('DAC mask'),
  dacState: words('DAC state', names({ 0: 'writing', 3: 'reading' })),
  dacRead: words('DAC address for reading'),
  dacWrite: words('DAC address for writing'),
  feature: words('feature control'),
  memory: words('video memory'),
} as const;
