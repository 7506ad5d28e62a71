import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../memory/index.js';
import type { Registers, SystemRegisters } from '../x86/index.js';
import { registerViewNames } from '../x86/register-names.js';
import { checkExpectation, type ExpectationSubject, parseExpectation } from './expectation.js';
import { escapeBytes, parseString } from './values.js';

const encode = (text: string) => new TextEncoder().encode(text);

function subject(fields: Partial<ExpectationSubject> = {}): ExpectationSubject {
  const memory = GuestMemory.create([{ address: 0, size: 4096 }]);
  memory.write64(0x400, 0x1122334455667788n);
  memory.writeBytes(0x500, encode('text\n\0'));
  return {
    registers: {
      rax: 0xfedcba9876543210n,
      rsi: 0x1234n,
      r8: 0x8877665544332211n,
      rip: 0x10_0000n,
      rflags: 0x3246n,
    } as Registers,
    system: {
      cs: { selector: 8 },
      tr: { selector: 0x28 },
      cr0: 0x80000011n,
      efer: 0x500n,
    } as SystemRegisters,
    memory,
    console: encode('Hello\n'),
    exits: 7,
    outcome: 'halted',
    code: 3,
    ...fields,
  };
}

const check = (text: string, fields?: Partial<ExpectationSubject>) =>
  checkExpectation(parseExpectation(text), subject(fields));

const holding = [
  // The parts of a register: SDM 1 figure 3-5.
  [
    'rax=0xfedcba9876543210',
    'rax=-0x123456789abcdf0',
    'eax=0x76543210',
    'ax=0x3210',
    'ah=0x32',
    'al=0x10',
    'al=16',
  ],
  [
    'rsi=0x1234',
    'esi=4660',
    'si=0x1234',
    'sil=0x34',
    'r8d=0x44332211',
    'r8w=0x2211',
    'r8b=0b10001',
    'r8b=17',
  ],
  ['rip=0x100000', 'eip=1048576', 'ip=0', 'rflags=0x3246', 'flags=0x3246', 'eflags=12870'],
  ['zf=1', 'cf=0', 'pf=1', 'if=1', 'iopl=3', 'cs=8', 'tr=0x28', 'cr0=0x80000011', 'efer=0x500'],
  ['mem8[0x400]=0x88', 'mem8[0x407]=17', 'mem16[0x400]=0x7788', 'mem32[1024]=0x55667788'],
  ['mem64[0x400]=0x1122334455667788', 'mem8[0x400]=-120', 'mem64[ 0x800 ] = 0'],
  ['mem[0x500]="text\\n"', 'mem[0x500]="text\\x0a\\0"', 'mem[0x500]=""'],
  [
    'console="Hello\\n"',
    'console~="ell"',
    'console~=""',
    'exits=7',
    'exits<=7',
    'exits<8',
    'exits>=7',
    'exits>6',
    'outcome=halted',
    'code=3',
  ],
  ['RAX=0xFEDCBA9876543210', ' rax = 0xfedcba9876543210 ', 'MEM8[0X400]=0X88'],
].flat();

describe('expectations that hold', () => {
  for (const text of holding) {
    test(text, () => {
      const { ok, found, expected } = check(text);
      assert.ok(ok, `found ${found}, expected ${expected}`);
    });
  }
});

describe('expectations that fail', () => {
  for (const [text, found, expected] of [
    ['rax=42', '18364758544493064720 (0xfedcba9876543210)', '42 (0x2a)'],
    ['al=-1', '16 (0x10)', '255 (0xff)'],
    ['zf=0', '1', '0'],
    ['mem64[0x400]=42', '1234605616436508552 (0x1122334455667788)', '42 (0x2a)'],
    ['mem64[0xffc]=0', 'no memory at that address', '0'],
    ['mem[0xfff]="ab"', 'no memory at that address', '"ab"'],
    ['mem[0x500]="test"', '"text"', '"test"'],
    ['console="Hello"', '"Hello\\n"', '"Hello"'],
    ['console~="bye"', '"Hello\\n"', 'somewhere "bye"'],
    ['exits=8', '7', '8'],
    ['exits<7', '7', 'fewer than 7'],
    ['exits>7', '7', 'more than 7'],
    ['exits>=8', '7', 'at least 8'],
    ['outcome=shutdown', 'halted', 'shutdown'],
    ['code=0', '3', '0'],
  ] as const) {
    test(`${text} tells the value found`, () => {
      assert.deepEqual(check(text), { ok: false, text, found, expected });
    });
  }

  test('say so where the run did not keep the needed value', () => {
    assert.equal(check('console=""', { console: undefined }).found, 'the console was not kept');
    assert.equal(check('exits=0', { exits: undefined }).ok, false);
    assert.equal(check('outcome=halted', { outcome: undefined }).found, 'unknown');
    assert.equal(check('code=0', { code: undefined }).found, 'the guest set none');
  });

  test('shorten a long console, and search it fast', () => {
    const console = new Uint8Array(1_000_000).fill(0x61);
    const { ok, found } = check(`console~="${'a'.repeat(500)}b"`, { console });
    assert.equal(ok, false);
    assert.equal(found, `"${'a'.repeat(256)}"… (1000000 bytes)`);
  });
});

describe('expectations that cannot be parsed', () => {
  for (const [text, problem, hint] of [
    ['rxa=42', /'rxa', which is neither a register/, /did you mean rax/],
    ['eaz=42', /'eaz'/, /eax/],
    ['r16=1', /'r16'/, /r1[0-5]/],
    ['consol="x"', /'consol'/, /console/],
    ['nonsense=42', /'nonsense'/, /rax=42/],
    ['rax', /not NAME=VALUE/, /rax=42/],
    ['', /not NAME=VALUE/, /rax=42/],
    ['rax==42', /'=42', which is not a number/, /0x2a/],
    ['rax=', /'', which is not a number/, /0x2a/],
    ['rax=4_2', /'4_2', which is not a number/, /0x2a/],
    ['rax=0x', /not a number/, /0x2a/],
    ['rax=--1', /not a number/, /0x2a/],
    ['al=256', /256, which does not fit 8 bits/, /./],
    ['al=-129', /does not fit 8 bits/, /./],
    ['zf=2', /does not fit 1 bit$/, /./],
    ['rax=0x10000000000000000', /does not fit 64 bits/, /./],
    ['mem8=1', /has no address/, /mem64\[0x400\]/],
    ['mem8[]=1', /the address ''/, /physical/],
    ['mem8[-1]=1', /the address '-1'/, /physical/],
    ['mem8[0x40000000000000]=1', /the address/, /physical/],
    ['mem[0x400]=42', /42, which is not a string/, /double quotes/],
    ['mem24[0]=1', /'mem24'/, /mem/],
    ['rax[0]=1', /has an address, but 'rax' is not memory/, /./],
    ['console=Hello', /not a string/, /double quotes/],
    ['console="a"b"', /not a string/, /double quotes/],
    ['console="\\q"', /not a string/, /double quotes/],
    ['console="\\x4"', /not a string/, /double quotes/],
    ['rax~=1', /only console accepts/, /'='/],
    ['outcome=halt', /the outcome 'halt'/, /did you mean halted/],
    ['outcome=', /the outcome ''/, /halted, exited/],
  ] as const) {
    test(`'${text}' is an error with a hint`, () => {
      assert.throws(
        () => parseExpectation(text),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, 'EEXPECT');
          assert.match(error.message, problem);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }
});

describe('the parts of expectations', () => {
  test('the console is kept only for its own expectations', () => {
    assert.equal(parseExpectation('console="x"').needsConsole, true);
    assert.equal(parseExpectation('console~="x"').needsConsole, true);
    assert.equal(parseExpectation('rax=1').needsConsole, false);
  });

  test('every register name is known', () => {
    for (const name of registerViewNames) assert.doesNotThrow(() => parseExpectation(`${name}=0`), name);
    for (const name of ['rsp', 'esp', 'sp', 'spl', 'bpl', 'dil', 'bh', 'r15b', 'r10', 'gs', 'ldt', 'cr8']) {
      assert.ok(registerViewNames.includes(name), name);
    }
  });

  test('any bytes survive being written as a string and read again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.deepEqual(parseString(escapeBytes(bytes)), bytes);
      }),
    );
  });

  test('strings are UTF-8', () => {
    assert.deepEqual(parseString('"é😀"'), encode('é😀'));
  });

  test('any text either parses or says EEXPECT', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z]{1,4}[0-9]?(\[[0-9x]*\])?~?=["0-9x\\a-]*$/)),
        (text) => {
          try {
            parseExpectation(text);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'EEXPECT');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
