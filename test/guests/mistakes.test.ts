/**
 * Each mistake of guests/mistakes/ is explained with the text of its explanation.txt, which is written for students.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type Explanation, explain, formatExplanation } from '../../src/explain/index.js';
import { createMachine, type LoadedImage, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { noGcc, noKvm, root, Scratch, terrarium } from '../support.js';

const folder = path.join(root, 'guests/mistakes');
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

const sourceOf = (name: string) => path.join(folder, name, `${name}.S`);

/** The options that a source requests for its run. */
function optionsOf(name: string): { memory?: number; mode?: 'long'; timeoutMs: number } {
  const [, words = ''] = /^\/\/ run: (.*)$/m.exec(readFileSync(sourceOf(name), 'utf8')) ?? [];
  const [, timeout] = /--timeout (\d+)ms/.exec(words) ?? [];
  return {
    timeoutMs: Number(timeout ?? 60_000),
    ...(/--mode long/.test(words) && { mode: 'long' }),
    ...(/--memory 2M/.test(words) && { memory: 2 * 1024 * 1024 }),
  };
}

/** Compiled once. */
const compiled = new Map<string, LoadedImage>();

function compile(name: string): LoadedImage {
  const { timeoutMs: _, ...settings } = optionsOf(name);
  const found = compiled.get(name) ?? loadImage(sourceOf(name), settings);
  compiled.set(name, found);
  return found;
}

function explained(name: string, engine: 'soft' | 'kvm'): Explanation & { kind: string } {
  const { timeoutMs } = optionsOf(name);
  const { image, spec, symbols } = compile(name);
  const table = new SymbolTable(symbols?.() ?? image);
  using machine = createMachine({ ...spec, engine, image });
  const outcome = machine.run({ timeoutMs });
  const why = explain({
    ...outcome,
    memory: machine.memory,
    image: machine.boot,
    locate: (address) => table.locate(address),
  });
  return { ...why, kind: outcome.kind };
}

/** A time-out finds a guest at any instruction of its loop. */
const withoutPlace = (text: string) => text.replace(/^ {2}at .*\n( {5}<.*\n)?/m, '');

describe('the mistakes', { skip: noGcc }, () => {
  test('are at least 25, each with its page for a student', () => {
    assert.ok(names.length >= 25, `${names.length}`);
    const readme = readFileSync(path.join(folder, 'README.md'), 'utf8');
    for (const name of names) assert.ok(readme.includes(`[${name}](${name}/${name}.S)`), name);
  });

  for (const name of names) {
    test(`${name}: the software CPU explains it with the text of its explanation.txt`, () => {
      const file = path.join(folder, name, 'explanation.txt');
      const why = explained(name, 'soft');
      const text = `${formatExplanation(why)}\n`;
      // For people: check that it is right before it is stored.
      if (process.env.TERRARIUM_WRITE_EXPLANATIONS === '1') writeFileSync(file, text);
      const golden = readFileSync(file, 'utf8');
      if (why.kind === 'timeout') assert.equal(withoutPlace(text), withoutPlace(golden));
      else assert.equal(text, golden);
      assert.ok(
        text.split('\n').every((line) => line.length <= 80),
        'fits into 80 columns',
      );
    });
  }
});

/** Differences of an emulating KVM from a processor. */
const otherwise: Record<string, string> = {
  '64-bit-code-in-32-bit-mode': 'KVM’s emulator accepts SWAPGS in 32-bit code',
  'handler-repairs-nothing': 'KVM does not report exceptions that reach their handlers',
  'run-off-the-end': 'a KVM that emulates takes its time to execute a megabyte of zeros',
};

/** The address at which the stack ended differs. */
const withoutAddresses = (texts: readonly string[]) =>
  texts.map((text) => text.replace(/0x[0-9a-f]+/g, '0x…'));

describe('the mistakes on KVM', { skip: noKvm || noGcc }, () => {
  for (const name of names) {
    const skip = otherwise[name] === undefined ? false : `SKIPPED: ${otherwise[name]}`;
    test(`${name}: names the same mistake`, { skip }, () => {
      const soft = explained(name, 'soft');
      const kvm = explained(name, 'kvm');
      assert.equal(kvm.kind, soft.kind);
      assert.equal(kvm.title, soft.title);
      assert.deepEqual(withoutAddresses(kvm.mistakes), withoutAddresses(soft.mistakes));
    });
  }
});

describe('an instruction that begins in RAM and ends outside it', () => {
  for (const [engine, skip] of [
    ['soft', false],
    ['kvm', noKvm],
  ] as const) {
    test(`is not an instruction that ${engine} lacks, but the end of memory`, { skip }, () => {
      // jmp 0x0fff:0x000f, the last byte of RAM
      const image = Uint8Array.of(0xea, 0x0f, 0x00, 0xff, 0x0f);
      using machine = createMachine({ engine, image, mode: 'real', memory: 0x10000 });
      // The opcode of mov ax, imm16.
      machine.memory.write8(0xffff, 0xb8);
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'engineError');
      assert.equal(outcome.failure!.name, 'NO_CODE');
      const text = formatExplanation(explain({ ...outcome, memory: machine.memory }));
      assert.match(text, /^why: the guest ran to an address without code$/m);
      assert.match(text, /there is no RAM at 0x10000, where the rest of this instruction would be/);
    });
  }
});

describe('on the command line', { skip: noGcc }, () => {
  test('a triple fault is explained after its outcome, and in the report as structure', () => {
    using scratch = new Scratch();
    const report = scratch.file('report.json');
    const done = terrarium(['run', sourceOf('bad-gdt-entry'), '--engine', 'soft', '--report', report]);
    assert.equal(done.status, 3);
    assert.match(
      done.stderr,
      /shut down \(triple fault\)[\s\S]*why: #GP[\s\S]*the likely mistake\n {4}Bit 4/,
    );
    const { why, outcome } = JSON.parse(readFileSync(report, 'utf8'));
    assert.equal(why.place, '0000:0000000e');
    assert.match(why.where, /bad-gdt-entry\.S:11/);
    assert.equal(why.steps.length, 4);
    assert.deepEqual(
      outcome.faults.map(({ vector, code, delivering }: Record<string, number>) => [
        vector,
        code,
        delivering,
      ]),
      [
        [13, 8, undefined],
        [13, 0x6b, 13],
        [13, 0x43, 8],
      ],
    );
  });

  test('a shutdown that KVM cannot explain is repeated on the software CPU, and the text reports that', {
    skip: noKvm,
  }, () => {
    const args = ['run', sourceOf('divide-by-zero'), '--engine', 'kvm', '--assist', 'off'];
    const { stderr, status } = terrarium(args);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /kvm: shut down[\s\S]*ecx is 0[\s\S]*repeated\s+the\s+run\s+on\s+the\s+software\s+CPU/,
    );
  });

  test('a normal end is explained only with --why', () => {
    const args = ['run', 'guests/hello', '--engine', 'soft'];
    assert.doesNotMatch(terrarium(args).stderr, /why:/);
    assert.match(terrarium([...args, '--why']).stderr, /why: the guest halted[\s\S]*hlt/);
  });
});
