/**
 * What `monitor …` says in gdb.
 *
 * @module
 */
import type { DebugTarget } from '../target.js';

/** What a command may change of its connection. */
export interface MonitorSettings {
  /** Addresses of gdb's memory accesses are physical. */
  physical: boolean;
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
  help              this text
`;

const architectures = { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' } as const;

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
      return modeText((await target.here()).bits);
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
    case 'help':
    case '':
      return help;
    default:
      return `there is no command '${name}'\n${help}`;
  }
}

function modeText(bits: 16 | 32 | 64): string {
  return `the guest runs ${bits}-bit code: 'set architecture ${architectures[bits]}' disassembles it; for its registers detach or disconnect, and 'target remote' again\n`;
}
