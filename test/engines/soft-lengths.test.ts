/**
 * The software CPU's decoder and the disassembly come from one table: they find the same instructions in the same
 * bytes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { instantiate } from '../../src/engine/soft/host/program.js';
import {
  FIRST_HANDLER,
  MODE_CODE32,
  MODE_CODE64,
  OP_HANDLER,
  RAM,
  SCRATCH,
} from '../../src/engine/soft/layout.js';
import { type CodeSize, decode, opcodes, randomInstruction } from '../../src/isa/index.js';
import { randomNumbers } from '../../src/random.js';
import { root } from '../support.js';

type Decode = (from: number, limit: number, out: number, offset: number, mode: number) => number;

const memory = new WebAssembly.Memory({ initial: RAM / 65536 + 1, maximum: 65536, shared: true });
const program = instantiate(new WebAssembly.Module(readFileSync(path.join(root, 'dist/soft.wasm'))), memory);
const softDecode = (program as unknown as { decode: Decode }).decode;
const view = new DataView(memory.buffer);
const modes: Record<CodeSize, number> = { 16: 0, 32: MODE_CODE32, 64: MODE_CODE64 };

/** The length for the software CPU, and whether it supports the instruction. */
function soft(bytes: Uint8Array, code: CodeSize): { length: number; known: boolean } {
  new Uint8Array(memory.buffer, RAM, bytes.length).set(bytes);
  const length = softDecode(RAM, RAM + bytes.length, SCRATCH, 0, modes[code]);
  return { length, known: length > 0 && view.getUint16(SCRATCH + OP_HANDLER, true) !== FIRST_HANDLER };
}

function check(bytes: Uint8Array, code: CodeSize): void {
  const ours = decode(bytes, code);
  const theirs = soft(bytes, code);
  const shown = `${code}-bit ${Buffer.from(bytes).toString('hex')}`;
  // The valid segment registers depend on the instruction.
  const isSegment = /^(66|67|[2346].|f.)*8[ce]/.test(Buffer.from(bytes).toString('hex'));
  if (ours === undefined) assert.ok(!theirs.known || isSegment, `${shown}: ${theirs.length} bytes`);
  else assert.equal(theirs.length, ours.length, `${shown}: ${ours.row.name}`);
}

describe('lengths', () => {
  for (const code of [16, 32, 64] as const) {
    test(`of every row in ${code}-bit code are the same for the decoder and the disassembly`, () => {
      const random = randomNumbers(code);
      let count = 0;
      for (const row of opcodes()) {
        for (let n = 0; n < 64; n++) {
          const prefixes = [0x66, 0x67, 0x65].filter(() => random(3) === 0);
          const rex = code === 64 && random(2) === 0 ? 0x40 + random(16) : 0;
          const sample = randomInstruction({ row, code, memory: random(2) === 0, prefixes, rex }, random);
          if (sample === undefined) continue;
          check(sample.bytes, code);
          count++;
        }
      }
      assert.ok(count > 10_000);
    });

    test(`of random bytes in ${code}-bit code are the same, and truncated ones are incomplete`, () => {
      const random = randomNumbers(code + 1);
      for (let n = 0; n < 30_000; n++) {
        check(
          Uint8Array.from({ length: 1 + random(16) }, () => random(256)),
          code,
        );
      }
    });
  }
});
