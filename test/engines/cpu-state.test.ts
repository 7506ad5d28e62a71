/** A CPU's state, saved at any moment and loaded into a new CPU: no guest can notice it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { boot } from '../../src/boot/index.js';
import { type Engine, type EngineCpu, ExitKind, newControl } from '../../src/engine/contract/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { softProgram } from '../../src/engine/soft/host/testing.js';
import { type SoftCpu, softEngine } from '../../src/engine/soft/index.js';
import { opcodes, type Random, randomInstruction } from '../../src/isa/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import { randomNumbers } from '../../src/random.js';
import {
  type CpuState,
  CR4,
  encodeDescriptor,
  Fxsave,
  flatCode32,
  flatCode64,
  flatData,
  MSR,
} from '../../src/x86/index.js';
import { noKvm } from '../support.js';

type Mode = 'real' | 'protected' | 'long';

const soft = softEngine(softProgram());
/**
 * The upper half holds the page tables, which no linear address reaches: the old CPU has cached translations, and a new
 * one has none.
 */
const RAM = 4 << 20;
const CODE = 0x8000;
const CODE_BYTES = 0x4000;
const IDT = 0x4000;
const GDT = 0x3000;
const VECTORS = 256;

/** Instructions that delay events, exit in their middle, or repeat. */
const special: Record<'code16' | 'code64', readonly (readonly number[])[]> = {
  code16: [
    [0xfb], // sti
    [0xfb, 0xf4], // sti; hlt
    [0x31, 0xc0, 0x8e, 0xd0], // xor ax,ax; mov ss,ax
    [0x68, 0x02, 0x03, 0x00, 0x00, 0x9d], // push 302h; popf: IF and TF
    [0x17], // pop ss
    // A data breakpoint on the top of the stack, which pop ss delays: mov eax,esp; mov dr0,eax; mov eax,f0002h; mov
    // dr7,eax
    [0x66, 0x8b, 0xc4, 0x0f, 0x23, 0xc0, 0x66, 0xb8, 0x02, 0x00, 0x0f, 0x00, 0x0f, 0x23, 0xf8, 0x17],
    [0x9d], // popf: TF
    [0xcc],
    [0xcd, 0x80],
    [0xcf], // iret
    [0xe4, 0x60],
    [0xe6, 0x80],
    [0xf3, 0x6c], // rep insb
    [0xf3, 0x6e], // rep outsb
    [0xf3, 0xa4], // rep movsb
    [0xf3, 0xaa],
    [0xf1], // icebp
    [0x0f, 0x23, 0xf8], // mov dr7,eax
    [0x0f, 0x23, 0xc0],
    [0xd9, 0xe8], // fld1
    [0x0f, 0x58, 0xc1], // addps
    [0x0f, 0x30], // wrmsr
    [0x0f, 0x31], // rdtsc
    [0x66, 0x31, 0xc9], // xor ecx,ecx
    [0xb1, 0x05], // mov cl,5
  ],
  code64: [
    [0xfb],
    [0xfb, 0xf4],
    [0x31, 0xc0, 0x8e, 0xd0],
    [0x68, 0x02, 0x03, 0x00, 0x00, 0x9d],
    [0x9d],
    [0xcc],
    [0xcd, 0x80],
    [0x48, 0xcf],
    [0xe4, 0x60],
    [0xe6, 0x80],
    [0xf3, 0x6c],
    [0xf3, 0x6e],
    [0xf3, 0xa4],
    [0xf1],
    [0x0f, 0x23, 0xf8],
    [0xd9, 0xeb],
    [0x66, 0x0f, 0xd4, 0xc1],
    [0x0f, 0x01, 0xf8], // swapgs
    [0x0f, 0x31],
    [0x48, 0x8b, 0x04, 0x25, 0x00, 0x00, 0x50, 0x00], // mov 0x500000,%rax: MMIO
    [0x48, 0x01, 0x04, 0x25, 0x00, 0x00, 0x50, 0x00], // add %rax,0x500000
    [0x48, 0xc7, 0xc7, 0x00, 0x80, 0x00, 0x00], // mov $0x8000,%rdi
    [0x48, 0xc7, 0xc1, 0x05, 0x00, 0x00, 0x00], // mov $5,%rcx
    [0x48, 0xc7, 0xc4, 0x00, 0x70, 0x00, 0x00], // mov $0x7000,%rsp
  ],
};

function randomCode(mode: Mode, random: Random): Uint8Array {
  const code = mode === 'real' ? 16 : mode === 'protected' ? 32 : 64;
  const chosen = mode === 'long' ? special.code64 : special.code16;
  const rows = opcodes().filter(({ no64, only64 }) => (code === 64 ? !no64 : !only64));
  const bytes: number[] = [];
  while (bytes.length < CODE_BYTES) {
    if (random(3) !== 0) bytes.push(...chosen[random(chosen.length)]!);
    const row = rows[random(rows.length)]!;
    const rex = code === 64 && random(2) === 0 ? 0x48 : 0;
    const sample = randomInstruction({ row, code, memory: random(2) === 0, prefixes: [], rex }, random);
    if (sample !== undefined) bytes.push(...sample.bytes);
  }
  return Uint8Array.from(bytes.slice(0, CODE_BYTES));
}

/** A guest of random instructions, and random handlers for their exceptions. */
function guest(mode: Mode, seed: number): { memory: GuestMemory; state: (cpu: EngineCpu) => CpuState } {
  const random = randomNumbers(seed);
  const memory = GuestMemory.create([{ address: 0, size: RAM }]);
  const { state } = boot(memory, randomCode(mode, random), { mode, load: CODE, entry: CODE });
  const system = { ...state.system };
  for (let vector = 0; vector < VECTORS; vector++) {
    const target = CODE + random(CODE_BYTES);
    if (mode === 'real') memory.write32(4 * vector, target);
    else writeGate(memory, mode, vector, target);
  }
  if (mode !== 'real') {
    const code = mode === 'long' ? flatCode64(8) : flatCode32(8);
    for (const [n, one] of [code, flatData(16)].entries())
      memory.write64(GDT + 8 * (n + 1), encodeDescriptor(one));
    system.gdt = { base: BigInt(GDT), limit: 23 };
    system.idt = { base: BigInt(IDT), limit: 16 * VECTORS - 1 };
    system.cs = code;
    for (const name of ['es', 'ss', 'ds', 'fs', 'gs'] as const) system[name] = flatData(16);
  }
  if (mode === 'long') hideTables(memory, system.cr3);
  const registers = { ...state.registers, rsp: 0x7000n, rcx: 3n, rdi: 0x8000n, rsi: 0x9000n };
  return { memory, state: (cpu) => ({ ...cpu.getState(), registers, system }) };
}

function writeGate(memory: GuestMemory, mode: Mode, vector: number, target: number): void {
  const low = BigInt((target & 0xffff) | (8 << 16)) | (BigInt((target & 0xffff0000) | 0x8e00) << 32n);
  if (mode === 'protected') memory.write64(IDT + 8 * vector, low);
  else {
    memory.write64(IDT + 16 * vector, low);
    memory.write64(IDT + 16 * vector + 8, 0n);
  }
}

/** Clears the page directory's entry for the second 2 MiB. */
function hideTables(memory: GuestMemory, cr3: bigint): void {
  const next = (at: number) => Number(memory.read64(at) & 0xffff_f000n);
  const directory = next(next(Number(cr3)));
  assert.ok(memory.read64(directory + 8) & 1n, 'the second 2 MiB are mapped');
  memory.write64(directory + 8, 0n);
}

interface Side {
  memory: GuestMemory;
  cpu: SoftCpu;
}

function start(mode: Mode, seed: number): Side {
  const { memory, state } = guest(mode, seed);
  const cpu = soft.createVm(memory).createCpu(newControl());
  cpu.setState(state(cpu));
  return { memory, cpu };
}

/** The same memory with a new CPU. */
function renew({ memory, cpu }: Side): Side {
  const state = structuredClone(cpu.getState());
  const fresh = soft.createVm(memory).createCpu(newControl());
  fresh.setState(state);
  return { memory, cpu: fresh };
}

/** A monitor's actions after an exit, the same for the same random numbers. */
function answer({ cpu }: Side, kind: ExitKind, random: Random, restart: CpuState): void {
  const { exit } = cpu;
  if ((kind === ExitKind.io || kind === ExitKind.mmio) && !exit.write) {
    for (let n = 0; n < exit.size * exit.count; n++) exit.data.setUint8(exit.offset + n, random(256));
  }
  if (kind === ExitKind.shutdown || kind === ExitKind.internalError || random(400) === 0) {
    cpu.setState({ ...restart, time: cpu.getState().time });
    return;
  }
  if (random(8) === 0) cpu.injectNmi();
  if (random(8) === 0 && cpu.readyForInterrupt) cpu.injectInterrupt(random(VECTORS));
}

const fingerprint = ({ memory }: Side) => createHash('sha256').update(memory.view(0, RAM)).digest('hex');

describe('a software CPU whose state is saved and restored', () => {
  const seen = new Set<string>();
  for (const mode of ['real', 'protected', 'long'] as const) {
    test(`continues as one that was never saved, in ${mode} mode, between any two instructions and in exits`, () => {
      for (let seed = 1; seed <= 4; seed++) {
        const whole = start(mode, seed);
        let saved = start(mode, seed);
        const restart = whole.cpu.getState();
        const [first, second] = [randomNumbers(100 + seed), randomNumbers(100 + seed)];
        const chunks = randomNumbers(200 + seed);
        for (let round = 0; round < 150; round++) {
          const instructions = 1 + chunks(chunks(8) === 0 ? 200 : 3);
          const kinds = [whole, saved].map(({ cpu }) => {
            cpu.clock.setAlarm(cpu.clock.cycles + instructions);
            return cpu.run();
          });
          assert.equal(kinds[1], kinds[0], `exit ${round} of seed ${seed}`);
          saved = renew(saved);
          const state = whole.cpu.getState();
          assert.deepEqual(saved.cpu.getState(), state, `state ${round} of seed ${seed}`);
          note(seen, state, kinds[0]!);
          answer(whole, kinds[0]!, first, restart);
          answer(saved, kinds[0]!, second, restart);
          note(seen, whole.cpu.getState(), kinds[0]!);
          saved = renew(saved);
        }
        assert.equal(fingerprint(saved), fingerprint(whole), `memory of seed ${seed}`);
      }
    });
  }

  test('was saved in all intermediate states of a CPU', () => {
    const wanted = [
      'sti',
      'movSs',
      'nmiPending',
      'nmiMasked',
      'interrupt',
      'trap',
      'io',
      'mmio',
      'repeat',
      'answers',
    ];
    assert.deepEqual(
      wanted.filter((what) => !seen.has(what)),
      [],
    );
  });
});

/** Rounds of the loops below. */
const STEPS = 40;

/** Loops with an access that is an exit: there the other engine continues. */
const loops = {
  real: [0x05, 0x34, 0x12, 0xd1, 0xc3, 0x31, 0xc3, 0x11, 0xd9, 0xe6, 0x10, 0xeb, 0xf3],
  // add rax,rbx; rol rbx; paddq xmm0,xmm1; fadd st,st(1); adc rcx,rax; mov [500000h],al
  ring3: [
    0x48, 0x01, 0xd8, 0x48, 0xd1, 0xc3, 0x66, 0x0f, 0xd4, 0xc1, 0xd8, 0xc1, 0x48, 0x11, 0xc1, 0x88, 0x04,
    0x25, 0x00, 0x00, 0x50, 0x00, 0xeb, 0xe8,
  ],
};

/** The state at the start of a loop. */
function loopState(which: keyof typeof loops, memory: GuestMemory, cpu: EngineCpu): CpuState {
  const mode = which === 'real' ? 'real' : 'long';
  const { state } = boot(memory, Uint8Array.from(loops[which]), { mode, load: CODE, entry: CODE });
  const registers = { ...state.registers, rbx: 0x8421n, rcx: 5n };
  const given = { ...cpu.getState(), registers, system: state.system };
  if (which === 'real') return given;
  openToRing3(memory, state.system.cr3);
  const data = { ...flatData(0x2b), dpl: 3 };
  const cr4 = state.system.cr4 | CR4.OSFXSR;
  const system = { ...state.system, cr4, cs: flatCode64(0x33, 3), ss: data, ds: data, es: data };
  const fpu = given.fpu.slice();
  const view = new DataView(fpu.buffer);
  view.setUint16(Fxsave.FCW, 0x37f, true);
  // ST(0) and ST(1): 1 and 3; XMM1.
  view.setUint8(Fxsave.FTW, 0xc0);
  view.setUint16(Fxsave.FSW, 6 << 11, true);
  for (const [n, exponent, significand] of [
    [0, 0x3fff, 1n << 63n],
    [1, 0x4000, 3n << 62n],
  ] as const) {
    view.setBigUint64(Fxsave.ST + 16 * n, significand, true);
    view.setUint16(Fxsave.ST + 16 * n + 8, exponent, true);
  }
  view.setBigUint64(Fxsave.XMM + 16, 0x1111_2222_3333n, true);
  view.setUint32(Fxsave.MXCSR, 0x1f80, true);
  return { ...given, registers, system, fpu };
}

/** Sets U/S in the entries of the lowest 2 MiB and of those at 4 MiB, where no RAM is. */
function openToRing3(memory: GuestMemory, cr3: bigint): void {
  let at = Number(cr3);
  const open = (entry: number) => memory.write64(entry, memory.read64(entry) | 4n);
  for (let level = 0; level < 2; level++) {
    open(at);
    at = Number(memory.read64(at) & 0xffff_f000n);
  }
  open(at);
  open(at + 16);
}

/** The parts that are equal on both engines. Some processors store FOP, FIP and FDP only after an exception. */
function compared({ registers, fpu, debug, events, msrs, system }: CpuState) {
  const numbers = [...fpu.subarray(0, 6), ...fpu.subarray(Fxsave.MXCSR, Fxsave.MXCSR_MASK)];
  return {
    registers,
    fpu: [...numbers, ...fpu.subarray(Fxsave.ST, Fxsave.end)],
    debug,
    events,
    msrs: msrs.filter(([msr]) => msr === MSR.IA32_LSTAR || msr === MSR.IA32_PAT),
    control: [system.cr0, system.cr3, system.cr4, system.efer],
  };
}

describe('a state that moves repeatedly between the software CPU and KVM', { skip: noKvm }, () => {
  for (const which of ['real', 'ring3'] as const) {
    test(`has the same results as the software CPU alone, ${which === 'real' ? 'in real mode' : 'in ring 3 of long mode'}`, () => {
      const make = (engine: Engine) => {
        const memory = GuestMemory.create([{ address: 0, size: RAM }]);
        const vm = engine.createVm(memory);
        const cpu = vm.createCpu(newControl());
        cpu.setState(loopState(which, memory, cpu));
        return { cpu, vm };
      };
      const [alone, here, there] = [make(soft), make(soft), make(kvmEngine())];
      try {
        let state = here.cpu.getState();
        for (let step = 0; step < STEPS; step++) {
          const left = which === 'real' ? ExitKind.io : ExitKind.mmio;
          assert.equal(alone.cpu.run(), left);
          alone.cpu.completeExit();
          const { cpu } = step % 2 === 0 ? there : here;
          cpu.setState(structuredClone(state));
          assert.deepEqual(compared(cpu.getState()), compared(state), `taken in step ${step}`);
          assert.equal(cpu.run(), left, cpu.failure().message);
          cpu.completeExit();
          state = cpu.getState();
          assert.deepEqual(compared(state), compared(alone.cpu.getState()), `after step ${step}`);
        }
      } finally {
        for (const { vm } of [alone, here, there]) vm[Symbol.dispose]();
      }
    });
  }
});

function note(seen: Set<string>, { events, unfinished, registers, system }: CpuState, kind: ExitKind): void {
  seen.add(events.shadow);
  if (events.nmiPending) seen.add('nmiPending');
  if (events.nmiMasked) seen.add('nmiMasked');
  if (events.interrupt !== null) seen.add('interrupt');
  if (events.debugTraps !== 0) seen.add('trap');
  if (unfinished?.access) seen.add(unfinished.access.kind);
  if (unfinished?.answers.length) seen.add('answers');
  if (unfinished === null && kind === ExitKind.interrupted && registers.rcx > 0n && system.cs.present)
    seen.add('repeat');
}
