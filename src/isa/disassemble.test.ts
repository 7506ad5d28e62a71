import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { disassemble, disassembleAll } from './index.js';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('one instruction as text', () => {
  test('names the place a branch goes to and the place that is relative to rip', () => {
    const symbol = (address: bigint) => ({ '4198400': 'main', '4198416': 'table' })[address.toString()];
    const call = disassemble(bytes('e8 fb ff ff ff'), { code: 64, address: 0x401000n, symbol });
    assert.equal(call.text, 'call 0x401000 <main>');
    const load = disassemble(bytes('8b 05 0a 00 00 00'), { code: 64, address: 0x401000n, symbol });
    assert.equal(load.text, 'mov eax,DWORD PTR [rip+0xa] # 0x401010 <table>');
  });

  test('is written in either syntax', () => {
    const code = bytes('26 66 81 47 10 34 12');
    assert.equal(disassemble(code, { code: 32 }).text, 'add WORD PTR es:[edi+0x10],0x1234');
    assert.equal(disassemble(code, { code: 32, syntax: 'att' }).text, 'addw $0x1234,%es:0x10(%edi)');
  });

  test('has its operands as values, the destination first', () => {
    const { operands } = disassemble(bytes('48 03 44 8b 08'), { code: 64 });
    assert.deepEqual(operands, [
      { kind: 'register', name: 'rax', size: 8 },
      {
        kind: 'memory',
        size: 8,
        segment: undefined,
        base: 'rbx',
        index: 'rcx',
        scale: 4,
        displacement: 8n,
        target: undefined,
        addressSize: 64,
      },
    ]);
  });

  test('stays in the 64 KiB of 16-bit code where a branch goes over their end', () => {
    assert.equal(disassemble(bytes('eb 7f'), { code: 16, address: 0xfff0n }).text, 'jmp 0x71');
  });

  test('loses REX where another prefix follows it', () => {
    assert.equal(disassemble(bytes('48 66 89 c3'), { code: 64 }).text, 'mov bx,ax');
  });
});

describe('bytes that are no instruction', () => {
  const bad = (hex: string, code: 16 | 32 | 64) => {
    const { text, length, encoding } = disassemble(bytes(hex), { code });
    assert.deepEqual([text, length, encoding], ['(bad)', 1, undefined]);
  };

  test('are (bad) and one byte long', () => {
    bad('0f 04', 32);
    bad('8d c0', 32);
    bad('ff f8', 32);
  });

  test('are those that 64-bit code does not have', () => {
    bad('06', 64);
    bad('27', 64);
    bad('9a 00 00 00 00 00 00', 64);
    bad('0f 05', 32);
  });

  test('are an instruction whose end is not there, or nothing at all', () => {
    bad('', 16);
    bad('66', 16);
    bad('81 c0 00 00', 32);
    bad('48 b8 00 00 00 00 00 00 00', 64);
  });

  test('are more than 15 bytes, with any content', () => {
    assert.equal(disassemble(bytes(`${'66'.repeat(13)} 89 c3`), { code: 64 }).text, 'mov bx,ax');
    bad(`${'66'.repeat(14)} 89 c3`, 64);
  });

  test('never upset the disassembler, and every byte belongs to one line', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(16 as const, 32 as const, 64 as const),
        fc.constantFrom('intel' as const, 'att' as const),
        (code, size, syntax) => {
          let length = 0;
          for (const one of disassembleAll(code, { code: size, syntax, address: 0xffff_ffff_ffff_fff0n })) {
            assert.ok(one.length >= 1 && one.length <= 15);
            assert.doesNotMatch(one.text, /undefined|null|NaN|\?/);
            length += one.length;
          }
          assert.equal(length, code.length);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
