import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind } from '../contract.js';
import { hlt, out8, realMode } from './testing.js';

test('smoke', () => {
  using m = realMode([0xb0, 0x41, ...out8(0xe9), hlt]);
  assert.equal(m.cpu.run(), ExitKind.io);
  console.log(
    m.cpu.exit.address,
    m.cpu.exit.size,
    m.cpu.exit.count,
    m.cpu.exit.data.getUint8(m.cpu.exit.offset),
    m.cpu.exit.ripLow,
  );
  assert.equal(m.cpu.run(), ExitKind.halt);
  console.log(m.cpu.getRegisters());
});
describe('x', () => {});
