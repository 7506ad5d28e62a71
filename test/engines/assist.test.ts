/** Where KVM gives up on an instruction, the software CPU executes it, and KVM continues. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { Device } from '../../src/devices/contract/index.js';
import { assisted } from '../../src/engine/assist/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { Machine } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { encodeDescriptor, flatCode32 } from '../../src/x86/index.js';
import { noKvm, ownClock, Scratch, terrarium } from '../support.js';

/** Real-mode code at 0. */
const image = (code: readonly number[]) => parseImage(Uint8Array.from(code), 'code');

function run(code: readonly number[], assist = true) {
  using machine = createMachine({ image: image(code), mode: 'real', engine: 'kvm', assist, memory: 0x10000 });
  const outcome = machine.run({ timeoutMs: 60_000 });
  return { outcome, read: machine.memory.read16(0x500) };
}

/** fld1; fld1; faddp; fistp word [0x500]; mov bx, 7; hlt. */
const adds = [0xd9, 0xe8, 0xd9, 0xe8, 0xde, 0xc1, 0xdf, 0x1e, 0x00, 0x05, 0xbb, 0x07, 0x00, 0xf4];

/** Does this KVM emulate real mode, without the x87? Then it gives up on it. */
const emulates = noKvm === false && run(adds, false).outcome.kind === 'engineError';
const skip = noKvm || (emulates ? false : 'SKIPPED: this host’s KVM runs it all by itself');

describe('assist', { skip }, () => {
  test('runs the instructions that KVM gives up on: the guest continues with the right state', () => {
    const { outcome, read } = run(adds);
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.equal(outcome.engine, 'kvm');
    assert.equal(read, 2);
    assert.equal(outcome.registers.rbx & 0xffffn, 7n);
    assert.ok(outcome.assistance !== undefined && outcome.assistance.times >= 1);
    assert.ok(outcome.assistance.instructions >= 4);
  });

  test('does nothing in a run that does not need it, and where it is switched off', () => {
    assert.equal(run([0xf4]).outcome.assistance, undefined);
    const { outcome } = run(adds, false);
    assert.equal(outcome.kind, 'engineError');
    assert.equal(outcome.failure?.name, 'KVM_INTERNAL_ERROR_EMULATION');
  });

  for (const pae of [false, true])
    test(`continues a guest that switches on 32-bit paging${pae ? ' with PAE' : ''}, and reports the reason`, () => {
      // Tables at 2000: one page of 4 MiB, or of 2 MiB through a directory at 3000; physical = linear.
      const code = [
        ...[0xc7, 0x05, 0x00, 0x20, 0, 0, ...(pae ? [0x01, 0x30, 0, 0] : [0x83, 0, 0, 0])], // movl $…, 0x2000
        ...[0xc7, 0x05, 0x00, 0x30, 0, 0, 0x83, 0, 0, 0], // movl $0x83, 0x3000
        ...[0x0f, 0x20, 0xe0, 0x83, 0xc8, pae ? 0x20 : 0x10, 0x0f, 0x22, 0xe0], // CR4.PAE or CR4.PSE
        ...[0xb8, 0x00, 0x20, 0, 0, 0x0f, 0x22, 0xd8], // mov $0x2000, %eax; mov %eax, %cr3
        ...[0x0f, 0x20, 0xc3, 0x81, 0xcb, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc3], // or CR0.PG, by EBX
        ...[0xb0, 0x50, 0xe6, 0x10, 0xfa, 0xf4], // mov $0x50, %al; out %al, $0x10; cli; hlt
      ];
      const written: number[] = [];
      const port: Device = {
        name: 'port',
        ports: [{ first: 0x10, count: 1, width: 1 }],
        writePort: (_port, _size, value) => written.push(value),
      };
      const image = { ...parseImage(Uint8Array.from(code), 'code') };
      using machine = createMachine({ image, mode: 'protected', engine: 'kvm', devices: [port] });
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.deepEqual(written, [0x50]);
      assert.equal(outcome.system.cr0 >> 31n, 1n);
      assert.match(outcome.assistance?.because ?? '', /cannot do 32-bit paging/);
    });

  test('a triple fault at the switch stays one, where the tables cause it', () => {
    // CR3 = 0: the directory is the code. mov $0x80000011, %eax; mov %eax, %cr0
    const code = [0xb8, 0x11, 0, 0, 0x80, 0x0f, 0x22, 0xc0, 0xf4];
    using machine = createMachine({ image: image(code), mode: 'protected', engine: 'kvm' });
    assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'shutdown');
  });

  test('keeps a state that KVM refuses, and continues from it', () => {
    // Protected mode with CS.L set: it means nothing there (SDM 3A 3.4.5), but KVM_SET_SREGS refuses it.
    const gdt = 0x50;
    const code = [
      ...[0x0f, 0x01, 0x15, gdt + 24, 0, 0, 0], // lgdt [gdtr]
      ...[0xea, 0x0e, 0, 0, 0, 8, 0], // ljmp 8:next
      ...[0xd9, 0xe8], // next: fld1, for which KVM has no emulation
      ...[0xb0, 0x11, 0xe6, 0x10], // mov al,11h; out 10h,al
      ...[0xea, 0x1b, 0, 0, 0, 16, 0], // ljmp 16:plain
      ...[0xb0, 0x22, 0xe6, 0x10, 0xfa, 0xf4], // plain: mov al,22h; out 10h,al; cli; hlt
    ];
    const flat = (l: boolean) => encodeDescriptor({ ...flatCode32(0), l });
    const bytes = new Uint8Array(0x80);
    bytes.set(code);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(gdt + 8, flat(true), true);
    view.setBigUint64(gdt + 16, flat(false), true);
    view.setUint16(gdt + 24, 23, true);
    view.setUint32(gdt + 26, gdt, true);
    const said: number[] = [];
    const device: Device = {
      name: 'listener',
      ports: [{ first: 0x10, count: 1 }],
      writePort: (_port, _size, value) => void said.push(value),
    };
    using machine = createMachine({
      image: parseImage(bytes, 'code'),
      mode: 'protected',
      load: 0,
      engine: 'kvm',
      memory: 0x20000,
      devices: [device],
    });
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.deepEqual(said, [0x11, 0x22]);
    assert.ok(outcome.assistance!.instructions >= 3, 'the software CPU ran the state that KVM refused');
  });

  test('moves floating point state to KVM and back', () => {
    // fninit runs on KVM; fld1 does not; fnstcw again does: the control word it set is seen by both.
    const code = [
      ...[0xc7, 0x06, 0x02, 0x05, 0x7f, 0x0e], // mov word [0x502], 0x0e7f
      ...[0xdb, 0xe3], // fninit
      ...[0xd9, 0x2e, 0x02, 0x05], // fldcw [0x502]
      ...[0xd9, 0xe8], // fld1
      ...[0xd9, 0x3e, 0x00, 0x05], // fnstcw [0x500]
      0xf4,
    ];
    const { outcome, read } = run(code);
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.equal(read, 0x0e7f);
  });

  test('preserves XMM registers, and moves new ones and MXCSR to KVM and back', () => {
    // KVM emulates MOVUPS, but neither FLD nor PADDB nor LDMXCSR nor STMXCSR.
    const code = [
      ...[0x0f, 0x20, 0xe0, 0x66, 0x0d, 0x00, 0x02, 0x00, 0x00, 0x0f, 0x22, 0xe0], // mov eax, cr4; or eax, 0x200; mov cr4, eax
      ...[0x0f, 0x10, 0x06, 0x00, 0x06], // movups xmm0, [0x600]
      ...[0x0f, 0x10, 0x3e, 0x10, 0x06], // movups xmm7, [0x610]
      ...[0xd9, 0xe8], // fld1
      ...[0x0f, 0x11, 0x06, 0x00, 0x05], // movups [0x500], xmm0
      ...[0x66, 0x0f, 0xfc, 0xc7], // paddb xmm0, xmm7
      ...[0x0f, 0xae, 0x16, 0x20, 0x06], // ldmxcsr [0x620]
      ...[0x0f, 0x11, 0x06, 0x10, 0x05], // movups [0x510], xmm0
      ...[0x0f, 0x11, 0x3e, 0x20, 0x05], // movups [0x520], xmm7
      ...[0x0f, 0xae, 0x1e, 0x30, 0x05], // stmxcsr [0x530]
      0xf4,
    ];
    using machine = createMachine({ image: image(code), mode: 'real', engine: 'kvm', memory: 0x10000 });
    const xmm0 = Uint8Array.from({ length: 16 }, (_, n) => 0x11 * n);
    const xmm7 = Uint8Array.from({ length: 16 }, (_, n) => 0x80 + n);
    machine.memory.writeBytes(0x600, xmm0);
    machine.memory.writeBytes(0x610, xmm7);
    machine.memory.write32(0x620, 0x7f80);
    const outcome = machine.run({ timeoutMs: 60_000 });
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.deepEqual(machine.memory.readBytes(0x500, 16), xmm0);
    assert.deepEqual(
      machine.memory.readBytes(0x510, 16),
      xmm0.map((byte, n) => byte + xmm7[n]!),
    );
    assert.deepEqual(machine.memory.readBytes(0x520, 16), xmm7);
    assert.equal(machine.memory.read32(0x530), 0x7f80);
  });

  test('is the processor that KVM shows: it supports the features in its CPUID, and XCR0 accepts AVX', (t) => {
    const has = (leaf: number, register: 'ebx' | 'ecx', bit: number) => {
      const found = kvmEngine()
        .guestCpuid()
        .find((one) => one.function === leaf && one.index === 0);
      return (((found?.[register] ?? 0) >>> bit) & 1) === 1;
    };
    const [CLWB, AVX] = [has(7, 'ebx', 24), has(1, 'ecx', 28)];
    if (!CLWB && !AVX) t.skip('SKIPPED: this host’s KVM shows neither CLWB nor AVX');
    const code = [
      ...(CLWB ? [0x66, 0x0f, 0xae, 0x36, 0x00, 0x06] : []), // clwb [0x600]
      ...[0x0f, 0x20, 0xe0, 0x66, 0x0d, 0x00, 0x00, 0x04, 0x00, 0x0f, 0x22, 0xe0], // CR4.OSXSAVE
      ...[0x66, 0x31, 0xc9, 0x66, 0x31, 0xd2], // xor ecx, ecx; xor edx, edx
      ...[0x66, 0xb8, AVX ? 7 : 3, 0x00, 0x00, 0x00, 0x0f, 0x01, 0xd1], // mov eax, 7; xsetbv
      ...[0xd9, 0xe8], // fld1: KVM gives up on it, and continues
      ...[0x0f, 0x01, 0xd0, 0xa3, 0x00, 0x05, 0xf4], // xgetbv; mov [0x500], ax; hlt
    ];
    const { outcome, read } = run(code);
    assert.equal(outcome.kind, 'halted', outcome.reason);
    assert.equal(read, AVX ? 7 : 3);
  });

  test('accesses of an instruction that the other CPU finishes reach their devices', () => {
    const written: string[] = [];
    const device = {
      name: 'wide',
      memory: [{ address: 0x20000, size: 16 }],
      readMemory: () => 0,
      writeMemory: (address: number, size: number, value: number) => {
        written.push(`${address.toString(16)} ${size} ${value.toString(16)}`);
      },
    };
    // mov ax, 0x2000; mov ds, ax; fld1; fstp dword [0]; hlt
    const code = [0xb8, 0x00, 0x20, 0x8e, 0xd8, 0xd9, 0xe8, 0xd9, 0x1e, 0x00, 0x00, 0xf4];
    using machine = createMachine({
      image: image(code),
      mode: 'real',
      engine: 'kvm',
      memory: 0x10000,
      devices: [device],
    });
    assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
    assert.deepEqual(written, ['20000 4 3f800000']);
  });

  test('cannot run code outside RAM either: the failure reports that, and names no instruction', () => {
    // jmp 0xf000:0
    const { outcome } = run([0xea, 0, 0, 0, 0xf0]);
    assert.equal(outcome.kind, 'engineError');
    assert.equal(outcome.failure!.name, 'NO_CODE');
    assert.equal(outcome.failure!.message, 'the guest jumped or ran to an address that is not RAM');
  });

  test('that cannot be loaded is reported with the instruction that KVM gave up on', () => {
    const engine = assisted(kvmEngine({ failuresLeave: true }), () => {
      throw new Error('the software CPU is not built');
    });
    using machine = new Machine({ engine, image: image(adds), mode: 'real', memory: 0x10000 });
    const { kind, failure } = machine.run({ timeoutMs: 60_000 });
    assert.equal(kind, 'engineError');
    assert.equal(failure!.name, 'KVM_INTERNAL_ERROR_EMULATION');
    assert.match(failure!.message, /, and the software CPU cannot help: the software CPU is not built$/);
  });

  test('a stop reaches a guest that KVM gives up on repeatedly', () => {
    // fld1; fstp st0; jmp
    using machine = createMachine({
      image: image([0xd9, 0xe8, 0xdd, 0xd8, 0xeb, 0xfa]),
      mode: 'real',
      engine: 'kvm',
      memory: 0x10000,
    });
    const clock = ownClock();
    assert.equal(machine.run({ timeoutMs: 100 }).kind, 'timeout');
    assert.ok(clock() < 1000);
    assert.equal(machine.run({ timeoutMs: 50 }).kind, 'timeout', 'and it continues');
  });

  test('is counted by --stat and in the report, and can be switched off', () => {
    using scratch = new Scratch();
    const report = scratch.file('report.json');
    const guest = ['run', 'guests/rings-protected', '--engine', 'kvm'];
    const ran = terrarium([...guest, '--stat', '--report', report]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(
      ran.stderr,
      /assisted: kvm gave up \d+ times?; the software CPU ran \d+ instructions for it/,
    );
    assert.ok(JSON.parse(readFileSync(report, 'utf8')).outcome.assistance.times > 0);
    assert.equal(terrarium([...guest, '--assist', 'off']).status, 4);
  });
});
