/** The keyboard controller's ports in words: IBM's names, without their abbreviations. */
import type { AccessWords } from '../contract/index.js';
import { bits, hex, names, words } from '../words.js';

const commands = names({
  167: 'disable the mouse',
  168: 'enable the mouse',
  169: 'test the mouse',
  170: 'self-test',
  171: 'test the keyboard interface',
  173: 'disable the keyboard',
  174: 'enable the keyboard',
  192: 'read the input port',
  208: 'read the output port',
  209: 'write the output port',
  210: 'write the keyboard buffer',
  211: 'write the mouse buffer',
  212: 'write to the mouse',
  224: 'read the test inputs',
});

function command(value: number): string {
  if ((value & 0xe0) === 0x20)
    return value === 0x20 ? 'read the command byte' : `read RAM byte ${value & 31}`;
  if ((value & 0xe0) === 0x60)
    return value === 0x60 ? 'write the command byte' : `write RAM byte ${value & 31}`;
  if (value >= 0xf0) return `pulse output lines${value & 1 ? '' : ': reset'}`;
  return commands(value);
}

const commandByte = bits(
  'keyboard interrupt',
  'mouse interrupt',
  'self-tested',
  '',
  'keyboard off',
  'mouse off',
  'translation to set 1',
);
const outputPort = bits('no reset', 'A20', '', '', 'output buffer full', 'mouse buffer full');

const status = words(
  'status',
  bits(
    'output buffer full',
    'input buffer full',
    'self-tested',
    'last write a command',
    'not locked',
    'data of the mouse',
    'timeout',
    'parity error',
  ),
);
const controller = words('controller command', command);
const output = words('output buffer');
const toKeyboard = words(
  'to the keyboard',
  names({
    237: 'set the lights',
    238: 'echo',
    240: 'scan code set',
    242: 'identify',
    243: 'typematic rate',
    244: 'enable scanning',
    245: 'disable scanning',
    246: 'set defaults',
    254: 'resend',
    255: 'reset',
  }),
);
const mouse = words('mouse');
const toAuxiliary = words(
  'to the mouse',
  names({
    230: 'scaling 1:1',
    231: 'scaling 2:1',
    232: 'set the resolution',
    233: 'status',
    234: 'stream mode',
    235: 'read a report',
    236: 'end of wrap mode',
    238: 'wrap mode',
    240: 'remote mode',
    242: 'identify',
    243: 'set the rate',
    244: 'enable reports',
    245: 'disable reports',
    246: 'set defaults',
    254: 'resend',
    255: 'reset',
  }),
);
const dataOf: Readonly<Record<number, AccessWords>> = {
  96: words('command byte', commandByte),
  209: words('output port', outputPort),
  210: words('keyboard buffer'),
  211: words('mouse buffer'),
  212: toAuxiliary,
};
const ram = Array.from({ length: 32 }, (_, at) => words(`RAM byte ${at}`));

/**
 * @param pending the controller's command whose data byte comes next; 0 where none does
 * @param fromMouse the byte in the output buffer is the mouse's
 */
export function keyboardWords(
  isData: boolean,
  write: boolean,
  pending: number,
  fromMouse: boolean,
): AccessWords {
  if (!isData) return write ? controller : status;
  if (!write) return fromMouse ? mouse : output;
  if (pending === 0) return toKeyboard;
  return (
    dataOf[pending] ??
    ((pending & 0xe0) === 0x60 ? ram[pending & 31]! : words(`data of command ${hex(pending)}`))
  );
}
