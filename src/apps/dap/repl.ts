/**
 * The debug console: commands, text for the guest, expressions.
 *
 * @module
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import {
  DebugError,
  type Debugger,
  type DebugStop,
  errorText,
  progressText,
  seekOf,
} from '../../debug/index.js';
import { dumpNames } from '../../inspect/index.js';
import { listedText, sourceAround } from '../frontend/source-list.js';
import type { Guest } from './launch.js';
import { hex } from './values.js';

const HELP = `words
  why            how the guest ended, or where it is stopped, and why
  regs           all registers, flags and segments
  gdt, idt, ldt, tss, pages
                 the processor's tables, entry by entry
  walk ADDRESS   the page walk of an address, entry by entry: walk rsp
  devices, exits the machine's devices; the last exits
  origin PLACE   where the value of a register or of memory comes from: origin rax
  writes PLACE   all writes to memory so far: writes counter
  last write PLACE, next write PLACE
                 to the instruction that wrote memory last; to right after the next write
  last change REGISTER
                 to the instruction that gave a register its value: last change rax
  first CONDITION, last CONDITION
                 to the first moment at which it held, or the last one before: last eax == 5
  locals         the parameters and variables of the current C function
  ptype TYPE     a type of C with its members, or that of an expression: ptype struct node
  list [WHERE]   source lines around the current one, or around main, k.S:12, 0x7c00
  code [WHERE]   instructions around the next one, or around a place
  <text          sends the text and a line end to the guest's serial port; <<text sends it without the line end
  type TEXT      types on the guest's keyboard; \\n is Enter
anything else is an expression
  rax, al, zf, cs       registers and flags
  counter, p->next, a[3], (struct x *) 0x1000
                        variables and types of C
  counter, &counter     symbols; the name of an assembler label is its address
  word [es:di], counter:u16, *rsp    memory
  rax = 5, word [0x500] = 'A'        sets`;

const described: ReadonlySet<string> = new Set(['why', 'devices', 'exits', ...dumpNames]);

/** The commands that the console completes. */
export const replWords: readonly string[] = [
  'help',
  ...[...described].filter((word) => !word.includes(':')),
  'walk ',
  'list',
  'code',
  'last write ',
  'next write ',
  'last change ',
  'first ',
  'last ',
  'origin ',
  'writes ',
  'locals',
  'ptype ',
  'type ',
];

/** The search in time that was typed. Where it finds nothing, it says so and the guest stays. */
export function seekWord(
  { expression, context }: DebugProtocol.EvaluateArguments,
  say: (text: string) => void,
): ((debug: Debugger) => Promise<DebugStop>) | undefined {
  const seek = context === 'repl' ? seekOf(expression) : undefined;
  if (seek === undefined) return undefined;
  return (debug) =>
    seek(debug, (done, all) => done > 0 && say(progressText(done, all))).catch(async (error) => {
      if (!(error instanceof DebugError)) throw error;
      say(`${errorText(error)}\n`);
      return { why: 'step', breakpoints: [], notes: [], ...(await debug.target.here()) };
    });
}

/** Runs the input if it is a command; undefined for an expression. */
export async function runWord(guest: Guest, text: string): Promise<string | undefined> {
  const line = text.trim();
  if (line.startsWith('<')) return sendText(guest, text.trimStart().slice(1));
  const [word = '', ...rest] = line.split(/\s+/);
  const argument = rest.join(' ');
  if (word === 'help' || word === '?') return HELP;
  if (word === 'type') {
    await guest.machine.type(unescaped(argument));
    return '';
  }
  const { debug } = guest;
  if (debug === undefined)
    throw new DebugError('the guest runs without a debugger', 'only <text and type work');
  if (word === 'origin' || word === 'writes')
    return debug.meanwhile(async () => (await debug[word](argument)).text);
  if (word === 'ptype') return debug.meanwhile(() => debug.typeOf(argument));
  if (word === 'locals' && argument === '') return debug.meanwhile(() => locals(debug));
  if (word === 'list') return debug.meanwhile(() => list(guest, argument));
  if (word === 'code') return debug.meanwhile(() => code(guest, argument));
  if (word === 'walk')
    return debug.meanwhile(async () => {
      const address = argument === '' ? (await debug.state()).pc : (await debug.evaluate(argument)).value;
      return debug.target.describe(`walk:${hex(address)}`);
    });
  if (!described.has(word) || argument !== '') return undefined;
  return debug.meanwhile(() => debug.target.describe(word));
}

async function locals(debug: Debugger): Promise<string> {
  const shown = await debug.locals();
  if (shown.length === 0)
    return 'no variables are known here: they come from a source in C that is compiled with -g';
  return shown.map(({ name, text }) => `${name} = ${text}`).join('\n');
}

async function sendText({ machine }: Guest, text: string): Promise<string> {
  const whole = text.startsWith('<') ? text.slice(1) : `${text}\\n`;
  // Not waited for: a guest may never read its serial port.
  void machine.send(Buffer.from(unescaped(whole), 'utf8'));
  return '';
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  e: '\x1b',
  '\\': '\\',
};

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (whole, letter: string) => escapes[letter] ?? whole);
}

const AROUND = 8;

/** Lines of the source, as gdb's `list`; instructions where no source is known. */
async function list(guest: Guest, where: string): Promise<string> {
  const lines = await sourceAround(guest.debug!, where, (file) => guest.sources.textOf(file));
  return lines?.map(listedText).join('\n') ?? code(guest, where);
}

async function code({ debug, symbols }: Guest, where: string): Promise<string> {
  const { pc } = await debug!.state();
  const address = where === '' ? pc : (await debug!.locate(where)).addresses[0]!;
  const lines = await debug!.disassemble(address, { before: AROUND, after: AROUND });
  return lines
    .map(({ address: at, text, label }) => {
      const name = label === undefined ? '' : `${label}:\n`;
      const line = symbols.lineAt(at);
      return `${name}${at === pc ? '=>' : '  '} ${hex(at)}  ${line === undefined ? text : `${text.padEnd(36)} ${line}`}`;
    })
    .join('\n');
}
