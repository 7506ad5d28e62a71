import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import loadWabt from 'wabt';
import { moduleOf } from '../module.js';
import { Op } from '../program.js';
import { vectorShape } from '../vectors.js';
import { plainNames, prefixedNames, vectorNames } from './mnemonics.js';
import { watOf } from './wat.js';

/** WABT, the WebAssembly group's own tools, reads the same bytes. */
let wabt: Awaited<ReturnType<typeof loadWabt>>;
before(async () => {
  wabt = await loadWabt();
});

/** The instructions of a body that begins with `unreachable`, as WABT names them: after that, any code is valid. */
function theirs(body: Uint8Array): string[] {
  const module = wabt.readWasm(moduleOf([body]), { readDebugNames: false, threads: true, simd: true });
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const lines = text.split('\n').map((line) => line.trim());
  const from = lines.findIndex((line) => line.startsWith('unreachable'));
  const to = lines.findLastIndex((line) => line.startsWith('unreachable'));
  return lines.slice(from, to).map(plain);
}

/** Without the closing parenthesis of the function, and WABT's additions. */
const plain = (line: string) =>
  line.replace(/\s*;;.*$/, '').replace(/\)+$/, (end) => (line.includes('(') ? end : ''));

const mnemonic = (line: string) => line.trim().split(' ')[0];

/** No locals of its own, then the bytes between two `unreachable`. */
const around = (...bytes: number[]) => Uint8Array.of(0, Op.unreachable, ...bytes, Op.unreachable, Op.end);

function check(bytes: number[], name: string): void {
  const body = around(...bytes);
  const [, found] = theirs(body);
  assert.equal(mnemonic(found!), name, `WABT of ${bytes}`);
  const [, ours] = watOf(body);
  assert.equal(mnemonic(ours!.text), name, `ours of ${bytes}`);
  assert.equal(watOf(body).length, 4, 'its immediates have the right length');
}

describe('the names of WebAssembly’s instructions', () => {
  test('are WABT’s, for those of one byte', () => {
    const operands = new Map<number, number[]>([
      [Op.localGet, [0]],
      [Op.localSet, [0]],
      [Op.localTee, [0]],
      [Op.call, [0]],
      [Op.br, [0]],
      [Op.brIf, [0]],
      [Op.i32Const, [5]],
      [Op.i64Const, [5]],
      [Op.f32Const, [0, 0, 0x80, 0x3f]],
      [Op.f64Const, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
    ]);
    // Blocks are in the other test; the translator writes no globals, no tables.
    const others = new Set([
      'block',
      'loop',
      'if',
      'else',
      'end',
      'unreachable',
      'br_table',
      'call_indirect',
    ]);
    let checked = 0;
    for (const [opcode, name] of plainNames.entries()) {
      if (name === undefined || others.has(name) || name.startsWith('global.')) continue;
      const access = opcode >= 0x28 && opcode <= 0x3e ? [0, 8] : [];
      check([opcode, ...(operands.get(opcode) ?? access)], name);
      checked++;
    }
    assert.ok(checked > 160, `${checked}`);
  });

  test('are WABT’s, for conversions that saturate', () => {
    for (const [number, name] of prefixedNames.slice(0, 8).entries()) check([Op.saturating, number], name);
  });

  test('are WABT’s, for vectors', () => {
    let checked = 0;
    for (const [number, name] of vectorNames.entries()) {
      if (name === undefined) continue;
      const immediates = {
        none: [],
        memory: [0, 8],
        lane: [0],
        'memory and lane': [0, 8, 0],
        bytes: Array(16).fill(0),
      };
      const leb = number < 0x80 ? [number] : [(number & 0x7f) | 0x80, number >> 7];
      check([Op.vector, ...leb, ...immediates[vectorShape(number).immediate]], name);
      checked++;
    }
    assert.ok(checked > 220, `${checked}`);
  });
});

describe('a body as text', () => {
  test('is indented by its blocks, and names locals, functions and offsets', () => {
    const body = Uint8Array.of(
      ...[1, 2, 0x7e],
      ...[Op.block, 0x40, Op.loop, 0x7f, Op.localGet, 9, Op.i64Const, 0x80, 0x20, 0x29, 0, 8],
      ...[Op.if, 0x40, Op.call, 1, Op.else, Op.br, 1, Op.end, Op.end, Op.end, Op.end],
    );
    assert.deepEqual(
      watOf(body).map(({ text }) => text),
      [
        'block',
        '  loop (result i32)',
        '    local.get $rax',
        '    i64.const 0x1000',
        '    i64.load offset=8',
        '    if',
        '      call $perform',
        '    else',
        '      br 1',
        '    end',
        '  end',
        'end',
        'end',
      ],
    );
  });
});
