import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EngineCpu, ExitKind, exitKindNames, newControl } from '../engine/contract/index.js';
import { EngineLimit, kvmEngine } from '../engine/kvm/index.js';
import { GuestMemory } from '../memory/index.js';
import { type BootOptions, type BootPlan, boot } from './boot.js';
import type { Image } from './image.js';

const MIB = 1024 * 1024;
const engine = kvmEngine();
const skip = whyNot();

/** Why guests cannot run here, or false. */
function whyNot(): string | false {
  try {
    return engine.device.closed ? 'the KVM device is closed' : false;
  } catch (error) {
    return `KVM cannot be used here: ${String(error)}`;
  }
}

/** Boots an image, runs it to its first exit and shows what is left. A guest that does not exit is stopped. */
function run(
  image: Uint8Array | Image,
  options: BootOptions,
  look: (cpu: EngineCpu, memory: GuestMemory, plan: BootPlan) => void,
): void {
  using memory = GuestMemory.create([{ address: 0, size: 2 * MIB }]);
  const plan = boot(memory, image, options);
  using vm = engine.createVm(memory);
  using cpu = vm.createCpu(newControl());
  cpu.setSystemRegisters(plan.state.system);
  cpu.setRegisters(plan.state.registers);
  cpu.setTimer(2000, 0);
  cpu.run();
  look(cpu, memory, plan);
}

function halted(cpu: EngineCpu): void {
  assert.equal(exitKindNames[cpu.exit.kind], 'halt', JSON.stringify(cpu.failure()));
}

describe('on the real CPU', { skip }, () => {
  test('real mode starts at 0000:0000 with a stack below 0:FFFE', () => {
    // mov ax, 42; mov [0x400], ax; push ax; pop bx; mov cx, sp; hlt
    const code = Uint8Array.of(0xb8, 42, 0, 0xa3, 0, 4, 0x50, 0x5b, 0x89, 0xe1, 0xf4);
    run(code, {}, (cpu, memory, plan) => {
      halted(cpu);
      const { rax, rbx, rcx } = cpu.getRegisters();
      assert.deepEqual([rax, rbx, rcx], [42n, 42n, 0xfffen]);
      assert.equal(memory.read16(0x400), 42);
      assert.equal(memory.read16(plan.stack - 2), 42);
    });
  });

  test('a boot sector finds itself at 0000:7C00', () => {
    const sector = new Uint8Array(512);
    // call next; next: pop ax; mov bx, cs; hlt
    sector.set([0xe8, 0, 0, 0x58, 0x8c, 0xcb, 0xf4]);
    sector.set([0x55, 0xaa], 510);
    run(sector, {}, (cpu) => {
      halted(cpu);
      assert.equal(cpu.getRegisters().rax, 0x7c03n);
      assert.equal(cpu.getRegisters().rbx, 0n);
    });
  });

  test('real mode above 64 KiB runs with CS of the 64 KiB block', () => {
    // mov ax, cs; call next; next: pop bx; hlt
    run(Uint8Array.of(0x8c, 0xc8, 0xe8, 0, 0, 0x5b, 0xf4), { load: 0x1_8000 }, (cpu) => {
      halted(cpu);
      assert.equal(cpu.getRegisters().rax, 0x1000n);
      assert.equal(cpu.getRegisters().rbx, 0x8005n);
    });
  });

  test('reset begins with the far jump at F000:FFF0', () => {
    const image = new Uint8Array(65536);
    // mov ax, cs; mov bl, cs:[0x10]; hlt
    image.set([0x8c, 0xc8, 0x2e, 0x8a, 0x1e, 0x10, 0x00, 0xf4]);
    image[0x10] = 0x77;
    image.set([0xea, 0x00, 0x00, 0x00, 0xf0], 0xfff0); // jmp 0xf000:0
    run(image, {}, (cpu) => {
      halted(cpu);
      const { rax, rbx, rdx } = cpu.getRegisters();
      assert.deepEqual([rax, rbx, rdx], [0xf000n, 0x77n, 0x600n]);
      assert.equal(cpu.getSystemRegisters().cs.base, 0xf_0000n);
    });
  });

  // mov eax, 0x12345678; push eax; pop ebx; str cx; mov edx, cs; mov es, dx; mov [0x5000], eax; hlt
  const code32 = Uint8Array.of(
    ...[0xb8, 0x78, 0x56, 0x34, 0x12, 0x50, 0x5b, 0x66, 0x0f, 0x00, 0xc9, 0x8c, 0xca],
    ...[0x8e, 0xc2, 0xa3, 0x00, 0x50, 0x00, 0x00, 0xf4],
  );
  for (const mode of ['protected', 'paged', 'pae'] as const) {
    test(`${mode} mode runs 32-bit code with its stack, its GDT and its TSS`, (t) => {
      try {
        run(code32, { mode }, (cpu, memory, plan) => {
          halted(cpu);
          const { rax, rbx, rcx, rdx } = cpu.getRegisters();
          assert.deepEqual([rax, rbx, rcx, rdx], [0x12345678n, 0x12345678n, 0x28n, 0x08n]);
          assert.equal(memory.read32(0x5000), 0x12345678);
          assert.equal(memory.read32(plan.stack - 4), 0x12345678);
          t.diagnostic(`${mode} mode works on this host`);
        });
      } catch (error) {
        // Some implementations of KVM have no 32-bit paging; every one has protected mode.
        if (!(error instanceof EngineLimit) || mode === 'protected') throw error;
        t.diagnostic(`${mode} mode is refused on this host: ${error.message}`);
      }
    });
  }

  test('long mode runs 64-bit code with its stack, its GDT and its TSS', () => {
    // mov rax, 0x123456789abcdef0; push rax; pop rbx; str cx; mov edx, cs; mov es, dx; mov rsi, cr3; hlt
    const code = Uint8Array.of(
      ...[0x48, 0xb8, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12, 0x50, 0x5b],
      ...[0x66, 0x0f, 0x00, 0xc9, 0x8c, 0xca, 0x8e, 0xc2, 0x0f, 0x20, 0xde, 0xf4],
    );
    run(code, { mode: 'long' }, (cpu, memory, plan) => {
      halted(cpu);
      const { rax, rbx, rcx, rdx, rsi } = cpu.getRegisters();
      assert.deepEqual([rax, rbx, rcx, rdx], [0x123456789abcdef0n, 0x123456789abcdef0n, 0x28n, 0x08n]);
      assert.equal(rsi, plan.state.system.cr3);
      assert.equal(memory.read64(plan.stack - 8), 0x123456789abcdef0n);
    });
  });

  test('long mode’s map and GDT serve ring 3', () => {
    const code = new Uint8Array(0x60);
    // push 0x1b; push 0x9000; push 2; push 0x23; push 0x40; iretq
    code.set([0x6a, 0x1b, 0x68, 0, 0x90, 0, 0, 0x6a, 2, 0x6a, 0x23, 0x6a, 0x40, 0x48, 0xcf]);
    // 0x40: mov eax, cs; push rax; mov [0x5000], eax; mov [0x70000000], al (no memory there: an exit)
    code.set([0x8c, 0xc8, 0x50, 0x89, 0x04, 0x25, 0, 0x50, 0, 0, 0x88, 0x04, 0x25, 0, 0, 0, 0x70], 0x40);
    run(code, { mode: 'long' }, (cpu, memory) => {
      assert.equal(exitKindNames[cpu.exit.kind], 'mmio', JSON.stringify(cpu.failure()));
      assert.equal(cpu.exit.address, 0x7000_0000);
      // The privilege level, not the whole selector: a KVM that runs ring 3 natively shows the guest the host's CS.
      assert.equal(memory.read32(0x5000) & 3, 3);
      assert.equal(memory.read32(0x9000 - 8), memory.read32(0x5000));
    });
  });

  test('the page walk leaves accessed bits in the entries it used', () => {
    run(Uint8Array.of(0xf4), { mode: 'long' }, (cpu, memory, plan) => {
      halted(cpu);
      const pml4 = Number(plan.state.system.cr3);
      assert.equal(memory.read64(pml4) & 0x20n, 0x20n);
      const directories = pml4 + 2 * 4096;
      assert.equal(memory.read64(directories) & 0x20n, 0x20n, 'the first 2 MiB hold the code');
      assert.equal(memory.read64(directories + 8 * 100) & 0x20n, 0n, '200 MiB was not accessed');
    });
  });

  test('without an IDT the first exception is a triple fault', () => {
    for (const mode of ['protected', 'long'] as const) {
      run(Uint8Array.of(0x0f, 0x0b), { mode }, (cpu) => assert.equal(cpu.exit.kind, ExitKind.shutdown));
    }
  });

  test('an ELF kernel has its .bss zero and its entry inside', () => {
    // mov eax, [0x100100]; not eax; hlt
    const bytes = Uint8Array.of(0x90, 0xa1, 0x00, 0x01, 0x10, 0x00, 0xf7, 0xd0, 0xf4);
    const segments = [{ address: MIB, bytes, memorySize: 0x1000 }];
    run({ format: 'elf32', name: 'k', segments, entry: MIB + 1 }, {}, (cpu) => {
      halted(cpu);
      assert.equal(cpu.getRegisters().rax, 0xffff_ffffn);
    });
  });
});
