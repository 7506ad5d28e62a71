/**
 * A guest that gets mouse reports from the BIOS: from ours on both engines, and from SeaBIOS, whose driver does not
 * know this mouse. The bytes are those of IBM's PS/2 Hardware Interface Technical Reference, mouse, "Data report".
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { MouseMove } from '../../src/devices/index.js';
import { createMachine } from '../../src/index.js';
import { hostMachine } from '../../src/runtime/index.js';
import { noCompiler, root } from '../guests/catalogue.js';
import { noKvm, Scratch } from '../support.js';

const SEABIOS = '/usr/share/seabios/bios-256k.bin';
const noSeaBios = existsSync(SEABIOS) ? false : 'SKIPPED: SeaBIOS is not installed: apt-get install seabios';

/** To the right and up; down with the left button; the button up again; far to the left with the right one. */
const moves: MouseMove[] = [
  { dx: 5, dy: -3, buttons: 0 },
  { dx: 0, dy: 2, buttons: 1 },
  { dx: 0, dy: 0, buttons: 0 },
  { dx: -200, dy: 0, buttons: 2 },
];
const reports = [0x08, 5, 3, 0x29, 0, 0xfe, 0x08, 0, 0, 0x1a, 0x38, 0];

function image(scratch: Scratch): Uint8Array {
  const [object, binary] = [scratch.file('mouse.o'), scratch.file('mouse.bin')];
  execFileSync('as', ['--32', '-o', object, path.join(root, 'test/devices/mouse.S')]);
  execFileSync('ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]);
  return readFileSync(binary);
}

function heard(options: { engine: 'soft' | 'kvm'; firmware?: string }): number[] {
  using scratch = new Scratch();
  const bytes: number[] = [];
  const left = [...moves];
  let listens = false;
  const log = {
    name: 'e9',
    ports: [{ first: 0xe9, count: 1, width: 1 as const }],
    writePort: (_port: number, _size: number, value: number) => void bytes.push(value),
  };
  using machine = createMachine({
    ...options,
    image: image(scratch),
    devices: [log],
    keys: {
      onMouse: (reports) => {
        listens = reports;
      },
      mouse: {
        get available() {
          return listens && left.length > 0;
        },
        read: () => left.shift(),
      },
    },
  });
  const { kind, reason } = machine.run({ timeoutMs: 60_000 });
  assert.equal(kind, 'halted', reason);
  return bytes;
}

describe('the mouse’s reports reach a program by INT 15h AH=C2h', { skip: noCompiler }, () => {
  test('on the software CPU', () => assert.deepEqual(heard({ engine: 'soft' }), reports));
  test('on KVM', { skip: noKvm }, () => assert.deepEqual(heard({ engine: 'kvm' }), reports));
  test('by SeaBIOS', { skip: noSeaBios }, () => {
    const bytes = heard({ engine: 'soft', firmware: SEABIOS });
    // SeaBIOS's own text comes first.
    assert.deepEqual(bytes.slice(-reports.length), reports);
  });

  test('from another thread', async () => {
    using scratch = new Scratch();
    let [printed, asked] = ['', false];
    await using machine = await hostMachine({ engine: 'soft', image: image(scratch) });
    machine.onOutput((chunk) => {
      printed += Buffer.from(chunk).toString('latin1');
    });
    machine.onSigns(({ mouse }) => {
      if (!mouse || asked) return;
      asked = true;
      for (const move of moves) assert.equal(machine.sendMouse(move), true);
    });
    const { kind, reason } = await machine.run({ timeoutMs: 60_000 });
    assert.equal(kind, 'halted', reason);
    assert.deepEqual([...Buffer.from(printed, 'latin1')], reports);
  });
});
