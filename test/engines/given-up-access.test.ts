/** An unanswered access is dropped with its instruction when the registers are set: in the same way on each engine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { ExitKind } from '../../src/engine/contract/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

const ELSEWHERE = 0x100n;

/** 16-bit instructions in the middle of an access, with DS at 0x20000, where there is no RAM. */
const accesses: Record<string, number[]> = {
  'add [0], ax: a read that a write would follow': [0x01, 0x06, 0x00, 0x00],
  'mov [0], ax': [0xa3, 0x00, 0x00],
  'mov ax, [0]': [0xa1, 0x00, 0x00],
  'pop [0]': [0x8f, 0x06, 0x00, 0x00],
  'in al, dx': [0xec],
  'rep insb': [0xf3, 0x6c],
  'rep outsw': [0xf3, 0x6f],
  'rep movsb': [0xf3, 0xa4],
};

const engines = [
  { name: 'kvm', engine: 'kvm', assist: true, skip: noKvm },
  { name: 'kvm without assist', engine: 'kvm', assist: false, skip: noKvm },
  { name: 'soft', engine: 'soft', assist: false, skip: false },
] as const;

for (const { name, engine, assist, skip } of engines) {
  describe(`on ${name}`, { skip }, () => {
    for (const [what, code] of Object.entries(accesses)) {
      test(`${what}: it has no effect`, () => {
        const image = parseImage(Uint8Array.from([...code, 0xf4]), 'code');
        using machine = createMachine({ engine, assist, image, mode: 'real', memory: 0x10000 });
        const { cpu, memory } = machine;
        // inc bx; hlt
        memory.writeBytes(Number(ELSEWHERE), Uint8Array.of(0x43, 0xf4));
        const system = cpu.getSystemRegisters();
        cpu.setSystemRegisters({ ...system, ds: { ...system.ds, selector: 0x2000, base: 0x20000n } });
        const start = { ...cpu.getRegisters(), rcx: 3n, rdi: 0x300n, rsi: 0n };
        cpu.setRegisters(start);
        const kind = cpu.run();
        assert.ok(kind === ExitKind.io || kind === ExitKind.mmio, `exit ${kind}`);
        cpu.setSystemRegisters(system);
        cpu.setRegisters({ ...start, rip: ELSEWHERE, rbx: 0x41n, rcx: 5n });
        assert.equal(cpu.run(), ExitKind.halt);
        const { rip, rax, rbx, rcx, rdi, rsp } = cpu.getRegisters();
        assert.deepEqual(
          { rip, rax, rbx, rcx, rdi, rsp },
          { rip: ELSEWHERE + 2n, rax: start.rax, rbx: 0x42n, rcx: 5n, rdi: 0x300n, rsp: start.rsp },
        );
      });
    }
  });
}
