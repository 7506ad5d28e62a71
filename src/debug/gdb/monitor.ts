/**
 * What `monitor …` says in gdb.
 *
 * @module
 */
import { formatRegisters } from '../../observe/index.js';
import type { DebugTarget } from '../target.js';
import type { Walk } from '../walk.js';

/** What a command may change of its connection. */
export interface MonitorSettings {
  /** Addresses of gdb's memory accesses are physical. */
  physical: boolean;
}

const help = `monitor commands:
  regs              all registers with the names of their flags, segments and tables
  mode              how wide the code is, and what to do in gdb where that has changed
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
    case 'regs': {
      const { registers, system } = await target.view();
      return `${formatRegisters(registers, system)}\n`;
    }
    case 'mode':
      return modeText((await target.here()).bits);
    case 'walk':
      return walkText(await target.walk(addressOf(argument)));
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

function addressOf(text: string | undefined): bigint {
  if (text !== undefined && /^(0x[\da-f]{1,16}|\d{1,19})$/i.test(text))
    return BigInt.asUintN(64, BigInt(text));
  throw new Error(`'${text ?? ''}' is no address: write it as 0x7c00 or 31744`);
}

function walkText({ steps, physical }: Walk): string {
  const lines = steps.map(({ table, at, entry }) => {
    const found = entry === undefined ? 'no memory there' : `0x${entry.toString(16).padStart(16, '0')}`;
    return `${table.padEnd(4)} 0x${at.toString(16).padStart(12, '0')}  ${found}`;
  });
  if (steps.length === 0) lines.push('paging is off');
  lines.push(physical === undefined ? 'nothing is mapped there' : `physical 0x${physical.toString(16)}`);
  return `${lines.join('\n')}\n`;
}
