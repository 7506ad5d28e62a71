/** Both engines do the same: random instructions on random registers in real mode, one at a time, with a fixed seed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { controlBytes, type Engine, ExitKind, type Registers } from '../src/engine/contract.js';
import { engineByName } from '../src/host/index.js';
import { type Opcode, opcodes } from '../src/isa/index.js';
import { GuestMemory } from '../src/memory/index.js';
import { noKvm } from './support.js';

const CODE = 0x6000;
const COMPARISONS = 3000;
const general = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const edges = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const flagBits: Record<string, bigint> = { C: 1n, P: 4n, A: 0x10n, Z: 0x40n, S: 0x80n, O: 0x800n };

/**
 * Instructions on registers alone. AAM and AAD are left out: where KVM emulates real mode, it takes their SF, ZF and PF from
 * more than AL.
 */
const rows = opcodes.filter(
  ({ operands, meaning, protectedOnly, only64, name }) =>
    !protectedOnly &&
    !only64 &&
    ['modify', 'read', 'write', 'swap', 'whole'].includes(meaning.kind) &&
    operands.some((operand) => /^[EZ]/.test(operand)) &&
    !/^(fpu|popmem|nop|smsw|movfromsegment)$/.test(name),
);

class Side implements Disposable {
  readonly memory = GuestMemory.create([{ address: 0, size: 0x10000 }]);
  readonly #vm;
  readonly cpu;

  constructor(engine: Engine) {
    this.#vm = engine.createVm(this.memory);
    this.cpu = this.#vm.createCpu(new Int32Array(new SharedArrayBuffer(controlBytes)));
    const system = this.cpu.getSystemRegisters();
    for (const name of ['cs', 'ds', 'es', 'ss'] as const)
      Object.assign(system[name], { selector: 0, base: 0n });
    this.cpu.setSystemRegisters(system);
    // Every vector leads to a HLT of its own.
    this.memory.view(0, 0x10000).fill(0xf4);
    for (let vector = 0; vector < 256; vector++) this.memory.write32(vector * 4, 0x8000 + vector);
  }

  /** Runs to the HLT; undefined where the engine gave up. */
  run(code: readonly number[], registers: Registers): Registers | undefined {
    this.memory.view(CODE, 16).fill(0xf4);
    this.memory.writeBytes(CODE, Uint8Array.from(code));
    this.cpu.setRegisters(registers);
    return this.cpu.run() === ExitKind.halt ? this.cpu.getRegisters() : undefined;
  }

  [Symbol.dispose](): void {
    this.#vm[Symbol.dispose]();
    this.memory.release(false);
  }
}

/** Numbers from 0 to n - 1 (Marsaglia's xorshift), the same in every run. */
function numbers(state: number): (n: number) => number {
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** The instruction with its register operands chosen; immediates are the bytes behind it. */
function encode(row: Opcode, next: (n: number) => number): number[] {
  const code = next(2) === 0 ? [] : [0x66];
  if (row.map === 1) code.push(0x0f);
  code.push(row.opcode);
  const modrm = row.reg >= 0 || row.operands.some((operand) => /^[EG]/.test(operand));
  if (modrm) code.push(0xc0 | ((row.reg >= 0 ? row.reg : next(8)) << 3) | next(8));
  return code;
}

describe('the two engines agree', { skip: noKvm }, () => {
  test(`on ${COMPARISONS} random instructions in real mode: registers and defined flags`, (t) => {
    using soft = new Side(engineByName('soft'));
    using kvm = new Side(engineByName('kvm'));
    const next = numbers(80286);
    const differ: string[] = [];
    let refused = 0;
    for (let n = 0; n < COMPARISONS; n++) {
      const row = rows[next(rows.length)]!;
      const code = encode(row, next);
      const registers = soft.cpu.getRegisters();
      for (const name of general)
        registers[name] = next(2) === 0 ? edges[next(edges.length)]! : BigInt(next(2 ** 32));
      registers.rsp = 0x5000n;
      registers.rip = BigInt(CODE);
      registers.rflags = BigInt(2 | (next(0x1000) & 0x8d5));
      const real = kvm.run(code, registers);
      const ours = soft.run(code, registers);
      if (real === undefined) {
        refused++;
        continue;
      }
      let mask = 0xffffn;
      for (const letter of row.meaning.undefined) mask &= ~(flagBits[letter] ?? 0n);
      const wrong = ([...general, 'rip'] as const).filter((name) => ours?.[name] !== real[name]);
      const flags = ours === undefined || (ours.rflags & mask) !== (real.rflags & mask);
      if (wrong.length === 0 && !flags) continue;
      const bytes = code.map((byte) => byte.toString(16)).join(' ');
      differ.push(
        `${row.name} ${row.operands.join(',')} (${bytes}): ${[...wrong, ...(flags ? ['flags'] : [])].join(', ')}`,
      );
    }
    t.diagnostic(`${refused} instructions are not there in this host's KVM`);
    assert.ok(refused < COMPARISONS / 10);
    assert.deepEqual(differ.slice(0, 20), []);
  });
});
