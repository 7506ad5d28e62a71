/** Changes and stops of translated code, at each possible place: the guest behaves as when it is interpreted. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind } from '../../src/engine/contract/index.js';
import { engineOf, Side } from './lockstep.js';
import { type MadeProgram, TIMER } from './random-programs.js';

const CODE = 0x100000;
const DATA = 0x40000;
const STACK = 0xb000;
const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];

/**
 * A loop of pushes, string instructions, loads, stores and a call: mov esp, STACK; mov ebp, rounds; again: push ebp; mov esi, DATA;
 * mov edi, DATA + 64; mov ecx, 3; rep movsd; lodsd; add ebx, eax; add [DATA], ebx; call function; pop eax; imul ebx, ebx, 77;
 * adc edx, eax; dec ebp; jnz again; hlt; function: push ebx; pop edx; cmp edx, eax; ret
 */
function mixedLoop(rounds: number): MadeProgram {
  const body = [
    ...[0x55, 0xbe, ...word(DATA), 0xbf, ...word(DATA + 64), 0xb9, ...word(3), 0xf3, 0xa5, 0xad, 0x01, 0xc3],
    ...[0x01, 0x1d, ...word(DATA), 0xe8, ...word(10), 0x58, 0x6b, 0xdb, 77, 0x11, 0xc2, 0x4d],
  ];
  const again = [0x75, 256 - (body.length + 2)];
  const bytes = [0xbc, ...word(STACK), 0xbd, ...word(rounds), ...body, ...again, 0xf4];
  // The function is after the HLT, at the call's displacement.
  const called = [0x53, 0x5a, 0x39, 0xc2, 0xc3];
  const call = 10 + body.indexOf(0xe8, 26);
  bytes.splice(call + 1, 4, ...word(bytes.length - (call + 5)));
  return {
    bytes: Uint8Array.from([...bytes, ...called]),
    address: CODE,
    rip: BigInt(CODE),
    abort: Uint8Array.of(0xf4),
  };
}

const ROUNDS = 60;
/** After this many, the loop has ended. */
const END = 10_000;

/** Both sides after the same commands, each of which runs on one side and returns its observations. */
function same(sides: readonly [Side, Side], what: string, command: (side: Side) => unknown): void {
  const [one, other] = sides.map((side) => [command(side), side.state()]);
  assert.deepEqual(other, one, what);
}

function sidesOf(made: MadeProgram): [Side, Side] & Disposable {
  const sides: [Side, Side] = [new Side(engineOf('off'), 'flat'), new Side(engineOf('eager'), 'flat')];
  for (const side of sides) side.start(made);
  return Object.assign(sides, {
    [Symbol.dispose]() {
      for (const side of sides) side[Symbol.dispose]();
    },
  });
}

describe('translated code', () => {
  const made = mixedLoop(ROUNDS);

  test('takes an interrupt before each instruction of a loop', () => {
    using sides = sidesOf(made);
    for (let place = 0; place < 60; place++) {
      same(sides, `a timer after ${place}`, (side) => {
        side.start(made);
        // Enough for translations, which are made between the pieces.
        for (let n = 0; n < 4; n++) side.run(100);
        side.run(1 + place);
        const taken = side.cpu.readyForInterrupt;
        if (taken) side.cpu.injectInterrupt(TIMER);
        return [taken, side.run(17), side.run(END)];
      });
    }
    assert.ok(sides[1].cpu.translation!.translated > 0);
  });

  test('stops at a breakpoint that is set in its middle, and continues without it', () => {
    using sides = sidesOf(made);
    for (let offset = 10; offset < made.bytes.length; offset++) {
      same(sides, `a breakpoint at +${offset}`, (side) => {
        side.start(made);
        for (let n = 0; n < 4; n++) side.run(100);
        side.cpu.debug({ step: false, breakpoints: [BigInt(CODE + offset)], watchpoints: [] });
        const { clock } = side.cpu;
        clock.setAlarm(clock.cycles + 200);
        const kind = side.cpu.run();
        const { rip } = side.cpu.getRegisters();
        assert.ok(kind !== ExitKind.debug || rip === BigInt(CODE + offset));
        side.cpu.debug(undefined);
        return [kind, rip, side.run(END)];
      });
    }
  });

  test('continues from a restored state', () => {
    using sides = sidesOf(made);
    same(sides, 'put back', (side) => {
      for (let n = 0; n < 5; n++) side.run(100);
      const state = side.cpu.getState();
      const ram = Uint8Array.from(side.memory.view(0, side.memory.size));
      const first = [side.run(END), side.cpu.getRegisters()];
      // Other code in the meantime, at the same place.
      side.memory.writeBytes(CODE, Uint8Array.of(0x40, 0x40, 0xf4));
      side.cpu.setRegisters({ ...side.cpu.getRegisters(), rip: BigInt(CODE) });
      const other = [side.run(END), side.cpu.getRegisters()];
      side.memory.writeBytes(0, ram);
      side.cpu.setState(state);
      const again = [side.run(END), side.cpu.getRegisters()];
      assert.deepEqual(again, first);
      return [first, other, again];
    });
  });

  /**
   * A function that returns a constant, with eight bytes of data before and after it, is called, written to, and called
   * again.
   */
  test('follows writes of some bytes beside it or into it', () => {
    const FUNCTION = CODE + 0x48;
    const constant = 0x11223344;
    const code = [0xb8, ...word(constant), 0xc3];
    for (let offset = -5; offset <= code.length; offset++) {
      // Only the constant's bytes change, so that it can still return.
      const written = word(0).map((_, i) => {
        const at = offset + i;
        const isConstant = at >= 1 && at <= 4;
        return isConstant ? code[at]! ^ 0x5a : (code[at] ?? 0xee);
      });
      const patched = code.map((byte, at) => written[at - offset] ?? byte);
      const expected = new DataView(Uint8Array.from(patched).buffer).getUint32(1, true);
      const call = (from: number) => [0xe8, ...word(FUNCTION - (CODE + from + 5))];
      // mov esp, STACK; mov ecx, 50; again: call f; dec ecx; jnz again; mov dword [f + offset], …; call f; hlt
      const bytes = [0xbc, ...word(STACK), 0xb9, ...word(50), ...call(10), 0x49, 0x75, 0xf8];
      bytes.push(0xc7, 0x05, ...word(FUNCTION + offset), ...written);
      bytes.push(...call(bytes.length), 0xf4);
      while (CODE + bytes.length < FUNCTION) bytes.push(0xee);
      bytes.push(...code);
      const patching = { ...made, bytes: Uint8Array.from(bytes) };
      using sides = sidesOf(patching);
      same(sides, `written at ${offset}`, (side) => {
        const ended = side.run(END);
        assert.equal(side.cpu.getRegisters().rax, BigInt(expected), `written at ${offset}`);
        return ended;
      });
    }
  });

  test('stays valid where a program writes to variables right beside it', () => {
    // mov ecx, rounds; again: inc dword [next to the code]; dec ecx; jnz again; hlt; the variable
    const rounds = 100_000;
    const bytes = [0xb9, ...word(rounds), 0xff, 0x05, ...word(CODE + 15), 0x49, 0x75, 0xf7, 0xf4, ...word(0)];
    const counting = { ...made, bytes: Uint8Array.from(bytes) };
    using sides = sidesOf(counting);
    same(sides, 'the count', (side) => {
      const ended = side.run(10 * rounds);
      assert.equal(side.memory.view(CODE + 15, 4)[0], rounds & 255);
      return ended;
    });
    const { translated } = sides[1].cpu.translation!;
    assert.ok(translated > 2.9 * rounds, `${translated} instructions of ${3 * rounds} were translated`);
  });
});
