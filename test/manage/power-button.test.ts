/** The power button of a named machine: a guest that supports ACPI powers off; others continue, or have no button. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, describe, test } from 'node:test';
import { AcpiPm } from '../../src/devices/index.js';
import { createMachine } from '../../src/index.js';
import { powerOffMachine, readConsole, startDetached } from '../../src/manage/index.js';
import { hostMachine } from '../../src/runtime/index.js';
import { terrarium, until } from '../support.js';
import { clear, everyMachine, scratch } from './named-machines.js';

const noAssembler =
  spawnSync('as', ['--version']).status === 0 ? false : 'SKIPPED: no assembler here: apt-get install gcc';

/** Reacts to its power button. */
function listener(): string {
  const [object, binary] = [scratch.file('power.o'), scratch.file('power.bin')];
  for (const [tool, words] of [
    ['as', ['--32', '-o', object, 'test/guests/power-button.S']],
    ['ld', ['-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat', 'binary', '-o', binary, object]],
  ] as const)
    assert.equal(spawnSync(tool, words).status, 0);
  return binary;
}

after(() => scratch[Symbol.dispose]());

describe('a power button', { skip: noAssembler }, () => {
  afterEach(clear);

  test('powers off a machine whose guest reacts to it', async () => {
    await startDetached({ name: 'web', image: listener(), engine: 'soft' });
    await until('it listens', () => Buffer.from(readConsole('web')).toString() === 'ready');
    const { status, stderr } = terrarium(['stop', 'web', '--powerbutton', '--grace', '60s']);
    assert.equal(status, 0, stderr);
    const [web] = await everyMachine();
    assert.equal(web?.end?.kind, 'poweredOff');
  });

  test('has no effect on a guest that does not react; a machine without one reports that', async () => {
    await startDetached({ name: 'deaf', image: 'guests/serial-irq', engine: 'soft', machine: 'pc' });
    const deaf = terrarium(['stop', 'deaf', '--powerbutton', '--grace', '50ms']);
    assert.equal(deaf.status, 1);
    assert.match(deaf.stderr, /deaf still runs 50 ms after .*its kernel ignores it/);
    await startDetached({ name: 'bare', image: 'guests/serial-irq', engine: 'soft' });
    const bare = terrarium(['stop', 'bare', '--powerbutton']);
    assert.notEqual(bare.status, 0);
    assert.match(bare.stderr, /bare has no power button\n.*--machine pc/);
    await assert.rejects(powerOffMachine('bare'), { code: 'ENOBUTTON' });
    await assert.rejects(powerOffMachine('nobody'), { code: 'ENOMACHINE' });
  });

  test('is pressed by programs: hosted, and on the same thread', async () => {
    await using hosted = await hostMachine({ image: listener(), engine: 'soft' });
    let printed = '';
    hosted.onOutput((bytes) => {
      printed += Buffer.from(bytes).toString();
      if (printed === 'ready') assert.equal(hosted.pressPowerButton(), true);
    });
    assert.equal((await hosted.run({ timeoutMs: 60_000 })).kind, 'poweredOff');

    using machine = createMachine({ image: listener(), engine: 'soft' });
    assert.equal(machine.run({ maxInstructions: 10_000 }).kind, 'limit');
    machine.devices.find((device) => device instanceof AcpiPm)!.pressPowerButton();
    assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'poweredOff');

    await using bare = await hostMachine({ image: 'guests/hello', engine: 'soft' });
    assert.equal(bare.pressPowerButton(), false);
  });
});
