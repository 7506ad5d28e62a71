import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generate } from '../../engine/soft/generate/index.js';
import { decode, disassemble, finderOf, opcodes, parseTable, tableText } from '../index.js';

/** UD0 (SDM 2B): 0F FF /r, which our own table leaves out. */
const UD0 = Uint8Array.of(0x0f, 0xff, 0x40, 0x08);

describe('an instruction that is added to a copy of the table', () => {
  const text = tableText();
  const find = finderOf(
    parseTable({
      ...text,
      records: [...text.records, 'undefined0 read = ud0'],
      twoByte: [...text.twoByte, 'ff undefined0 Gv,Ev'],
    }),
  );

  test('is decoded, and is no instruction of our own table', () => {
    assert.equal(decode(UD0, 64), undefined);
    const encoding = decode(UD0, 64, find);
    assert.deepEqual([encoding?.row.name, encoding?.length], ['undefined0', 4]);
    assert.equal(encoding?.row.meaning.kind, 'read');
  });

  test('is written with its mnemonic and operands in both syntaxes', () => {
    assert.equal(disassemble(UD0, { code: 64, find }).text, 'ud0 eax,DWORD PTR [rax+0x8]');
    assert.equal(disassemble(UD0, { code: 64, find, syntax: 'att' }).text, 'ud0 0x8(%rax),%eax');
  });

  test('reaches the software CPU: a handler that calls its function', () => {
    const callsIt = (files: Record<string, string>) => files.handlers?.includes('ops.undefined0<');
    assert.deepEqual([callsIt(generate().files), callsIt(generate(find).files)], [false, true]);
  });
});

describe('the table', () => {
  test('has a record for each of its mnemonics, and a row for each record', () => {
    const used = new Set(opcodes().map(({ name }) => name));
    const unused = tableText().records.map((line) => line.split(' ')[0]!);
    assert.deepEqual(
      unused.filter((name) => !used.has(name)),
      [],
    );
  });

  test('names the line that it cannot read', () => {
    const text = tableText();
    const broken = (change: Partial<typeof text>) => () => parseTable({ ...text, ...change });
    assert.throws(
      broken({ records: ['add modify OSZAPC C more words'] }),
      /'add modify OSZAPC C more words' is not/,
    );
    assert.throws(broken({ oneByte: ['06 pusht -v'] }), /'06 pusht -v' has no record/);
    assert.throws(broken({ oneByte: ['xyz add Eb,Gb'] }), /'xyz add Eb,Gb' begins with no place/);
  });
});
