/** x87 errors on the software CPU where CR0.NE = 0, as on an AT: FERR#, IRQ 13, port 0xF0 (SDM 1 8.7.2, D.2.1). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble, flatImage } from '../../src/assembler/index.js';
import { createMachine } from '../../src/runtime/index.js';

/** 1/0 with #Z unmasked; then the output to port 0xE9 shows how it was handled. */
const guest = ({ flags = 'sti', handler = 'fnclex', ne = 0, after = '', mask = '0xdf' }) => `
        .code16
        .globl _start
_start: jmp begin
        .org 0x400
begin:  xor %ax, %ax
        mov %ax, %ds
        mov %ax, %ss
        mov $0x7000, %sp
        movw $irq13, 0x75*4
        movw %cs, 0x75*4+2
        movw $mf, 0x10*4
        movw %cs, 0x10*4+2
        mov $0x11, %al
        out %al, $0x20
        out %al, $0xa0
        mov $0x08, %al
        out %al, $0x21
        mov $0x70, %al
        out %al, $0xa1
        mov $4, %al
        out %al, $0x21
        mov $2, %al
        out %al, $0xa1
        mov $1, %al
        out %al, $0x21
        out %al, $0xa1
        mov $0xfb, %al
        out %al, $0x21
        mov $${mask}, %al
        out %al, $0xa1
        mov %cr0, %eax
        and $~0x2c, %eax
        or $${ne}, %eax
        mov %eax, %cr0
        fninit
        fldcw control
        cli
        fld1
        fldz
        fdivrp
        mov $'d', %al
        out %al, $0xe9
        ${flags}
        fwait
        mov $'w', %al
        out %al, $0xe9
        ${after}
        cli
        hlt
irq13:  mov $'i', %al
        out %al, $0xe9
        ${handler}
        mov $0x20, %al
        out %al, $0xa0
        out %al, $0x20
        iretw
mf:     mov $'m', %al
        out %al, $0xe9
        fnclex
        iretw
control: .word 0x37b
`;
const TAKES_BACK = 'out %al, $0xf0';

function run(source: string, irqchip: 'user' | 'none' = 'user') {
  let console = '';
  const image = flatImage(assemble(source, { file: 'k.S', syntax: 'gas', base: 0n }));
  using machine = createMachine({
    engine: 'soft',
    image,
    mode: 'real',
    irqchip,
    output: (bytes) => {
      console += Buffer.from(bytes).toString('latin1');
    },
  });
  const { kind, reason } = machine.run({ timeoutMs: 60_000 });
  return { console, kind, reason };
}

describe('an x87 error with CR0.NE = 0', () => {
  test('interrupts by IRQ 13 before the next waiting instruction', () => {
    const { console, reason } = run(guest({ handler: `${TAKES_BACK}; fnclex` }));
    assert.equal(console, 'diw', reason);
  });

  test('is #MF with CR0.NE = 1, and no IRQ 13', () => {
    assert.equal(run(guest({ ne: 0x20 })).console, 'dmw');
  });

  test('does not come again while port 0xF0 asserts IGNNE#, and does after FNCLEX ended that', () => {
    // The handler uses the x87 with the error pending: without IGNNE# it would wait there, with interrupts off.
    const inHandler = `${TAKES_BACK}; fld1; fstp %st(0); fnclex`;
    const again = "fldz; fdivrp; fwait; mov $'2', %al; out %al, $0xe9";
    assert.equal(run(guest({ handler: inHandler, after: `fld1; ${again}` })).console, 'diwi2');
  });

  test('waits for the interrupt, as the manual says, and the end of such a guest says so', () => {
    const off = run(guest({ flags: 'cli' }));
    assert.equal(off.console, 'd');
    assert.equal(off.kind, 'halted');
    assert.match(off.reason, /x87 error.*IRQ 13.*CR0\.NE = 0.*interrupts are off/);
    const masked = run(guest({ mask: '0xff' }));
    assert.equal(masked.console, 'd');
    assert.match(masked.reason, /x87 error.*no interrupt can wake it.*masked/);
  });

  test('has no effect where no board is wired to FERR#', () => {
    assert.equal(run(guest({}), 'none').console, 'dw');
  });

  test('survives saving and loading between error and interrupt', () => {
    const image = flatImage(
      assemble(guest({ handler: `${TAKES_BACK}; fnclex` }), { file: 'k.S', syntax: 'gas', base: 0n }),
    );
    const make = (output: string[]) =>
      createMachine({
        engine: 'soft',
        image,
        mode: 'real',
        output: (bytes) => output.push(Buffer.from(bytes).toString('latin1')),
      });
    for (let exits = 1; ; exits++) {
      const [before, after]: [string[], string[]] = [[], []];
      using first = make(before);
      const { kind } = first.run({ maxExits: exits, timeoutMs: 60_000 });
      if (kind !== 'limit') break;
      using second = make(after);
      second.load(first.save());
      second.run({ timeoutMs: 60_000 });
      assert.equal([...before, ...after].join(''), 'diw', `saved after ${exits} exits`);
    }
  });
});
