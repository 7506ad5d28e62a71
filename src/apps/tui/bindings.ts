/**
 * The keys: one list for their actions, for the help, and for the line at the bottom.
 *
 * @module
 */
import type { PaneName } from './model.js';

export const actionNames = [
  'step',
  'next',
  'finish',
  'continue',
  'line',
  'lineInto',
  'toCursor',
  'stepBack',
  'nextBack',
  'lineBack',
  'finishBack',
  'continueBack',
  'moment',
  'wrote',
  'origin',
  'nextWrite',
  'changed',
  'held',
  'timeline',
  'breakpoint',
  'breakpointAt',
  'watch',
  'evaluate',
  'memory',
  'code',
  'source',
  'callers',
  'cpu',
  'input',
  'why',
  'restart',
  'zoom',
  'help',
  'quit',
] as const;
export type Action = (typeof actionNames)[number];

export interface Binding {
  action: Action;
  letter: string;
  /** Empty where it has none: terminals have too few. */
  functionKey: string;
  /** One or two words for the line at the bottom. */
  short: string;
  /** A sentence for the help. */
  long: string;
}

/** In the order of the help. */
export const bindings: readonly Binding[] = [
  { action: 'step', letter: 's', functionKey: 'F7', short: 'step', long: 'one instruction, into calls' },
  {
    action: 'next',
    letter: 'n',
    functionKey: 'F8',
    short: 'next',
    long: 'one instruction, over CALL, INT, REP and LOOP',
  },
  {
    action: 'line',
    letter: 'l',
    functionKey: 'F10',
    short: 'line',
    long: 'to the next source line, over calls',
  },
  {
    action: 'lineInto',
    letter: 'L',
    functionKey: 'Shift-F7',
    short: 'line into',
    long: 'to the next source line, into calls',
  },
  {
    action: 'finish',
    letter: 'f',
    functionKey: 'F9',
    short: 'finish',
    long: 'until this function has returned',
  },
  {
    action: 'continue',
    letter: 'c',
    functionKey: 'F5',
    short: 'continue',
    long: 'continue; any key stops it',
  },
  {
    action: 'toCursor',
    letter: 't',
    functionKey: 'F4',
    short: 'to cursor',
    long: 'run to the instruction under the cursor',
  },
  { action: 'stepBack', letter: 'S', functionKey: '', short: 'step back', long: 'one instruction back' },
  {
    action: 'nextBack',
    letter: 'N',
    functionKey: '',
    short: 'next back',
    long: 'one instruction back, over what it called',
  },
  {
    action: 'lineBack',
    letter: 'K',
    functionKey: '',
    short: 'line back',
    long: 'to the start of this source line, or of the one before',
  },
  {
    action: 'finishBack',
    letter: 'F',
    functionKey: '',
    short: 'to call',
    long: 'back to the call of this function',
  },
  {
    action: 'continueBack',
    letter: 'C',
    functionKey: '',
    short: 'back',
    long: 'back to the last breakpoint or access to watched memory',
  },
  {
    action: 'moment',
    letter: 'G',
    functionKey: '',
    short: 'moment',
    long: 'to an instruction or exit by its number, or to the start',
  },
  {
    action: 'wrote',
    letter: 'W',
    functionKey: '',
    short: 'who wrote',
    long: 'back to the instruction that wrote memory last',
  },
  {
    action: 'origin',
    letter: 'O',
    functionKey: '',
    short: 'origin',
    long: 'where the value of a register or of memory comes from',
  },
  {
    action: 'nextWrite',
    letter: 'X',
    functionKey: '',
    short: 'next write',
    long: 'to right after the next write to memory',
  },
  {
    action: 'changed',
    letter: 'R',
    functionKey: '',
    short: 'who set',
    long: 'back to the instruction that gave a register its value',
  },
  {
    action: 'held',
    letter: 'H',
    functionKey: '',
    short: 'when',
    long: 'to the first or the last time that a condition held',
  },
  {
    action: 'timeline',
    letter: 'T',
    functionKey: '',
    short: 'timeline',
    long: 'the timeline; ← → < > + - = move along it',
  },
  {
    action: 'breakpoint',
    letter: 'b',
    functionKey: 'F2',
    short: 'break',
    long: 'set or remove a breakpoint under the cursor',
  },
  {
    action: 'breakpointAt',
    letter: 'B',
    functionKey: 'Shift-F2',
    short: 'break at',
    long: 'set or remove one at a symbol, a line, an address',
  },
  {
    action: 'watch',
    letter: 'w',
    functionKey: 'F3',
    short: 'watch',
    long: 'stop when memory is written; the same again removes it',
  },
  {
    action: 'evaluate',
    letter: 'e',
    functionKey: 'F6',
    short: 'evaluate',
    long: 'an expression: rax+8, byte [rsi], counter, rax = 5',
  },
  {
    action: 'memory',
    letter: 'g',
    functionKey: 'Shift-F6',
    short: 'go to',
    long: 'show memory from an address or expression on',
  },
  {
    action: 'code',
    letter: 'd',
    functionKey: 'Shift-F4',
    short: 'disassemble',
    long: 'show code at an address or symbol; empty: back',
  },
  {
    action: 'source',
    letter: 'v',
    functionKey: '',
    short: 'source',
    long: 'the source around a line or symbol; empty: here',
  },
  {
    action: 'callers',
    letter: 'a',
    functionKey: 'Shift-F9',
    short: 'callers',
    long: 'the call stack, innermost frame first',
  },
  {
    action: 'cpu',
    letter: 'p',
    functionKey: '',
    short: 'next CPU',
    long: 'look at the next of several CPUs, and step it',
  },
  {
    action: 'input',
    letter: 'i',
    functionKey: 'F11',
    short: 'input',
    long: 'type to the guest’s serial port, or to its keyboard',
  },
  {
    action: 'why',
    letter: 'y',
    functionKey: 'F12',
    short: 'why',
    long: 'why the guest died, or where it is stopped',
  },
  {
    action: 'restart',
    letter: 'r',
    functionKey: 'Shift-F5',
    short: 'restart',
    long: 'the same guest from its start',
  },
  {
    action: 'zoom',
    letter: 'z',
    functionKey: 'Shift-F3',
    short: 'zoom',
    long: 'show only the pane with the focus, and back',
  },
  { action: 'help', letter: '?', functionKey: 'F1', short: 'help', long: 'this help' },
  { action: 'quit', letter: 'q', functionKey: 'Shift-F10', short: 'quit', long: 'quit the debugger' },
];

const byKey = new Map(
  bindings.flatMap(({ action, letter, functionKey }) =>
    [letter, functionKey].filter((key) => key !== '').map((key) => [key, action]),
  ),
) as ReadonlyMap<string, Action>;

export function actionOf(key: string): Action | undefined {
  return byKey.get(key);
}

/** The order of the line at the bottom; keys that do not fit are in the help. */
export const barOrder: readonly Action[] = [
  'step',
  'next',
  'finish',
  'continue',
  'breakpoint',
  'toCursor',
  'why',
  'help',
  'quit',
  'line',
  'memory',
  'watch',
  'evaluate',
  'input',
  'restart',
  'zoom',
];

/** Panes by their number keys. */
export const paneKeys: Readonly<Record<PaneName, string>> = {
  registers: '1',
  code: '2',
  stack: '3',
  memory: '4',
  console: '5',
  screen: '6',
  exits: '7',
  points: '8',
  locals: '9',
};

export function paneOf(key: string): PaneName | undefined {
  return (Object.keys(paneKeys) as PaneName[]).find((name) => paneKeys[name] === key);
}

/** The help, as lines. */
export function helpLines(): string[] {
  const keys = bindings.map(
    ({ letter, functionKey, long }) => `  ${letter.padEnd(3)} ${functionKey.padEnd(10)} ${long}`,
  );
  return [
    'Run the guest, and stop it',
    ...keys.slice(0, 7),
    '',
    'Go back in time, on the software CPU',
    ...keys.slice(7, 19),
    '',
    'Breakpoints and watchpoints',
    ...keys.slice(19, 22),
    '',
    'Look around',
    ...keys.slice(22, 28),
    '',
    'The guest and the debugger',
    ...keys.slice(28),
    '',
    'Panes',
    '  1 to 9         registers, code, stack, memory, console, screen, exits,',
    '                 breakpoints, locals of C: the focus goes there',
    '  Tab            the next pane; Shift-Tab the one before',
    '  ↑ ↓ j k        the cursor, or what the pane shows; PgUp PgDn by pages',
    '  ← →            a screen that is wider than its pane',
    '  Home End       code: back to the next instruction; else the two ends',
    '  ← →            timeline: a column back or forward',
    '  < >            timeline: to the column with marks before or after',
    '  + - =          timeline: closer, further away, the whole of it',
    '  Enter Delete   breakpoints: enable or disable; delete',
    '  Ctrl-L         redraw everything',
    '  Ctrl-C         stop a running guest; else quit',
    '  Ctrl-Z         suspend the debugger; fg continues it',
    '',
    'What the marks mean',
    '  •              changed since the guest stopped the last time',
    '  ▶ ›            the next instruction; the cursor',
    '  ● ○ ◆          a breakpoint; a disabled one; a watchpoint',
  ];
}
