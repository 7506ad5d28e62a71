/** Debug information that is damaged or misleading: it costs little, and gives values or error messages. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ImageSection, parseImage } from '../../../src/boot/index.js';
import { FunctionView } from '../../../src/debug/c/function-view.js';
import { GONE, locate, type Machine } from '../../../src/debug/c/location.js';
import { SymbolTable } from '../../../src/symbols/index.js';
import { registersWith, type SystemRegisters } from '../../../src/x86/index.js';
import { noGcc } from '../../support.js';
import { program } from './program.js';

function compiled(version: number): ImageSection[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-c-'));
  try {
    writeFileSync(path.join(folder, 'prog.c'), program);
    const flags = [
      '-nostdlib',
      '-static',
      '-no-pie',
      '-ffreestanding',
      '-fno-pic',
      '-O2',
      '-w',
      '-fno-asynchronous-unwind-tables',
    ];
    execFileSync('gcc', [`-gdwarf-${version}`, ...flags, '-Wl,-Ttext=0x100000', 'prog.c', '-o', 'prog'], {
      cwd: folder,
    });
    return parseImage(new Uint8Array(readFileSync(path.join(folder, 'prog'))), 'prog').sections!;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Requests everything that a debugger shows. */
async function useAll(sections: ImageSection[]): Promise<number> {
  const symbols = new SymbolTable({ format: 'elf64', sections });
  const info = symbols.debugInfo;
  let shown = 0;
  if (info === undefined) return shown;
  for (let pc = 0x10_0000n; pc < 0x10_0200n; pc += 0x25n)
    for (const scope of info.scopesAt(pc)) {
      const view = new FunctionView({
        symbols,
        info,
        pc,
        scope,
        view: { registers: registersWith(), system: {} as SystemRegisters },
        cfa: async () => 0x8000n,
        read: async (_, length) => new Uint8Array(length).fill(1),
        atCall: async () => undefined,
        word: 8,
      });
      for (const { children } of await view.locals()) shown += 1 + ((await children?.())?.length ?? 0);
      for (const type of ['struct outer', 'struct node', 'enum color'])
        await view.describe(type).catch(() => '');
    }
  return shown;
}

describe('debug information', { skip: noGcc }, () => {
  for (const version of [4, 5])
    test(`of DWARF ${version} may be damaged anywhere`, async () => {
      const sections = compiled(version);
      assert.ok((await useAll(sections)) > 20);
      const debug = sections.filter(({ name }) => name.startsWith('.debug_') && name !== '.debug_line');
      const change = fc.record({
        section: fc.nat({ max: debug.length - 1 }),
        at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        value: fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
          const copies = new Map(debug.map(({ name, bytes }) => [name, bytes.slice()]));
          for (const { section, at, value } of changes) {
            const bytes = copies.get(debug[section]!.name)!;
            bytes[Math.floor(at * bytes.length)] = value;
          }
          await useAll(sections.map(({ name, bytes }) => ({ name, bytes: copies.get(name) ?? bytes })));
        }),
        { numRuns: 60 },
      );
      // Cut short at many lengths.
      for (const { name, bytes } of debug)
        for (let part = 0; part < 8; part++)
          await useAll(
            sections.map((one) =>
              one.name === name ? { name, bytes: bytes.subarray(0, (bytes.length * part) >> 3) } : one,
            ),
          );
    });
});

describe('an expression of the debug information', () => {
  const machine: Machine = {
    word: 8,
    bias: 0n,
    register: () => 5n,
    read: async (_, length) => new Uint8Array(length),
    cfa: () => 0x1000n,
    frameBase: async () => 0x2000n,
    atEntry: async () => undefined,
  };
  const run = (...bytes: number[]) => locate(Uint8Array.from(bytes), machine);

  test('cannot run without end, nor fill the stack', async () => {
    assert.equal(await run(0x2f, 0xfd, 0xff), GONE); // DW_OP_skip -3
    assert.equal(await run(0x30, 0x12, 0x2f, 0xfc, 0xff), GONE); // lit0, dup, skip -4
    assert.equal(await run(0x28, 0, 0), GONE);
    assert.equal(await run(0x30, 0x30, 0x1b), GONE); // a division by 0
    assert.equal(await run(0x2f, 0x7f, 0x7f), GONE);
    assert.equal(await run(...Array.from({ length: 600 }, () => [0x30, 0x93, 1]).flat()), GONE);
    assert.equal(await run(0xe0), GONE);
  });

  test('returns addresses and values', async () => {
    assert.deepEqual(await run(0x91, 0x78), { kind: 'memory', address: 0x1ff8n }); // DW_OP_fbreg -8
    assert.deepEqual(await run(0x53), { kind: 'register', name: 'rbx' });
    assert.deepEqual(await run(0x73, 3, 0x9f), { kind: 'number', value: 8n });
    assert.deepEqual(await run(0x9c, 0x23, 0x10), { kind: 'memory', address: 0x1010n });
    assert.deepEqual(await run(0x50, 0x93, 4, 0x93, 4), {
      kind: 'pieces',
      pieces: [
        { location: { kind: 'register', name: 'rax' }, size: 4 },
        { location: GONE, size: 4 },
      ],
    });
  });
});
