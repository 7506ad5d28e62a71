/** "Where did this value come from?": the answers follow from the programs' sources. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import { Debugger, DebugSession, localTarget, type Origin, originText } from '../../src/debug/index.js';
import type { Device, DeviceHost } from '../../src/devices/contract/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { Scratch, terrarium } from '../support.js';

const START = 0x1000;

/** A program in real mode that has run to its end, under a session with a history. */
function ran(code: readonly number[], options: Partial<MachineOptions> = {}) {
  const machine = createMachine({
    image: parseImage(Uint8Array.from(code), 'program'),
    mode: 'real',
    load: START,
    engine: 'soft',
    ...options,
  });
  const session = new DebugSession(machine, { history: {} });
  assert.equal(session.resume().why, 'end');
  const { now } = session.history()!;
  return {
    session,
    ask(what: string | bigint, size = 2): Origin {
      const place =
        typeof what === 'string'
          ? ({ kind: 'register', name: what } as const)
          : ({ kind: 'memory', address: what, size } as const);
      const origin = session.origin(place);
      assert.equal(session.history()!.now, now, 'the guest stays where it is');
      return origin;
    },
    [Symbol.dispose]: () => machine[Symbol.dispose](),
  };
}

/** The chain of a value that was only copied: how, by which instruction, from where. */
function chain(origin: Origin): string[] {
  const { way, instruction = '', what, from } = origin;
  const line = `${what}: ${way} ${instruction}`.trim();
  return way === 'copy' && from.length === 1 ? [line, ...chain(from[0]!)] : [line];
}

describe('the origin of a value', () => {
  test('is followed through moves, the stack, strings and exchanges to a number in an instruction', () => {
    using program = ran([
      ...[0xb8, 0x34, 0x12], // mov ax, 1234h
      ...[0x50], // push ax
      ...[0x31, 0xc0], // xor ax, ax
      ...[0x5b], // pop bx
      ...[0x89, 0x1e, 0x00, 0x05], // mov [500h], bx
      ...[0xbe, 0x00, 0x05], // mov si, 500h
      ...[0xbf, 0x00, 0x06], // mov di, 600h
      ...[0xa5], // movsw
      ...[0x8b, 0x0e, 0x00, 0x06], // mov cx, [600h]
      ...[0x87, 0xca], // xchg dx, cx
      0xf4,
    ]);
    assert.deepEqual(chain(program.ask('dx')), [
      'dx: copy xchg dx,cx',
      'cx: copy mov cx,WORD PTR ds:0x600',
      'word [0x600]: copy movs WORD PTR es:[di],WORD PTR ds:[si]',
      'word [0x500]: copy mov WORD PTR ds:0x500,bx',
      'bx: copy pop bx',
      `word [0x${(0xfffe).toString(16)}]: copy push ax`.replace(
        '0xfffe',
        program.ask('dx').from[0]!.from[0]!.from[0]!.from[0]!.from[0]!.what.slice(6, -1),
      ),
      'ax: immediate mov ax,0x1234',
    ]);
    const value = (origin: Origin): bigint[] => [origin.value!, ...origin.from.flatMap(value)];
    assert.ok(value(program.ask('dx')).every((one) => one === 0x1234n));
    assert.deepEqual(chain(program.ask('ax')), ['ax: immediate xor ax,ax']);
  });

  test('branches where an instruction computed it from others, to the requested depth', () => {
    using program = ran([
      ...[0xb8, 5, 0], // mov ax, 5
      ...[0xbb, 7, 0], // mov bx, 7
      ...[0x01, 0xd8], // add ax, bx
      ...[0x89, 0xc1], // mov cx, ax
      0xf4,
    ]);
    const origin = program.ask('cx');
    assert.deepEqual([origin.way, origin.value, origin.at], ['copy', 12n, 3]);
    const [sum] = origin.from;
    assert.deepEqual(
      [sum!.way, sum!.instruction, sum!.at, sum!.pc],
      ['made', 'add ax,bx', 2, BigInt(START + 6)],
    );
    assert.deepEqual(
      sum!.from.map(({ what, value, way, at }) => [what, value, way, at]),
      [
        ['ax', 5n, 'immediate', 0],
        ['bx', 7n, 'immediate', 1],
      ],
    );
    assert.equal(
      originText(origin, 5),
      [
        'cx is 0xc (12) at instruction 5',
        '  3  0x1008  mov cx,ax  — copied it from ax',
        '  2  0x1006  add ax,bx  — made it of ax and bx',
        '  ax = 5:',
        '    0  0x1000  mov ax,0x5  — has the value in it',
        '  bx = 7:',
        '    1  0x1003  mov bx,0x7  — has the value in it',
      ].join('\n'),
    );
  });

  test('is followed by bytes: a part of a copy, and a value that was written in parts', () => {
    using program = ran([
      ...[0xb8, 0x34, 0x12], // mov ax, 1234h
      ...[0xa3, 0x00, 0x05], // mov [500h], ax
      ...[0x8a, 0x1e, 0x01, 0x05], // mov bl, [501h]
      ...[0xc6, 0x06, 0x00, 0x05, 0x99], // mov byte [500h], 99h
      0xf4,
    ]);
    assert.deepEqual(chain(program.ask('bl')), [
      'bl: copy mov bl,BYTE PTR ds:0x501',
      'byte [0x501]: copy mov ds:0x500,ax',
      'ah: immediate mov ax,0x1234',
    ]);
    const parts = program.ask(0x500n);
    assert.deepEqual([parts.value, parts.way, parts.part], [0x1299n, 'immediate', 1]);
  });

  test('is the image, the initial state, or a port and its input', () => {
    const input = [0x41];
    using program = ran(
      [
        ...[0xba, 0xfd, 0x03], // mov dx, 3fdh
        ...[0xec], // again: in al, dx
        ...[0xa8, 0x01], // test al, 1
        ...[0x74, 0xfb], // jz again
        ...[0xba, 0xf8, 0x03], // mov dx, 3f8h
        ...[0xec], // in al, dx
        ...[0xa2, 0x00, 0x05], // mov [500h], al
        ...[0x8b, 0x1e, 0x1a, 0x10], // mov bx, [101ah]
        ...[0x8b, 0x0e, 0x00, 0x07], // mov cx, [700h]
        0xf4,
        ...[0xde, 0xad, 0xde, 0xad],
      ],
      {
        input: {
          get available() {
            return input.length > 0;
          },
          read: () => input.shift() ?? -1,
        },
      },
    );
    const key = program.ask(0x500n, 1);
    const [read] = key.from;
    assert.deepEqual(
      [read!.way, read!.port, read!.device, read!.input, read!.value],
      ['input', 0x3f8, 'serial', 0x41, 0x41n],
    );
    assert.match(
      originText(key, program.session.history()!.now),
      /read it from port 0x3f8, the device serial, which took in 0x41 \('A'\) from outside last/,
    );
    assert.deepEqual(chain(program.ask('bx')), [
      'bx: copy mov bx,WORD PTR ds:0x101a',
      'word [0x101a]: image',
    ]);
    assert.deepEqual(chain(program.ask('cx')), ['cx: copy mov cx,WORD PTR ds:0x700', 'word [0x700]: start']);
  });

  test('is a device that wrote by itself, during the instruction that requested it', () => {
    let host: DeviceHost | undefined;
    const dma: Device = {
      name: 'dma',
      ports: [{ first: 0x500, count: 1 }],
      attach: (given) => {
        host = given;
      },
      writePort: (_port, _size, value) => host!.memory.write16(0x600, 0x1100 + value),
      save: () => ({}),
      load() {},
    };
    using program = ran(
      [
        ...[0xc7, 0x06, 0x00, 0x06, 1, 0], // mov word [600h], 1
        ...[0xba, 0x00, 0x05], // mov dx, 500h
        ...[0xb0, 0x22], // mov al, 22h
        ...[0xee], // out dx, al
        ...Array<number>(40).fill(0x90),
        ...[0xa1, 0x00, 0x06], // mov ax, [600h]
        0xf4,
      ],
      { devices: [dma] },
    );
    const origin = program.ask('ax');
    assert.deepEqual(chain(origin), ['ax: copy mov ax,ds:0x600', 'word [0x600]: outside out dx,al']);
    assert.equal(origin.from[0]!.value, 0x1122n);
  });

  test('of RIP is the return instruction, and the stack slot that it read', () => {
    using program = ran([
      ...[0x68, 0x10, 0x10], // push 1010h
      ...[0xc3], // ret
      ...Array<number>(12).fill(0x90),
      0xf4, // 1010h
    ]);
    program.session.stepBack();
    const origin = program.session.origin({ kind: 'register', name: 'rip' });
    assert.deepEqual([origin.way, origin.instruction, origin.value], ['copy', 'ret', 0x1010n]);
    assert.deepEqual(
      chain(origin.from[0]!)
        .slice(0, 1)
        .map((line) => line.replace(/\[.*\]/, '[sp]')),
      ['word [sp]: immediate push 0x1010'],
    );
  });

  test('of a pushed frame is the interrupt, and of a handler’s pushes the handler', () => {
    using program = ran([
      ...[0xc7, 0x06, 0x80, 0x01, 0x20, 0x10], // mov word [60h * 4], 1020h
      ...[0xc7, 0x06, 0x82, 0x01, 0x00, 0x00], // mov word [60h * 4 + 2], 0
      ...[0xb8, 0x77, 0x00], // mov ax, 77h
      ...[0xcd, 0x60], // int 60h
      0xf4,
      ...Array<number>(14).fill(0x90),
      ...[0x50, 0x5b, 0xcf], // 1020h: push ax; pop bx; iret
    ]);
    assert.deepEqual(
      chain(program.ask('bx')).map((line) => line.replace(/word \[.*\]/, 'word [sp]')),
      ['bx: copy pop bx', 'word [sp]: copy push ax', 'ax: immediate mov ax,0x77'],
    );
    const sp = program.session.view().registers.rsp;
    const frame = program.ask(sp - 6n);
    assert.deepEqual([frame.way, frame.instruction], ['processor', 'int 0x60']);
  });

  test('is requested by name, and refused with a message', async () => {
    using program = ran([0xb8, 5, 0, 0xa3, 0x00, 0x05, 0xf4]);
    const debug = new Debugger(localTarget(program.session), new SymbolTable({ format: 'flat' }));
    const { text } = await debug.origin('word [0x500]');
    assert.match(text, /word \[0x500\] is 5 at instruction 3\n.*copied it from ax\n.*has the value in it/);
    await assert.rejects(debug.origin('nothing'), /nothing/);
    assert.throws(
      () => program.session.origin({ kind: 'register', name: 'nox' }),
      /there is no register nox/,
    );
    assert.throws(() => program.ask(0x500n, 0), /0 bytes are no value/);
    assert.throws(() => program.ask(0x500n, 1e9), /1000000000 bytes are no value/);
    const { origin } = await debug.origin(0xffff_ffffn);
    assert.equal(origin.way, 'device');
  });
});

describe('the list of writes', () => {
  test('has each write with its moment, its instruction, and the values before and after', async () => {
    // MOV CX, 100; again: MOV [500h], CX; LOOP again; HLT
    using program = ran([0xb9, 100, 0, 0x89, 0x0e, 0x00, 0x05, 0xe2, 0xfa, 0xf4]);
    const records = program.session.writes(0x500n, 2);
    assert.equal(records.length, 100);
    assert.deepEqual(
      records.map(({ at, pc, old, new: after }) => [
        at,
        pc,
        Buffer.from(old).readUInt16LE(),
        Buffer.from(after).readUInt16LE(),
      ]),
      records.map((_, n) => [1 + 2 * n, BigInt(START + 3), n === 0 ? 0 : 101 - n, 100 - n]),
    );
    assert.deepEqual(program.session.writes(0x500n, 2, 3), records.slice(-3));
    assert.deepEqual(program.session.writes(0x700n, 2), []);
    assert.throws(() => program.session.writes(0x500n, 4096), /4096 bytes are too many for a list/);
    const debug = new Debugger(localTarget(program.session), new SymbolTable({ format: 'flat' }));
    assert.match((await debug.writes('word [0x500]')).text, /^ {2}1 {2}0x1003 {2}0x0 → 0x64\n/);
    assert.equal((await debug.writes('word [0x700]')).text, 'nothing wrote there in this history');
  });
});

describe('the cause of a death', () => {
  /** Protected mode without an IDT: each fault ends in a triple fault. */
  const dies = (code: readonly number[]) => {
    const machine = createMachine({
      image: parseImage(Uint8Array.from(code), 'k'),
      mode: 'protected',
      engine: 'soft',
    });
    const session = new DebugSession(machine, { history: {} });
    assert.match(String(session.resume().outcome?.kind), /shutdown|engineError/);
    const text = session.describe('cause');
    machine[Symbol.dispose]();
    return text;
  };

  test('is the origin of the register with the invalid address', () => {
    const text = dies([
      ...[0xb8, 0x00, 0x00, 0x00, 0xf0], // mov eax, 0F0000000h
      ...[0x89, 0xc3], // mov ebx, eax
      ...[0x0f, 0x01, 0x1d, 0, 0, 0, 0], // lidt [0]
      ...[0x0f, 0x0b], // ud2
    ]);
    assert.equal(text, 'no single value is to blame');
    const divided = dies([
      ...[0x31, 0xc9], // xor ecx, ecx
      ...[0x89, 0xcb], // mov ebx, ecx
      ...[0xf7, 0xf3], // div ebx
    ]);
    assert.match(
      divided,
      /^ebx is 0 at instruction 3\n.*mov ebx,ecx {2}— copied it from ecx\n.*xor ecx,ecx {2}— has the value in it$/,
    );
  });

  test('is the stack slot that a return read, and the write to it', () => {
    const text = dies([
      ...[0x68, 0x00, 0x00, 0x00, 0xf0], // push 0F0000000h
      ...[0xc3], // ret
    ]);
    assert.match(
      text,
      /^rip is 0xf0000000 .*\n.* ret {2}— copied it from dword \[0x[0-9a-f]+\]\n.* push 0xf0000000 {2}— has the value in it$/,
    );
  });

  test('is shown by run --why on the software CPU', () => {
    using scratch = new Scratch();
    const file = scratch.file('k.bin');
    // xor ecx, ecx; mov ebx, ecx; div ebx
    writeFileSync(file, Uint8Array.of(0x31, 0xc9, 0x89, 0xcb, 0xf7, 0xf3));
    const { stderr } = terrarium(['run', file, '--mode', 'protected', '--engine', 'soft', '--why']);
    assert.match(
      stderr,
      /where it came from: ebx is 0 at instruction 3\n.*mov ebx,ecx .*copied it from ecx\n.*xor ecx,ecx .*has the value in it\n/,
    );
  });

  test('is not shown for a guest that has not died', () => {
    using program = ran([0xf4]);
    assert.equal(program.session.describe('cause'), 'the guest has not died');
  });
});
