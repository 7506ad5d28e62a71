/** One gdb with a guest that goes from 16 to 32 to 64 bits, and with one that starts again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch } from '../support.js';
import { gdbEngines, Served } from './gdb-served.js';

/** From real mode by protected mode to long mode, with a value in a register of each. */
const source = `
  .code16
  .globl _start, in32, in64
_start:
  cli
  xor %ax, %ax
  mov %ax, %ds
  lgdt gdtr
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  ljmp $0x08, $in32
  .code32
in32:
  mov $0x10, %ax
  mov %ax, %ds
  mov %ax, %es
  mov %ax, %ss
  mov $0x7000, %esp
  mov $0x12345678, %ebx
  movl $0x11003, 0x10000
  movl $0x12003, 0x11000
  movl $0x83, 0x12000
  mov $0x10000, %eax
  mov %eax, %cr3
  mov %cr4, %eax
  or $0x20, %eax
  mov %eax, %cr4
  mov $0xc0000080, %ecx
  rdmsr
  or $0x100, %eax
  wrmsr
  mov %cr0, %eax
  or $0x80000000, %eax
  mov %eax, %cr0
  ljmp $0x18, $in64
  .code64
in64:
  movabs $0x1122334455667788, %r9
  call work
  hlt
work:
  incl counter(%rip)
  ret
  .balign 8
counter: .long 0
gdt:
  .quad 0
  .quad 0x00cf9a000000ffff
  .quad 0x00cf92000000ffff
  .quad 0x00af9a000000ffff
gdtr:
  .word 31
  .long gdt
`;

function build(scratch: Scratch): { elf: string; run: string[] } {
  const file = scratch.file('modes.S');
  const [elf, flat] = [scratch.file('modes.elf'), scratch.file('modes.bin')];
  writeFileSync(file, source);
  const flags = ['-m64', '-nostdlib', '-static', '-no-pie', '-g', '-Wl,--build-id=none'];
  execFileSync('gcc', [...flags, '-Wl,-Ttext=0x7c00', file, '-o', elf]);
  execFileSync('objcopy', ['-O', 'binary', '-j', '.text', elf, flat]);
  return { elf, run: [flat, '--mode', 'real', '--load', '0x7c00'] };
}

/** The output of gdb in each mode, in this order. */
function followed(text: string): void {
  assert.match(text, /currently "i8086"[\s\S]*=> 0x7c00 <_start>:\s+cli/, text);
  assert.match(text, /the guest runs 32-bit code now, and gdb assumes 16-bit code/, text);
  assert.match(text, /Breakpoint 1, in32 \(\)[\s\S]*currently "i386"\)[\s\S]*mov +\$0x10,%ax/, text);
  assert.match(
    text,
    /Breakpoint 2, in64 \(\)[\s\S]*currently "i386:x86-64"\)[\s\S]*movabs \$0x1122334455667788,%r9/,
    text,
  );
  assert.match(text, /r9 +0x1122334455667788/, text);
  assert.match(text, /rbx +0x12345678/, text);
  assert.match(text, /#0 +work \(\)[^\n]*\n#1 .* in in64 \(\)/, text);
}

for (const { name, skip } of gdbEngines) {
  describe(`one gdb with a guest that changes its mode, on ${name}`, { skip }, () => {
    test('is informed at the stop, and sees the new registers once it reads them again', async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch);
      await using served = await new Served(run, name).ready();
      const look = ['unset tdesc filename', 'show architecture', 'x/i $pc'];
      const text = await served.gdb(
        `symbol-file ${elf}`,
        ...['show architecture', 'x/i $pc', 'break in32', 'hbreak in64'],
        ...['continue', 'monitor mode', ...look],
        ...['continue', ...look, 'monitor mode', 'stepi', 'info registers r9 rbx'],
        ...['break work', 'continue', 'backtrace', 'kill'],
      );
      followed(text);
      assert.match(text, /the guest runs 64-bit code, and gdb knows that/, text);
    });

    test('uses a hook at each stop to follow the mode', async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch);
      const hook = scratch.file('hook.gdb');
      writeFileSync(hook, 'define hook-stop\n  unset tdesc filename\nend\n');
      await using served = await new Served(run, name).ready();
      const look = ['show architecture', 'x/i $pc'];
      const text = await served.gdb(
        `source ${hook}`,
        `symbol-file ${elf}`,
        ...look,
        ...['break in32', 'hbreak in64', 'continue', ...look, 'continue', ...look],
        ...['stepi', 'info registers r9 rbx', 'break work', 'continue', 'backtrace', 'kill'],
      );
      followed(text);
    });

    test('works without reading them again: breakpoints, steps and memory', async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch);
      await using served = await new Served(run, name).ready();
      const text = await served.gdb(
        `symbol-file ${elf}`,
        ...['break work', 'continue', 'print $pc == (long) &work', 'stepi'],
        ...['x/dw &counter', 'monitor regs', 'kill'],
      );
      assert.match(text, /Breakpoint 1, work \(\)[\s\S]*= 1\n[\s\S]*<counter>:\s+1\n/, text);
      assert.match(text, /1122334455667788/, 'monitor regs shows all of them');
    });
  });

  describe(`a guest that starts again under gdb, on ${name}`, { skip }, () => {
    test('with run, in extended mode: breakpoints stay, and so does gdb when the guest has ended', async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch);
      await using served = await new Served(run, name).ready(true);
      const text = await served.gdb(
        `symbol-file ${elf}`,
        'break in32',
        'continue',
        'run',
        'print $pc == (long) &in32',
        'delete',
        'continue',
        'continue',
        'starti',
        'print $pc == (long) &_start',
        'kill',
        'starti',
        'print $pc == (long) &_start',
        'kill',
      );
      assert.equal(text.match(/Breakpoint 1, in32 \(\)/g)?.length, 2, text);
      assert.match(text, /exited normally/, text);
      assert.equal(text.match(/\$\d = 1\n/g)?.length, 3, text);
      assert.equal(await served.ended, 130, 'a gdb that leaves a killed guest ends it');
    });

    test('with monitor restart', async () => {
      using scratch = new Scratch();
      const { elf, run } = build(scratch);
      await using served = await new Served(run, name).ready();
      const text = await served.gdb(
        `symbol-file ${elf}`,
        'break in32',
        'continue',
        'monitor restart',
        'maintenance flush register-cache',
        'print $pc == (long) &_start',
        'continue',
        'kill',
      );
      assert.match(text, /= 1\n/, text);
      assert.equal(text.match(/Breakpoint 1, in32 \(\)/g)?.length, 2, text);
    });
  });
}

const kvm = gdbEngines.find(({ name }) => name === 'kvm')!;

test('without the software CPU’s help a breakpoint works, or gdb shows why this host’s KVM has none', {
  skip: kvm.skip,
}, async () => {
  using scratch = new Scratch();
  const { elf, run } = build(scratch);
  await using served = await new Served([...run, '--assist', 'off'], 'kvm').ready();
  const text = await served.gdb(`symbol-file ${elf}`, 'break in32', 'continue', 'kill');
  assert.match(
    text,
    /Breakpoint 1, in32 \(\)|Remote failure reply: E\.this host's KVM delivers a debugger/,
    text,
  );
});
