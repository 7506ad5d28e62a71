/**
 * The BIOS's interfaces for protected mode, by boot sectors: APM's of 16 and of 32 bits, and VBE's. The expectations are those of the APM
 * BIOS Interface Specification 1.2 and of the VBE Core Functions Standard 3.0; SeaBIOS has APM's, too.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { createMachine } from '../../../src/index.js';
import { noCompiler, root } from '../../guests/catalogue.js';
import { noKvm, Scratch } from '../../support.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const engines = ['soft', 'kvm'] as const;

function run(name: string, options: { engine: 'soft' | 'kvm'; firmware?: string; vga?: boolean }) {
  using scratch = new Scratch();
  const [object, binary] = [scratch.file(`${name}.o`), scratch.file(`${name}.bin`)];
  execFileSync('as', ['--32', '-o', object, path.join(root, `test/devices/bios/${name}.S`)]);
  execFileSync('ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]);
  const bytes: number[] = [];
  const log = {
    name: 'e9',
    ports: [{ first: 0xe9, count: 1, width: 1 as const }],
    writePort: (_port: number, _size: number, value: number) => void bytes.push(value),
  };
  using machine = createMachine({ ...options, image: readFileSync(binary), devices: [log] });
  return { bytes, outcome: machine.run({ timeoutMs: 60_000 }) };
}

/** CF, AH and AL of: the version, the power state, an unknown function, an event. */
const version = [0, 0x01, 0x02];
const noEvent = [1, 0x80, 0x0b];

describe('APM in protected mode', { skip: noCompiler }, () => {
  for (const engine of engines)
    test(`on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      const { bytes, outcome } = run('apm', { engine });
      const calls = [...version, 0, 0x53, 0x0c, 1, 0x0c, 0xaa, ...noEvent];
      assert.deepEqual(bytes, [3, ...calls, ...calls]);
      assert.match(outcome.reason ?? '', /switched the machine off \(APM/);
    });

  test('on SeaBIOS', { skip: !existsSync(SEABIOS) }, () => {
    const { bytes } = run('apm', { engine: 'soft', firmware: SEABIOS });
    const calls = [...version, 1, 0x53, 0x0c, 1, 0x53, 0xaa, ...noEvent];
    assert.deepEqual(bytes.slice(-25), [3, ...calls, ...calls]);
  });
});

describe('VBE in protected mode', { skip: noCompiler }, () => {
  const ok = [0x4f, 0];
  const expected = [
    ...ok,
    ...[...ok, 16, 0, 5, 0],
    ...[...ok, 2, 0],
    // Blue, green and red of the second colour, as the DAC gives them.
    ...[...ok, 6, 5, 4],
    ...[0x4f, 1],
  ];
  for (const engine of engines)
    test(`on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      assert.deepEqual(run('vbe-protected', { engine, vga: true }).bytes, expected);
    });

  test('under another firmware, by the ROM of the display adapter', { skip: !existsSync(SEABIOS) }, () => {
    const { bytes } = run('vbe-protected', { engine: 'soft', vga: true, firmware: SEABIOS });
    assert.deepEqual(bytes.slice(-expected.length), expected);
  });
});
