/** `terrarium debug` in each mode: the screen does not depend on the engine. */
import { describe, test } from 'node:test';
import { noGcc, noKvm } from '../support.js';
import { noTmux, Terminal } from './terminal.js';

const guest = (mode: string) => [`test/guests/debugged-${mode}.S`, '--mode', mode];

describe('terrarium debug shows the same on both engines', {
  skip: noTmux || noGcc || noKvm,
  concurrency: 2,
}, () => {
  for (const mode of ['real', 'protected', 'long']) {
    for (const engine of ['soft', 'kvm']) {
      test(`${mode} mode, ${engine}`, async () => {
        using terminal = new Terminal(['debug', ...guest(mode), '--engine', engine], {
          columns: 100,
          rows: 30,
        });
        await terminal.sees(/before its first instruction/);
        terminal.press('B');
        terminal.type('count');
        terminal.press('Enter', 'c');
        await terminal.sees(/breakpoint count reached/);
        terminal.press('s');
        await terminal.sees(/push/);
        terminal.press('n');
        await terminal.shows(mode, (screen) => screen.replace(/ (soft|kvm) (.*?) {4,}/, ' ENGINE $2    '));
      });
    }
  }
});
