/**
 * The software CPU against real silicon: 13,000 single-instruction tests in real mode that were captured from an 80286.
 * Differences of later processors, and flags that the manual leaves undefined, are in
 * test/oracles/truth-80286/differences.ts.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ExitKind, exitKindNames, newControl } from '../../src/engine/contract/index.js';
import { type SoftCpu, softEngine } from '../../src/engine/soft/index.js';
import { GuestMemory } from '../../src/memory/index.js';
import type { Registers } from '../../src/x86/index.js';
import { root } from '../support.js';
import {
  differenceOf,
  flagMask,
  locksInVain,
  ramOf,
  type TruthTest,
  UPPER,
} from './truth-80286/differences.js';

const file = path.resolve(root, '../shared/truth/80286-real-mode.ndjson.gz');
const skip = existsSync(file) ? false : `SKIPPED: no ${file} here`;

const general = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;
const segments = ['cs', 'ss', 'ds', 'es'] as const;

/** The most exits of a test: OUTS with a repeat prefix exits for each of up to 65,535 iterations. */
const MOST = 0x1_0000;
/** A test that has not reached its HLT by then never will. */
const TIMEOUT_MS = 500;

/** Where a #UD goes for `Bench.refuse`: F000:0000. */
const HANDLER = 0xf_0000;

class Bench implements Disposable {
  readonly memory = GuestMemory.create([{ address: 0, size: 16 * 1024 * 1024 }]);
  readonly engine = softEngine(new WebAssembly.Module(readFileSync(path.join(root, 'dist/soft.wasm'))));
  readonly vm = this.engine.createVm(this.memory);
  readonly cpu: SoftCpu = this.vm.createCpu(newControl());

  load(truth: TruthTest): void {
    const { regs } = truth.initial;
    for (const [address, byte] of ramOf(truth)) this.memory.write8(address, byte);
    const system = this.cpu.getSystemRegisters();
    for (const name of segments) {
      system[name].selector = regs[name]!;
      system[name].base = BigInt(regs[name]! * 16);
    }
    this.cpu.setSystemRegisters(system);
    const registers = {} as Registers;
    for (const name of general) registers[`r${name}`] = BigInt(regs[name]!);
    for (let n = 8; n < 16; n++) registers[`r${n}` as 'r8'] = 0n;
    registers.rip = BigInt(regs.ip!);
    registers.rflags = BigInt(regs.flags! & ~UPPER);
    this.cpu.setRegisters(registers);
  }

  /** Runs the instruction and the HLT after it; returns the exit's name where it is not a halt. */
  run(): string | undefined {
    this.cpu.setTimer(TIMEOUT_MS, TIMEOUT_MS);
    for (let n = 0; n < MOST; n++) {
      const kind = this.cpu.run();
      if (kind === ExitKind.halt) return undefined;
      if (kind === ExitKind.internalError) return this.cpu.failure().message;
      if (kind !== ExitKind.io) return exitKindNames[kind];
      // Nothing answers the test machine's ports: the bus floats high.
      const { write, data, offset, size, count } = this.cpu.exit;
      if (!write) new Uint8Array(data.buffer, data.byteOffset + offset, size * count).fill(0xff);
    }
    return 'no end';
  }

  /** The differences from the 80286. */
  compare(truth: TruthTest, ended: string | undefined): string[] {
    const { initial, final } = truth;
    const wrong = ended === undefined ? [] : [ended];
    const registers = this.cpu.getRegisters();
    const system = this.cpu.getSystemRegisters();
    const check = (what: string, found: number, wanted: number, mask = 0xffff) => {
      if ((found & mask) !== (wanted & mask))
        wrong.push(`${what}: ${hex(found)}, on the 80286 ${hex(wanted)}`);
    };
    const wanted = (name: string) => final.regs[name] ?? initial.regs[name]!;
    for (const name of general) check(name, Number(registers[`r${name}`]), wanted(name));
    for (const name of segments) check(name, system[name].selector, wanted(name));
    check('ip', Number(registers.rip), wanted('ip'));
    check('flags', Number(registers.rflags), wanted('flags'), flagMask(truth));
    // The file has the even address at or below that of the flags word, whose address is odd where SP is odd.
    const flagAddress = (truth.exception?.flagAddress ?? Number.NaN) + (initial.regs.sp! & 1);
    const changed = new Map([...ramOf(truth), ...final.ram]);
    for (const [address, byte] of changed) {
      const mask =
        address === flagAddress
          ? flagMask(truth) & 0xff
          : address - 1 === flagAddress
            ? flagMask(truth) >> 8
            : 0xff;
      check(`memory ${hex(address)}`, this.memory.read8(address), byte, mask);
    }
    for (const address of changed.keys()) this.memory.write8(address, 0);
    return wrong;
  }

  /** Runs an instruction that has to be a #UD, whose handler is a HLT; returns the differences. */
  refuse({ initial, final }: TruthTest): string[] {
    const { ip, ss, sp } = initial.regs;
    const handler = [...[0, 0, 0, 0xf0].map((byte, n) => [6 * 4 + n, byte]), [HANDLER, 0xf4]];
    for (const [address, byte] of handler) this.memory.write8(address!, byte!);
    const ended = this.run();
    const fault = this.cpu.recentFaults().at(-1);
    const touched = [...initial.ram, ...final.ram, ...handler].map(([address]) => address!);
    const frame = [1, 2, 3, 4, 5, 6].map((n) => ss! * 16 + ((sp! - n) & 0xffff));
    for (const address of [...touched, ...frame]) this.memory.write8(address, 0);
    if (ended === undefined && fault?.vector === 6 && fault.rip === BigInt(ip!)) return [];
    return [`${ended ?? `vector ${fault?.vector}`}, no #UD`];
  }

  [Symbol.dispose](): void {
    this.vm[Symbol.dispose]();
    this.memory.release(false);
  }
}

const hex = (value: number) => `0x${value.toString(16)}`;

describe('the software CPU does the same as an 80286', { skip }, () => {
  test('13,000 instructions: registers, flags, memory, exceptions', (t) => {
    using bench = new Bench();
    const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
    const failed: string[] = [];
    const known = new Map<string, number>();
    let passed = 0;
    for (const line of lines) {
      const truth = JSON.parse(line) as TruthTest;
      const difference = differenceOf(truth);
      if (difference !== undefined) {
        known.set(difference, (known.get(difference) ?? 0) + 1);
        continue;
      }
      bench.load(truth);
      const wrong = locksInVain(truth) ? bench.refuse(truth) : bench.compare(truth, bench.run());
      if (wrong.length === 0) passed++;
      else failed.push(`${truth.op} ${truth.index} '${truth.name}': ${wrong.join('; ')}`);
    }
    t.diagnostic(`${passed} of ${lines.length} do as on the 80286`);
    for (const [reason, count] of known) t.diagnostic(`${count} not compared: ${reason}`);
    assert.equal(lines.length, 13_000);
    assert.deepEqual(failed.slice(0, 60), [], `${failed.length} tests differ for no known reason`);
  });
});
