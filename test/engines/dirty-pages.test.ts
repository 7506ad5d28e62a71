/** Both engines report the pages that a guest writes, and a machine is reset with only these pages. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Engine, ExitKind, newControl } from '../../src/engine/contract/index.js';
import { kvmEngine } from '../../src/engine/kvm/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import { randomNumbers } from '../../src/random.js';
import { modes } from '../../src/verify/modes.js';
import { noKvm } from '../support.js';
import { checkLog } from './dirty-log.js';
import { engineOf, Side } from './lockstep.js';
import { programKinds } from './random-programs.js';

const engines: [name: string, make: () => Engine, skip: string | false][] = [
  ['kvm', () => kvmEngine(), noKvm],
  ['soft, interpreted', () => engineOf('off'), false],
  ['soft, translated', () => engineOf('eager'), false],
];

const CODE = 0x10_0000;
const MEMORY = 0x40_0000;
const EXTRA = 0x80_0000;
const HLT = 0xf4;
const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
/** mov edi, address */
const edi = (address: number) => [0xbf, ...word(address)];
const ecx = (count: number) => [0xb9, ...word(count)];

/** 32-bit code in the flat segments of `verify`, in RAM with a second region after it. */
function guest(engine: Engine, code: readonly number[]) {
  const memory = GuestMemory.create([
    { address: 0, size: MEMORY },
    { address: EXTRA, size: 0x1_0000 },
  ]);
  const vm = engine.createVm(memory);
  const cpu = vm.createCpu(newControl());
  modes.protected.prepare(memory);
  memory.writeBytes(CODE, Uint8Array.from(code));
  const system = cpu.getSystemRegisters();
  modes.protected.system(system);
  cpu.setSystemRegisters(system);
  cpu.setRegisters({ ...cpu.getRegisters(), rip: BigInt(CODE), rsp: 0x9_0000n, rflags: 2n });
  const run = () => {
    for (;;) {
      const kind = cpu.run();
      if (kind !== ExitKind.interrupted) return assert.equal(kind, ExitKind.halt);
    }
  };
  return {
    memory,
    vm,
    run,
    [Symbol.dispose]() {
      cpu[Symbol.dispose]();
      vm[Symbol.dispose]();
      memory.release(false);
    },
  };
}

for (const [name, make, skip] of engines) {
  describe(`the pages that a guest wrote, on ${name}`, { skip }, () => {
    test('are named once, and those that it reads are not', () => {
      using machine = guest(make(), [
        ...[0xa1, ...word(0x2_0000)], // mov eax, [20000h]
        ...[0xa3, ...word(0x2_1ffe)], // mov [21ffeh], eax: over the end of a page
        ...[0x87, 0x05, ...word(0x2_4000)], // xchg [24000h], eax
        ...[0x80, 0x0d, ...word(0x2_6fff), 1], // or byte [26fffh], 1
        0x50, // push eax
        ...[...edi(0x3_0800), ...ecx(0x2000), 0xf3, 0xaa], // rep stosb
        ...[0xbe, ...word(0x4_0000), ...edi(0x3_8000), ...ecx(4), 0xf3, 0xa5], // rep movsd, from 40000h
        ...[0x0f, 0xae, 0x05, ...word(0x5_0000)], // fxsave [50000h]
        ...[0xc7, 0x05, ...word(EXTRA + 0x3004), ...word(7)], // mov dword [EXTRA + 3004h], 7
        HLT,
        // Again, a page that was written before, and another one.
        ...[0xa3, ...word(0x2_4010), 0xa3, ...word(0x2_8000)],
        HLT,
        HLT,
      ]);
      const { vm, run } = machine;
      for (const slot of [0, 1]) vm.logDirtyPages(slot, true);
      run();
      // The stack's page is 8Fh.
      assert.deepEqual(vm.takeDirtyPages(0), [0x21, 0x22, 0x24, 0x26, 0x30, 0x31, 0x32, 0x38, 0x50, 0x8f]);
      assert.deepEqual(vm.takeDirtyPages(1), [3]);
      assert.deepEqual(vm.takeDirtyPages(0), []);
      run();
      assert.deepEqual(vm.takeDirtyPages(0), [0x24, 0x28]);
      run();
      assert.deepEqual(vm.takeDirtyPages(0), []);
      assert.deepEqual(vm.takeDirtyPages(1), []);
    });

    test('are named again after each call, in a loop that has run for a long time', () => {
      // again: inc dword [edi]; dec ecx; jnz again; add edi, 1000h; mov ecx, 30000; hlt; jmp again
      const body = [
        0xff,
        0x07,
        0x49,
        0x75,
        0xfb,
        0x81,
        0xc7,
        ...word(0x1000),
        ...ecx(30_000),
        HLT,
        0xeb,
        0xed,
      ];
      using machine = guest(make(), [...edi(0x20_0000), ...ecx(30_000), ...body]);
      machine.vm.logDirtyPages(0, true);
      for (let round = 0; round < 6; round++) {
        machine.run();
        assert.equal(machine.memory.read32(0x20_0000 + round * 0x1000), 30_000);
        assert.deepEqual(machine.vm.takeDirtyPages(0), [0x200 + round]);
      }
    });

    test('are logged while it is requested, for each region separately', () => {
      // again: mov [20000h], eax; mov [EXTRA], eax; hlt; jmp again
      using machine = guest(make(), [0xa3, ...word(0x2_0000), 0xa3, ...word(EXTRA), HLT, 0xeb, 0xf3]);
      const { vm, run } = machine;
      assert.throws(() => vm.takeDirtyPages(0), { code: 'ENOLOG' });
      assert.throws(() => vm.takeDirtyPages(7), { code: 'ENOSLOT' });
      assert.throws(() => vm.logDirtyPages(-1, true), { code: 'ENOSLOT' });
      run();
      vm.logDirtyPages(0, true);
      assert.deepEqual(vm.takeDirtyPages(0), []);
      run();
      assert.throws(() => vm.takeDirtyPages(1), { code: 'ENOLOG' });
      vm.logDirtyPages(1, true);
      // A log that begins again is empty.
      vm.logDirtyPages(0, true);
      assert.deepEqual([vm.takeDirtyPages(0), vm.takeDirtyPages(1)], [[], []]);
      run();
      assert.deepEqual([vm.takeDirtyPages(0), vm.takeDirtyPages(1)], [[0x20], [0]]);
      vm.logDirtyPages(0, false);
      run();
      assert.throws(() => vm.takeDirtyPages(0), { code: 'ENOLOG' });
      assert.deepEqual(vm.takeDirtyPages(1), [0]);
    });

    test('are kept where the region is moved or hidden before the call', () => {
      // mov [EXTRA + 1000h], eax; hlt; mov [EXTRA + 42000h], eax; hlt
      const code = [0xa3, ...word(EXTRA + 0x1000), HLT, 0xa3, ...word(EXTRA + 0x4_2000), HLT];
      using machine = guest(make(), code);
      const { memory, vm, run } = machine;
      const move = (address: number, size: number) => {
        memory.place(1, address, size);
        vm.remapRegion(1);
      };
      vm.logDirtyPages(1, true);
      run();
      move(EXTRA, 0);
      move(EXTRA + 0x4_0000, 0x1_0000);
      run();
      move(EXTRA + 0x4_0000, 0);
      assert.deepEqual(vm.takeDirtyPages(1), [1, 2]);
      assert.deepEqual(vm.takeDirtyPages(1), []);
    });
  });
}

describe('no write of a random program is missing in the log', () => {
  for (const [index, kind] of programKinds.entries()) {
    for (const mode of ['off', 'eager'] as const) {
      test(`in ${kind} code, ${mode === 'off' ? 'interpreted' : 'translated'}`, () => {
        using side = new Side(engineOf(mode), kind);
        side.vm.logDirtyPages(0, true);
        const known = new Uint8Array(side.memory.size);
        let [named, seen] = [0, 0];
        // `npm run soak` runs more.
        for (let n = 0; n < 12; n++) {
          const log = checkLog(side, kind, randomNumbers(5000 * (index + 1) + n), known);
          named += log.named;
          seen += log.seen;
        }
        // Writes of the same value, and those that only begin, are also named.
        assert.ok(seen > 100 && named < 4 * seen, `${named} pages were named, and ${seen} differ`);
      });
    }
  }
});
