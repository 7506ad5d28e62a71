import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Exit, ExitKind, exitKindNames } from '../engine/contract/index.js';
import { ExitLog } from './exit-log.js';
import { formatNarrowLines, narrowHeader } from './narrow-text.js';
import { exitRecord } from './testing.js';
import { TextTrace } from './text.js';
import { traceTexts } from './texts.js';

const names = ['debug-console', 'serial-port'];

/** A log of one exit, with its description. */
function logOf(exit: Partial<Exit> & { bytes?: number[] }, device: number, said: string[] = []) {
  const log = new ExitLog();
  log.begin(0);
  log.record(exitRecord(exit), device, 1234.567, 1234.6);
  const texts = traceTexts(log.mask + 1);
  [texts.instructions[0], texts.registers[0], texts.meanings[0]] = [
    said[0] ?? '',
    said[1] ?? '',
    said[2] ?? '',
  ];
  return { log, texts };
}

describe('a trace on a terminal of 80 columns', () => {
  test('shows every column and the description', () => {
    const out = { address: 0x3fb, write: true, bytes: [0x03], ripLow: 0x7c12 };
    const { log, texts } = logOf(out, 1, ['out dx,al', 'line control', '8 data bits, no parity, 1 stop bit']);
    assert.deepEqual(formatNarrowLines(log, 0, names, texts, { width: 80 }).split('\n'), [
      '     1  1234.567ms  00007c12 out 0x03fb       03         serial-port',
      '                    out dx,al',
      '                    line control ← 0x03: 8 data bits, no parity, 1 stop bit',
    ]);
    assert.equal(narrowHeader(), '  exit        time  rip      access           data       device');
  });

  test('needs one more line where both fit, and none where there is no description', () => {
    const { log, texts } = logOf({ address: 0xe9, write: true, bytes: [0x48] }, 0, [
      'out 0xe9,al',
      'console',
    ]);
    assert.match(
      formatNarrowLines(log, 0, names, texts, { width: 80 }),
      /48 'H' {5}debug-console\n {20}out 0xe9,al {2}console ← 0x48$/,
    );
    const halt = logOf({ kind: ExitKind.halt }, -1);
    assert.match(formatNarrowLines(halt.log, 0, names, halt.texts, { width: 80 }), /^.* 00000000 halt$/);
  });

  test('has no longer line for any exit, and leaves nothing out', () => {
    const kinds = Object.values(ExitKind).filter((kind) => exitKindNames[kind] !== undefined);
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.constantFrom(1, 2, 4, 8),
        fc.integer({ min: 1, max: 1024 }),
        fc.boolean(),
        fc.array(fc.stringMatching(/^[a-z ]{0,200}$/), { minLength: 3, maxLength: 3 }),
        (kind, size, count, write, said) => {
          const bytes = Array.from({ length: size }, () => 0xff);
          const exit = { kind, size, count, write, bytes, address: 2 ** 40, ripHigh: 0xffffffff };
          const { log, texts } = logOf(
            exit,
            0,
            said.map((text) => text.replaceAll('\n', '')),
          );
          const lines = formatNarrowLines(log, 0, names, texts, { width: 80 }).split('\n');
          for (const line of lines) assert.ok(line.length <= 80, line);
          const shown = lines.join('').replaceAll(' ', '');
          const [instruction, register, meaning] = said.map((text) => text.replaceAll(' ', ''));
          assert.ok(shown.includes(instruction!) && shown.includes(register!));
          if (register !== '') assert.ok(shown.includes(meaning!));
        },
      ),
    );
  });

  test('is what the encoder writes for that width, and not for a wide one', () => {
    const { log, texts } = logOf({ address: 0xe9, write: true, bytes: [0x48] }, 0, ['out 0xe9,al']);
    const linesFor = (width: number) => {
      const trace = new TextTrace(names, texts, 1, width);
      trace.add(log, 0);
      return [trace.head(), trace.writer.bytes].map((piece) => Buffer.from(piece).toString());
    };
    assert.equal(linesFor(80)[0], `${narrowHeader()}\n`);
    assert.equal(linesFor(80)[1]!.split('\n').length, 3);
    assert.equal(linesFor(200)[1]!.split('\n').length, 2);
  });
});
