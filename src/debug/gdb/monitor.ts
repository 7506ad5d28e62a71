/**
 * The `monitor` commands of gdb.
 *
 * @module
 */
import { SymbolTable } from '../../symbols/index.js';
import type { Shown, SourceFrame } from '../c/index.js';
import { Debugger } from '../debugger.js';
import { DebugError } from '../errors.js';
import type { CodeBits } from '../mode.js';
import type { Progress } from '../seeker.js';
import { seekOf } from '../seeks.js';
import type { DebugTarget } from '../target.js';

/** The settings of the connection that a command may read and change. */
export interface MonitorSettings {
  /** Addresses of gdb's memory accesses are physical. */
  physical: boolean;
  /** The code width that gdb assumes. */
  described: CodeBits;
  /** The names in expressions, read on first use; undefined where none are known. */
  symbols: (() => SymbolTable) | undefined;
  /** Told how far a long search has come. */
  report?: Progress;
}

const help = `monitor commands:
  why               why the guest died: the instruction, the check that failed, the likely mistake
  cause             where the fatal value comes from: back to the instruction that made it
  regs              all registers with the names of their flags, segments and tables
  mode              the width of the code, and what to do in gdb where it has changed
  gdt, ldt, idt     the descriptor tables, entry by entry
  tss               the task state segment
  pages             the page map, as ranges with their rights
  walk ADDR         the page walk of a linear address, entry by entry
  virtio            the virtio devices and their queues, drawn
  tasks, log        of a Linux guest: its tasks as in ps, its kernel's log as in dmesg
  devices           the machine's devices with their ports and memory
  exits             the last exits from the guest
  accessor          the instruction that accessed a watchpoint; gdb shows the one after it
  physical on|off   whether gdb's memory accesses use physical addresses
  history           how far the guest can go back (gdb's reverse-step, reverse-continue …)
  goto N            goes to the moment after N instructions, back or forward
  origin PLACE      where the value of a register or of memory comes from: origin $rax, origin qword [rsp]
  last write PLACE  back to the instruction that wrote memory last; next write PLACE: to right after the next write
  last change REG   back to the instruction that gave a register its value: last change rax
  first COND, last COND
                    to the first moment at which a condition held, or the last one before: last eax == 5
  writes PLACE      all writes to memory so far: writes dword [0x500]
  print EXPR        a value of C, or of registers and memory: print p->next, print word [es:di]
  locals [FRAME]    the parameters and variables of a C function; 0 is the current one
  ptype TYPE        a type of C with its members, or the type of an expression
  backtrace         the call stack, with functions that were inlined
  goto exit N       goes to right after the exit with this number
  restart           restarts the machine (in gdb's extended-remote: run)
  help              this text
`;

/** gdb does not know that a monitor command changes registers. */
const RESTARTED =
  "the machine is at its start; 'maintenance flush register-cache' makes gdb read the registers\n";
const TRAVELLED = "'maintenance flush register-cache' makes gdb read the registers\n";

/** Runs a command and gives its text, with a newline at its end. */
export async function monitor(
  command: string,
  target: DebugTarget,
  settings: MonitorSettings,
): Promise<string> {
  const [name = 'help', argument, ...rest] = command.trim().split(/\s+/);
  if (name === 'goto') return goTo(target, [argument ?? '', ...rest].join(' '));
  if (name === 'first' || name === 'last' || name === 'next') return seek(command.trim(), target, settings);
  if (name in questions)
    return ask(name as Question, command.trim().slice(name.length).trim(), target, settings);
  if (rest.length > 0) return `'${command.trim()}' has too many words\n${help}`;
  switch (name) {
    case 'mode':
      return modeText((await target.here()).bits, settings.described);
    case 'walk':
      if (argument === undefined) return 'walk which address? Write it as in: monitor walk 0x7c00\n';
      return `${await target.describe(`walk:${argument}`)}\n`;
    case 'why':
    case 'cause':
    case 'regs':
    case 'gdt':
    case 'idt':
    case 'ldt':
    case 'tss':
    case 'pages':
    case 'virtio':
    case 'tasks':
    case 'log':
    case 'devices':
    case 'exits':
    case 'accessor':
      return `${await target.describe(name)}\n`;
    case 'history':
      return historyText(target);
    case 'physical':
      if (argument === 'on' || argument === 'off') settings.physical = argument === 'on';
      return `addresses of memory are ${settings.physical ? 'physical' : 'linear'}\n`;
    case 'restart':
      await target.restart();
      return RESTARTED;
    case 'help':
    case '':
      return help;
    default:
      return `there is no command '${name}'\n${help}`;
  }
}

/**
 * The width of the current code.
 * @param described the width that gdb assumes
 */
export function modeText(bits: CodeBits, described: CodeBits): string {
  if (bits === described) return `the guest runs ${bits}-bit code, and gdb knows that\n`;
  return `the guest runs ${bits}-bit code now, and gdb assumes ${described}-bit code: 'unset tdesc filename' makes it ask again\n`;
}

async function historyText(target: DebugTarget): Promise<string> {
  const range = await target.history();
  if (range === undefined) return `${await target.noHistory()}\n`;
  const { first, now, last } = range;
  return `instruction ${now} of ${last}; the guest can go back to ${first}\n`;
}

/** To the instruction that wrote memory, or gave a register its value; to the moment at which a condition held. */
async function seek(command: string, target: DebugTarget, settings: MonitorSettings): Promise<string> {
  const found = seekOf(command);
  if (found === undefined)
    return 'write it as in: monitor last write counter, monitor next write qword [rsp], monitor last change rax, monitor first eax == 5\n';
  const debug = new Debugger(target, settings.symbols?.() ?? new SymbolTable({ format: 'flat' }));
  const stop = await found(debug, settings.report);
  const nothing =
    stop.why === 'begin'
      ? 'no instruction did since the history begins: the guest is at its beginning now\n'
      : stop.why === 'interrupt'
        ? 'the search was interrupted\n'
        : '';
  const place = `0x${stop.pc.toString(16)}  ${debug.symbols.locate(stop.pc) ?? ''}`.trimEnd();
  return `${nothing}${place}\n${await historyText(target)}${TRAVELLED}`;
}

type Question = keyof typeof questions;

/** Queries that do not move the guest, with an example where they need an argument. */
const questions = {
  origin: { example: 'qword [rsp]', answer: async (debug, what) => (await debug.origin(what)).text },
  writes: { example: 'qword [rsp]', answer: async (debug, what) => (await debug.writes(what)).text },
  print: {
    example: 'counter',
    answer: async (debug, what) => (await debug.evaluate(what, { pure: true })).text,
  },
  ptype: { example: 'struct node', answer: (debug, what) => debug.typeOf(what) },
  locals: {
    example: undefined,
    answer: async (debug, what) => localsText(await debug.locals(frameNumber(what))),
  },
  backtrace: { example: undefined, answer: async (debug) => backtraceText(await debug.backtrace()) },
} as const satisfies Record<
  string,
  { example: string | undefined; answer(debug: Debugger, what: string): Promise<string> }
>;

async function ask(
  name: Question,
  what: string,
  target: DebugTarget,
  { symbols }: MonitorSettings,
): Promise<string> {
  const { example, answer } = questions[name];
  if (what === '' && example !== undefined)
    return `${name} of what? Write it as in: monitor ${name} ${example}\n`;
  const debug = new Debugger(target, symbols?.() ?? new SymbolTable({ format: 'flat' }));
  return `${await answer(debug, what)}\n`;
}

function frameNumber(text: string): number {
  if (/^\d{0,4}$/.test(text)) return Number(text);
  throw new DebugError(`'${text}' is not the number of a frame`, 'as in: monitor locals 1');
}

function localsText(shown: readonly Shown[]): string {
  if (shown.length === 0)
    return 'no variables are known here: they come from a source in C that is compiled with -g';
  return shown.map(({ name, text }) => `${name} = ${text}`).join('\n');
}

function backtraceText(frames: readonly SourceFrame[]): string {
  return frames
    .map(({ pc, symbol, source, inlined }, i) => {
      const where = source === undefined ? '' : `  ${source.file.name}:${source.line}`;
      return `#${i}  0x${pc.toString(16)}  ${symbol ?? '?'}${inlined ? '  (inlined)' : ''}${where}`;
    })
    .join('\n');
}

async function goTo(target: DebugTarget, where: string): Promise<string> {
  const [, exit, number] = /^(exit +)?(\d{1,15})$/.exec(where) ?? [];
  if (number === undefined) return 'goto where? Write it as in: monitor goto 1000, monitor goto exit 5\n';
  await (exit === undefined ? target.goTo(Number(number)) : target.goToExit(Number(number)));
  return `${await historyText(target)}${TRAVELLED}`;
}
