/**
 * Accesses across the edges of guest RAM. Right before and after it is memory of the host, which the guest must neither
 * change nor read. Each program runs twice, with other bytes there, and has to end in the same state.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { assemble, flatImage } from '../../src/assembler/index.js';
import { parseImage } from '../../src/boot/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { noKvm } from '../support.js';

const [RAM, RESULTS] = [0x20_0000, 0x8_0000];
/** RAM that begins and ends between unmapped addresses. */
const ISLAND = { address: 0x40_0000, size: 0x4000 };
/** Neighbours in the host's memory, where regions are contiguous; no program accesses their addresses. */
const CANARIES = [0x8000_0000, 0x9000_0000].map((address) => ({ address, size: 0x1_0000, readOnly: true }));
/** The first addresses inside and outside. At the end of the other RAM are the tables of long mode. */
const EDGES = [ISLAND.address, ISLAND.address + ISLAND.size];

/**
 * Instructions by the bytes of their operand, which is at RBX, RSI and RDI; their results are in RAX, RCX, RDX, XMM0 or
 * flags.
 */
const LONG: Readonly<Record<number, readonly string[]>> = {
  1: ['mov al, [rbx]', 'mov [rbx], al', 'xchg [rbx], al', 'setc [rbx]', 'xlatb', 'lodsb', 'stosb', 'insb'],
  2: ['mov ax, [rbx]', 'mov [rbx], ax', 'add [rbx], ax', 'fnstcw [rbx]', 'sldt [rbx]', 'verr [rbx]'],
  4: ['mov eax, [rbx]', 'mov [rbx], eax', 'lock cmpxchg [rbx], ecx', 'bts dword [rbx], 9', 'lfs cx, [rbx]'],
  8: [
    'mov rax, [rbx]',
    'mov [rbx], rax',
    'xadd [rbx], rax',
    'movsq',
    'cmpsq',
    'lea rsp, [rbx]\npop rax',
    'lea rsp, [rbx+8]\npush rax',
    'movq xmm0, qword [rbx]',
    'movnti [rbx], rax',
    'fld qword [rbx]\nfstp qword [r15+48]',
    'fild qword [rbx]\nfistp qword [r15+48]',
    'cmpxchg8b [rbx]',
  ],
  10: [
    'fld tword [rbx]\nfstp tword [r15+48]',
    'fldpi\nfstp tword [rbx]',
    'fldpi\nfbstp [rbx]',
    'sgdt [rbx]',
    'lgdt [rbx]\nsgdt [r15+48]',
  ],
  16: [
    'movups xmm0, [rbx]',
    'movups [rbx], xmm0',
    'movdqu xmm0, [rbx]',
    'lddqu xmm0, [rbx]',
    'maskmovdqu xmm0, xmm0',
  ],
  28: ['fnstenv [rbx]\nfninit', 'fldenv [rbx]\nfnstsw ax\nfninit'],
  64: [
    'mov ecx, 64\nrep movsb',
    'mov ecx, 8\nrep stosq',
    'mov ecx, 16\nrep lodsd',
    'mov ecx, 64\nrepe cmpsb',
    'mov ecx, 8\nrepne scasq',
  ],
  108: ['fnsave [rbx]', 'frstor [rbx]\nfnstsw ax\nfninit'],
  512: ['fxsave [rbx]'],
};
const PROTECTED: Readonly<Record<number, readonly string[]>> = {
  4: ['mov eax, [ebx]', 'mov [ebx], eax', 'bound cx, [ebx]', 'arpl [ebx], ax', 'xlatb'],
  6: ['sidt [ebx]', 'lidt [ebx]\nsidt [ebp+40]', 'lfs ecx, [ebx]'],
  32: ['lea esp, [ebx+32]\npusha', 'lea esp, [ebx]\npopa', 'lea esp, [ebx+32]\nenter 24, 3'],
};

/** Each instruction across one edge: its first byte from all of its operand's bytes before the edge to right after it. */
function source(instruction: string, size: number, edge: number, long: boolean): string {
  // Operands that need alignment are aligned.
  const befores = size < 512 ? [256 + size, size, size - 1, size >> 1, 1, 0] : [768, 512, 496, 256, 16, 0];
  const head = long
    ? `bits 64\nmov rax, cr4\nor rax, 600h\nmov cr4, rax\nmov r15, ${RESULTS}\n`
    : `bits 32\nmov ebp, ${RESULTS}\n`;
  const rounds = befores.map((before) => {
    const at = edge - before;
    const set = ['rax', 'rcx', 'rdx', 'rbx', 'rsi', 'rdi'].map(
      (name, n) => `mov ${long ? name : `e${name.slice(1)}`}, ${n < 3 ? 0x40 + n : at}`,
    );
    const keep = long
      ? 'mov rsp, 0x70000\npushfq\npop qword [r15]\nmov [r15+8], rax\nmov [r15+16], rcx\nmov [r15+24], rdx\nmovups [r15+32], xmm0\nadd r15, 64'
      : 'mov esp, 0x70000\nmov [ebp], eax\nmov [ebp+4], ecx\nmov [ebp+8], edx\nmov [ebp+12], ebx\nadd ebp, 64\nmov eax, 10h\nmov ss, eax';
    return [...set, instruction, keep].join('\n');
  });
  return `${head}${rounds.join('\n')}\ncli\nhlt\n`;
}

interface Setting {
  readonly engine: 'soft' | 'kvm';
  readonly translate?: 'eager' | 'off';
}

/** The end state of a program with `canary` in the neighbouring memory, which must be unchanged. */
function endOf(code: Uint8Array, mode: 'long' | 'protected', canary: number, setting: Setting) {
  using machine = createMachine({
    ...setting,
    image: parseImage(code, 'edge'),
    mode,
    load: 0x1_0000,
    memory: RAM,
    regions: [CANARIES[0]!, ISLAND, CANARIES[1]!],
  });
  const { memory } = machine;
  const around = CANARIES.map(({ address, size }) => memory.view(address, size).fill(canary));
  const { kind, reason, exits, registers, system, faults } = machine.run({
    timeoutMs: 60_000,
    maxExits: 20_000,
  });
  assert.notEqual(kind, 'timeout');
  for (const bytes of around)
    assert.ok(
      bytes.every((byte) => byte === canary),
      'the guest wrote outside its RAM',
    );
  const ram = createHash('sha256');
  for (const { address, size } of [{ address: 0, size: RAM }, ISLAND]) ram.update(memory.view(address, size));
  return { kind, reason, exits, registers, system, faults, ram: ram.digest('hex') };
}

function sameWithAnyNeighbours(code: Uint8Array, mode: 'long' | 'protected', setting: Setting): string {
  const [one, other] = [0x00, 0xff].map((canary) => endOf(code, mode, canary, setting));
  assert.deepEqual(one, other);
  return one!.kind;
}

const nasm = (text: string) => flatImage(assemble(text, { file: 'edge', syntax: 'nasm' }));

/**
 * Descriptor registers are loaded and stored as 2 and 8 bytes: some KVMs repeat that forever across an edge, until a
 * stop.
 */
const isLeftToKvm = (instruction: string, { engine }: Setting) =>
  engine === 'kvm' && /[gi]dt/.test(instruction);

for (const [name, setting, skip] of [
  ['soft', { engine: 'soft', translate: 'off' }, false],
  ['soft, translated', { engine: 'soft', translate: 'eager' }, false],
  ['kvm', { engine: 'kvm' }, noKvm],
] as const) {
  describe(`at the edges of RAM on ${name}, nothing of the host’s memory is read or written`, {
    skip,
  }, () => {
    for (const [mode, table] of [
      ['long', LONG],
      ['protected', PROTECTED],
    ] as const) {
      for (const [size, instructions] of Object.entries(table)) {
        test(`by operands of ${size} bytes in ${mode} mode`, () => {
          for (const instruction of instructions) {
            if (isLeftToKvm(instruction, setting)) continue;
            for (const edge of EDGES)
              sameWithAnyNeighbours(
                nasm(source(instruction, Number(size), edge, mode === 'long')),
                mode,
                setting,
              );
          }
        });
      }
    }

    test('by an instruction of which only the first bytes are RAM', () => {
      const end = ISLAND.address + ISLAND.size;
      for (let inside = 0; inside < 5; inside++) {
        // mov eax, 44332211h; hlt
        const bytes = [0xb8, 0x11, 0x22, 0x33, 0x44, 0xf4].slice(0, inside);
        const writes = bytes.map((byte, n) => `mov byte [${end - inside + n}], ${byte}\n`).join('');
        sameWithAnyNeighbours(
          nasm(`bits 32\n${writes}mov eax, ${end - inside}\njmp eax\n`),
          'protected',
          setting,
        );
      }
    });

    test('by page tables', () => {
      for (const table of [ISLAND.address - 4096, ISLAND.address + ISLAND.size]) {
        // On a software CPU the following code is in the TLB; on KVM its next fetch faults.
        const code = `bits 64\nmov rax, ${table}\nmov cr3, rax\nmov rax, [12345h]\nhlt\n`;
        sameWithAnyNeighbours(nasm(code), 'long', setting);
        // The same by the first entry of a table in RAM.
        const entry = `bits 64\nmov qword [${ISLAND.address}], ${table | 3}\nmov rax, ${ISLAND.address}\nmov cr3, rax\nmov rax, [12345h]\nhlt\n`;
        sameWithAnyNeighbours(nasm(entry), 'long', setting);
      }
    });
  });
}
