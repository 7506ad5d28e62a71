/**
 * APM's interfaces for protected mode, of 16 and of 32 bits, by a boot sector: on our BIOS on both engines, and on
 * SeaBIOS. The expectations are those of the APM BIOS Interface Specification 1.2; QEMU's machine has the same results,
 * except for the call that its BIOS lacks.
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

function run(options: { engine: 'soft' | 'kvm'; firmware?: string }) {
  using scratch = new Scratch();
  const [object, binary] = [scratch.file('apm.o'), scratch.file('apm.bin')];
  execFileSync('as', ['--32', '-o', object, path.join(root, 'test/devices/bios/apm.S')]);
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
  for (const engine of ['soft', 'kvm'] as const)
    test(`on ${engine}`, { skip: engine === 'kvm' && noKvm }, () => {
      const { bytes, outcome } = run({ engine });
      const calls = [...version, 0, 0x53, 0x0c, 1, 0x0c, 0xaa, ...noEvent];
      assert.deepEqual(bytes, [3, ...calls, ...calls]);
      assert.match(outcome.reason ?? '', /switched the machine off \(APM/);
    });

  test('on SeaBIOS', { skip: !existsSync(SEABIOS) }, () => {
    const { bytes } = run({ engine: 'soft', firmware: SEABIOS });
    const calls = [...version, 1, 0x53, 0x0c, 1, 0x53, 0xaa, ...noEvent];
    assert.deepEqual(bytes.slice(-25), [3, ...calls, ...calls]);
  });
});
