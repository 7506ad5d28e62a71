/** Guests for tests of debuggers. */
import { writeFileSync } from 'node:fs';
import { Debugger } from '../../src/debug/index.js';
import { hostMachine, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { noKvm, type Scratch } from '../support.js';

export type Bits = 16 | 32 | 64;
export const modes = { 16: 'real', 32: 'protected', 64: 'long' } as const;

/** Recursive calls, a REP, a LOOP, a variable; the comments are line numbers. */
export const assembler = (bits: Bits) => `.code${bits}
.globl _start, work, deep, bottom, done, counter
_start:
  mov $3, %cx           // 4
again:
  call work             // 6
  dec %cx               // 7
  jnz again             // 8
  mov $2, %bx           // 9
  call deep             // 10
  mov $4, %cx           // 11
  mov $counter, %${bits === 16 ? 'di' : 'edi'}   // 12
  xor %ax, %ax          // 13
  mov $4, %${bits === 16 ? 'cx' : 'ecx'}         // 14
  rep stosb             // 15
  mov $0x77, %al        // 16
  hlt                   // 17
work:
  incw ${bits === 64 ? 'counter(%rip)' : 'counter'}   // 19
  ret                   // 20
deep:
  dec %bx               // 22
  jz bottom             // 23
  call deep             // 24
  nop                   // 25
bottom:
  ret                   // 27
done:
  .balign 8
counter: .word 0
  .word 0
`;

/** Two functions that are called, and a greeting; lines are counted from the first, which is empty. */
export const c = `
static int total;
int count = 5;
static __attribute__((noinline)) int square(int n)
{
    __asm__ volatile("" : : : "memory");
    return n * n;
}
static __attribute__((noinline)) int sum(int n)
{
    total += square(n);
    total += square(n + 1);
    return total;
}
void _start(void)
{
    count = sum(count);
    __asm__ volatile("out %%al, $0xe9" : : "a"('!'));
    for (;;)
        __asm__ volatile("cli; hlt");
}
`;

/** Both engines, and why one cannot be tested here. */
export const engines = [
  { name: 'soft', skip: false as string | false },
  { name: 'kvm', skip: noKvm },
] as const;

/** A source in its own folder, and how it is launched. */
export function written(scratch: Scratch, name: string, source: string, bits: Bits, engine: string) {
  const program = scratch.file(name);
  writeFileSync(program, source);
  return { program, engine, mode: modes[bits] };
}

/** A source in a machine under a debugger, with its current line. */
export async function opened(
  scratch: Scratch,
  name: string,
  source: string,
  bits: Bits,
  engine: 'kvm' | 'soft',
) {
  const file = scratch.file(name);
  writeFileSync(file, source);
  const { image, spec, symbols } = loadImage(file, { mode: modes[bits] });
  const machine = await hostMachine({ image, engine, ...spec, debug: true });
  machine.onOutput(() => {});
  const table = new SymbolTable(symbols?.() ?? image);
  const logs: string[] = [];
  const debug = new Debugger(machine.debugTarget(), table, { log: (text) => logs.push(text) });
  const line = async () => (await debug.state()).source?.line;
  return { machine, debug, logs, line, [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose]() };
}
