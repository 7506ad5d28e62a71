/**
 * What `monitor …` says in gdb.
 *
 * @module
 */
import type { CodeBits } from '../mode.js';
import type { DebugTarget } from '../target.js';

/** What a command knows and may change of its connection. */
export interface MonitorSettings {
  /** Addresses of gdb's memory accesses are physical. */
  physical: boolean;
  /** How wide gdb takes the code for. */
  described: CodeBits;
}

const help = `monitor commands:
  why               why the guest died: the instruction, the check that failed, the likely mistake
  regs              all registers with the names of their flags, segments and tables
  mode              how wide the code is, and what to do in gdb where that has changed
  gdt, ldt, idt     the descriptor tables, each entry in words
  tss               the task state segment
  pages             what the page tables map, as ranges with their rights
  walk ADDR         the page tables' entries on the way from a linear address to memory
  devices           the machine's devices with their ports and memory
  exits             the last exits from the guest
  physical on|off   whether gdb's memory accesses take physical addresses
  restart           the machine from its beginning (in gdb's extended-remote: run)
  help              this text
`;

/** gdb does not know that a monitor command changes registers. */
const RESTARTED = "the machine is at its beginning; 'maintenance flush register-cache' lets gdb see it\n";

/** Runs a command and gives its text, with a newline at its end. */
export async function monitor(
  command: string,
  target: DebugTarget,
  settings: MonitorSettings,
): Promise<string> {
  const [name = 'help', argument, ...rest] = command.trim().split(/\s+/);
  if (rest.length > 0) return `'${command.trim()}' has too many words\n${help}`;
  switch (name) {
    case 'mode':
      return modeText((await target.here()).bits, settings.described);
    case 'walk':
      if (argument === undefined) return 'walk which address? Write it as in: monitor walk 0x7c00\n';
      return `${await target.describe(`walk:${argument}`)}\n`;
    case 'why':
    case 'regs':
    case 'gdt':
    case 'idt':
    case 'ldt':
    case 'tss':
    case 'pages':
    case 'devices':
    case 'exits':
      return `${await target.describe(name)}\n`;
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
 * How wide the code is that runs now.
 * @param described what gdb takes it for
 */
export function modeText(bits: CodeBits, described: CodeBits): string {
  if (bits === described) return `the guest runs ${bits}-bit code, as gdb knows\n`;
  return `the guest runs ${bits}-bit code now, and gdb takes it for ${described}-bit code: 'unset tdesc filename' lets it ask again\n`;
}
