/**
 * Random programs for the software CPU: loops, calls, recursion, jump tables, string instructions, code that changes itself, pages
 * that come and go, in four kinds of code. Each ends with HLT, or with an exception that ends in one.
 *
 * @module
 */
import { opcodes, type Random, randomInstruction } from '../../src/isa/index.js';
import type { GuestMemory } from '../../src/memory/index.js';
import { type Mode, modes } from '../../src/verify/modes.js';
import type { SystemRegisters } from '../../src/x86/index.js';

export const programKinds = ['real', 'flat', 'segmented', 'paged'] as const;
export type ProgramKind = (typeof programKinds)[number];

/** The vector of the timer. */
export const TIMER = 0x20;

const DATA = 0x8000;
const COUNTER = DATA + 0x100;
const TICKS = DATA + 0x104;
const TABLE = DATA + 0x200;
const SAVED = DATA + 0x300;
const STACK = DATA + 0x3000;
/** Pages that a handler makes present at their first access. */
const SHY = 0x60000;
const SHY_PAGES = 8;
/** A page of code whose physical address alternates. */
const TWIN = 0x70000;
const TWINS = [0x71, 0x72];
const TABLES = 0x20000;
const PAGE_TABLE = TABLES + 0x3000;
const KERNEL_STACK = 0x7000;
const TSS = 0x5000;

function bytesOf(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => (value >> (8 * n)) & 255);
}

interface Setup {
  code: 16 | 32 | 64;
  mode: Mode;
  /** The segment bases for addresses of code. */
  codeBase: number;
  prepare(memory: GuestMemory): void;
  system(system: SystemRegisters): void;
}

const FAULT_HANDLER = 0x3000;
const TIMER_HANDLER = 0x3100;
/** The handler of all other exceptions: it continues at the loop's end. */
const ABORT = 0x3200;

/** The page fault's handler of 64-bit code: makes such a page present. */
const makePresent = [
  ...[0x50, 0x0f, 0x20, 0xd0, 0x48, 0xc1, 0xe8, 0x0c], // push rax; mov rax, cr2; shr rax, 12
  ...[0x48, 0x2d, SHY >> 12, 0, 0, 0, 0x48, 0x83, 0xf8, SHY_PAGES], // sub rax, the first page; cmp rax, their number
  ...[0x73, 15, 0x80, 0x0c, 0xc5, ...bytesOf(PAGE_TABLE + 8 * (SHY >> 12), 4), 1], // jae over; or byte [rax*8 + entries], 1
  ...[0x58, 0x48, 0x83, 0xc4, 8, 0x48, 0xcf], // pop rax; add rsp, 8; iretq
];
// over: jmp ABORT
makePresent.push(0xe9, ...bytesOf(ABORT - (FAULT_HANDLER + makePresent.length + 5), 4));

function gate64(memory: GuestMemory, vector: number, to: number): void {
  memory.write32(0x4000 + 16 * vector, (0x08 << 16) | to);
  // The first stack of the interrupt stack table, because the program may have changed its own.
  memory.write32(0x4000 + 16 * vector + 4, 0x8e01);
}

const setups: Record<ProgramKind, Setup> = {
  real: {
    code: 16,
    mode: modes.real,
    codeBase: modes.real.codeBase,
    prepare(memory) {
      modes.real.prepare(memory);
      for (let vector = 0; vector < 32; vector++) memory.write32(4 * vector, ABORT);
      memory.write32(4 * TIMER, TIMER_HANDLER);
      // push ds; push 2000; pop ds; inc word [TICKS]; pop ds; iret
      memory.writeBytes(
        TIMER_HANDLER,
        Uint8Array.of(0x1e, 0x68, 0, 0x20, 0x1f, 0xff, 0x06, TICKS & 255, TICKS >> 8, 0x1f, 0xcf),
      );
    },
    system: modes.real.system,
  },
  flat: {
    code: 32,
    mode: modes.protected,
    codeBase: 0,
    prepare: prepareProtected,
    system: modes.protected.system,
  },
  segmented: {
    code: 32,
    mode: modes.protected,
    codeBase: 0,
    prepare: prepareProtected,
    system(system) {
      modes.protected.system(system);
      // Limited to its data: accesses beyond are a #GP, or a #SS.
      const data = { ...system.ds, limit: 0x1f_ffff, g: false };
      Object.assign(system, { ds: data, es: data, fs: data, gs: data });
    },
  },
  paged: {
    code: 64,
    mode: modes.long,
    codeBase: 0,
    prepare(memory) {
      modes.long.prepare(memory);
      memory.writeBytes(FAULT_HANDLER, Uint8Array.from(makePresent));
      // inc dword [TICKS]; iretq
      memory.writeBytes(
        TIMER_HANDLER,
        Uint8Array.of(0xff, 0x04, 0x25, TICKS & 255, TICKS >> 8, 0, 0, 0x48, 0xcf),
      );
      memory.write32(TSS + 36, KERNEL_STACK);
      for (let vector = 0; vector < 32; vector++) gate64(memory, vector, ABORT);
      gate64(memory, 14, FAULT_HANDLER);
      gate64(memory, TIMER, TIMER_HANDLER);
      for (let page = 0; page < 512; page++) {
        const isShy = page >= SHY >> 12 && page < (SHY >> 12) + SHY_PAGES;
        memory.write32(PAGE_TABLE + 8 * page, (page << 12) | (isShy ? 2 : 3));
      }
      for (const [n, page] of TWINS.entries())
        memory.writeBytes(page << 12, Uint8Array.of(0x83, 0xc0, n + 1, 0xc3));
    },
    system(system) {
      modes.long.system(system);
      system.cs = { ...system.cs, selector: 0x08, dpl: 0 };
      system.ss = { ...system.ss, selector: 0x10, dpl: 0 };
    },
  },
};

function prepareProtected(memory: GuestMemory): void {
  modes.protected.prepare(memory);
  for (let vector = 0; vector < 32; vector++) memory.write32(0x4000 + 8 * vector, (0x08 << 16) | ABORT);
  memory.write32(0x4000 + 8 * TIMER, (0x08 << 16) | TIMER_HANDLER);
  // inc dword [TICKS]; iret
  memory.writeBytes(TIMER_HANDLER, Uint8Array.of(0xff, 0x05, TICKS & 255, TICKS >> 8, 0, 0, 0xcf));
}

/** Instructions on registers that neither branch nor exit. */
const rows = opcodes().filter(
  ({ name, meaning, protectedOnly, operands }) =>
    !/^i?div$|^aam$/.test(name) &&
    /^(read|modify|write|swap|give|take|vector|compare)$/.test(meaning.kind) &&
    !protectedOnly &&
    !operands.some((operand) => /^[SCDOMX]/.test(operand)),
);

class Program {
  readonly bytes: number[] = [];
  readonly #random: Random;
  readonly #setup: Setup;
  readonly #base: number;
  /** The last bytes of instructions that may be anything. */
  readonly #soft: number[] = [];
  readonly #wide: number;

  constructor(random: Random, setup: Setup, base: number) {
    this.#random = random;
    this.#setup = setup;
    this.#base = base;
    this.#wide = setup.code === 16 ? 2 : 4;
  }

  get here(): number {
    return this.#base + this.bytes.length;
  }

  emit(...bytes: number[]): void {
    this.bytes.push(...bytes);
  }

  /** A number with the width of addresses. */
  word(value: number): number[] {
    return bytesOf(value, this.#wide);
  }

  /** ModRM with an address that has no register. */
  at(register: number, address: number): number[] {
    return [
      (register << 3) | (this.#setup.code === 16 ? 6 : 4),
      ...(this.#setup.code === 16 ? [] : [0x25]),
      ...this.word(address),
    ];
  }

  near(opcode: number[], target: number): void {
    this.emit(...opcode, ...this.word(target - (this.here + opcode.length + this.#wide)));
  }

  registers(): void {
    const { code } = this.#setup;
    for (let left = 1 + this.#random(5); left > 0; ) {
      const row = rows[this.#random(rows.length)]!;
      const rex = code === 64 && this.#random(2) === 0 ? 0x40 | this.#random(16) : 0;
      const prefixes = this.#random(4) === 0 ? [0x66] : [];
      const made = randomInstruction({ row, code, memory: false, prefixes, rex }, this.#random);
      if (made === undefined) continue;
      this.emit(...made.bytes);
      left--;
    }
  }

  /** add, or, sub, mov either way, by EBX. */
  memory(window: number): void {
    const opcodes = [0x00, 0x01, 0x02, 0x03, 0x08, 0x29, 0x33, 0x39, 0x88, 0x89, 0x8a, 0x8b, 0x86, 0x87];
    this.emit(0xbb, ...this.word(window));
    for (let left = 1 + this.#random(3); left > 0; left--) {
      const register = [0, 2, 6, 7][this.#random(4)]!;
      const opcode = opcodes[this.#random(opcodes.length)]!;
      if (this.#random(4) === 0) this.emit(0x66);
      this.emit(opcode, (this.#setup.code === 16 ? 0x87 : 0x83) | (register << 3));
      this.emit(...this.word(this.#random(4) === 0 ? 0xff8 + this.#random(16) : this.#random(0x800)));
    }
  }

  /** An instruction whose last byte others overwrite: perhaps after a branch. */
  soft(): void {
    if (this.#random(2) === 0) this.emit(0x70 | this.#random(16), 3);
    this.#soft.push(this.here + 2);
    this.emit(0x83, 0xc0, this.#random(256)); // add eax, imm8
  }

  /** Overwrites code: of the next instruction, or anywhere. */
  patch(): void {
    const segment = this.#setup.code === 16 ? [0x2e] : [];
    const length = segment.length + 2 + this.at(0, 0).length;
    const target = this.#random(2) === 0 ? undefined : this.#soft[this.#random(this.#soft.length)];
    // Every fourth round, so that there is something to translate: test byte [COUNTER], 3; jnz over.
    const guard = [0xf6, ...this.at(0, COUNTER), 3, 0x75, length + 1];
    if (target !== undefined || this.#random(2) === 0) this.emit(...guard);
    // mov byte [address], imm8: the next one is "add eax, imm8".
    this.emit(...segment, 0xc6, ...this.at(0, target ?? this.here + length + 2), this.#random(256));
    if (target === undefined) this.soft();
  }

  stack(): void {
    this.emit(0xbc, ...this.word(STACK)); // mov esp, STACK
  }

  strings(): void {
    const opcode = [0xaa, 0xab, 0xa4, 0xa5, 0xae, 0xa6][this.#random(6)]!;
    const window =
      this.#setup.code === 64 && this.#random(2) === 0
        ? SHY + 0xff0 + 0x1000 * this.#random(5)
        : DATA + 0x400;
    this.emit(0xbf, ...this.word(window), 0xbe, ...this.word(DATA + 0x800 + this.#random(64)));
    this.emit(0xb9, ...this.word(this.#random(60)), this.#random(2) === 0 ? 0xf3 : 0xf2, opcode);
  }

  /** A page of data or a page of code is removed or replaced. */
  pages(): void {
    const shy = SHY + 0x1000 * this.#random(SHY_PAGES);
    const invlpg = (page: number) => this.emit(0x0f, 0x01, ...this.at(7, page));
    if (this.#random(2) === 0) {
      this.emit(0x80, ...this.at(4, PAGE_TABLE + 8 * (shy >> 12)), 0xfe); // and byte [entry], fe
      if (this.#random(4) !== 0) invlpg(shy);
    } else {
      this.emit(0xc6, ...this.at(0, PAGE_TABLE + 8 * (TWIN >> 12)), 0x63);
      this.emit(
        0x66,
        0xc7,
        ...this.at(0, PAGE_TABLE + 8 * (TWIN >> 12) + 1),
        ...bytesOf(TWINS[this.#random(2)]! << 4, 2),
      );
      invlpg(TWIN);
      this.stack();
      this.near([0xe8], TWIN);
    }
  }

  /** Pushes onto pages that are not present, and pops the values. */
  pushes(): void {
    this.emit(0xbc, ...this.word(SHY + 8 * this.#random(3) + 0x1000 * (1 + this.#random(SHY_PAGES - 1))));
    for (let left = 1 + this.#random(4); left > 0; left--)
      this.emit(0x50 | [0, 1, 2, 3, 6, 7][this.#random(6)]!);
    this.emit(0x58 | [0, 1, 2][this.#random(3)]!);
    this.stack();
  }

  /** Jumps through a table, by a register. */
  table(): void {
    const { code } = this.#setup;
    const slots = TABLE + 0x80;
    // and eax, 3; jmp [slots + eax*8]; of 16-bit code: and ax, 3; shl ax, 3; mov bx, ax; jmp [bx + slots]
    this.emit(0x83, 0xe0, 3);
    if (code === 16) this.emit(0xc1, 0xe0, 3, 0x89, 0xc3);
    const targets = Array.from({ length: 4 }, () => ({ at: 0, store: 0 }));
    for (const [n, target] of targets.entries()) {
      this.emit(0xc7, ...this.at(0, slots + 8 * n));
      target.store = this.bytes.length;
      this.emit(...this.word(0));
      if (code === 64) this.emit(0xc7, ...this.at(0, slots + 8 * n + 4), 0, 0, 0, 0);
    }
    if (code === 16) this.emit(0xff, 0xa7, ...this.word(slots));
    else this.emit(0xff, 0x24, 0xc5, ...this.word(slots));
    for (const target of targets) {
      target.at = this.here;
      this.emit(0x83, 0xc1, this.#random(256)); // add ecx, imm8
    }
    for (const { at, store } of targets) this.bytes.splice(store, this.#wide, ...this.word(at));
  }

  body(): void {
    for (let left = this.#random(4); left >= 0; left--) {
      this.registers();
      this.stack();
      const { code } = this.#setup;
      switch (this.#random(8)) {
        case 0:
          this.patch();
          break;
        case 1:
          this.soft();
          break;
        case 2:
          this.strings();
          break;
        case 3:
          this.table();
          break;
        case 4:
          if (code === 64) this.pages();
          break;
        case 5:
          if (code === 64) this.pushes();
          break;
        default:
          this.memory(code === 64 && this.#random(3) === 0 ? SHY : DATA);
      }
    }
  }
}

/** One program: the contents by physical address, and the entry. */
export interface MadeProgram {
  bytes: Uint8Array;
  address: number;
  rip: bigint;
  /** The code at ABORT. */
  abort: Uint8Array;
}

export const abortAddress = ABORT;

/** @param rounds how often its loop runs */
export function makeProgram(random: Random, kind: ProgramKind, rounds: number): MadeProgram {
  const setup = setups[kind];
  // Mostly across the end of a page.
  const base = (setup.code === 16 ? 0x4000 : 0x100000) + 4096 * random(8) + 4096 - random(900);
  const program = new Program(random, setup, base);
  const functions: number[] = [];
  program.near([0xe9], 0);
  for (let n = 0; n < 3; n++) {
    functions.push(program.here);
    // The body changes the stack pointer freely.
    program.emit(0x89, ...program.at(4, SAVED + 4 * n)); // mov [SAVED], esp
    program.body();
    program.emit(0x8b, ...program.at(4, SAVED + 4 * n));
    if (random(3) === 0) program.emit(0xc2, 4 * random(3), 0);
    else program.emit(0xc3);
  }
  // dec edx; jz over; call itself; over: ret
  const recursive = program.here;
  if (setup.code === 64) program.emit(0xff, 0xca);
  else program.emit(0x4a);
  program.emit(0x74, setup.code === 16 ? 3 : 5);
  program.near([0xe8], recursive);
  program.emit(0xc3);
  const start = program.here;
  program.bytes.splice(1, program.word(0).length, ...program.word(start - base - 1 - program.word(0).length));
  program.emit(0xc7, ...program.at(0, COUNTER), ...program.word(rounds));
  for (const [n, address] of functions.entries()) {
    program.emit(0xc7, ...program.at(0, TABLE + 8 * n), ...program.word(address));
    if (setup.code === 64) program.emit(0xc7, ...program.at(0, TABLE + 8 * n + 4), 0, 0, 0, 0);
  }
  program.stack();
  const again = program.here;
  program.body();
  program.stack();
  program.near([0xe8], functions[random(3)]!);
  program.stack();
  program.emit(0xff, ...program.at(2, TABLE + 8 * random(3))); // call [TABLE]
  if (random(3) === 0) {
    program.stack();
    program.emit(0xba, ...program.word(1 + random(random(4) === 0 ? 250 : 12))); // mov edx, depth
    program.near([0xe8], recursive);
  }
  program.stack();
  if (random(2) === 0) program.emit(0x50 | random(3), 0x58 | random(3)); // push, pop
  const end = program.here;
  program.emit(0xff, ...program.at(1, COUNTER)); // dec [COUNTER]
  program.near([0x0f, 0x85], again);
  program.emit(0xf4);
  // mov esp, STACK; sti; jmp end
  const abort = [0xbc, ...program.word(STACK), 0xfb];
  if (setup.code === 16) abort.push(0xea, ...bytesOf(end, 2), 0, setup.codeBase >> 12);
  else abort.push(0xe9, ...bytesOf(end - (ABORT + abort.length + 5), 4));
  return {
    bytes: Uint8Array.from(program.bytes),
    address: setup.codeBase + base,
    rip: BigInt(base),
    abort: Uint8Array.from(abort),
  };
}

/** The size of a guest of a kind. */
export function memoryOf(kind: ProgramKind): number {
  return setups[kind].mode.memory;
}

/** Everything in memory except the program, and the system registers. */
export function prepare(kind: ProgramKind, memory: GuestMemory): void {
  setups[kind].prepare(memory);
}

export function systemOf(kind: ProgramKind, system: SystemRegisters): void {
  setups[kind].system(system);
  // SSE is available in all kinds of code.
  system.cr4 |= 0x600n;
}
