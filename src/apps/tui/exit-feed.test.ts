import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostMachine } from '../../runtime/index.js';
import { ExitFeed } from './exit-feed.js';

test('a call of the BIOS is a described row, as in a trace', async () => {
  // mov ax, 0x0e41; int 10h; mov ax, 0x0201; mov cx, 99; mov dx, 0; int 13h; out e9, al; cli; hlt
  const sector = new Uint8Array(512);
  sector.set([
    0xb8, 0x41, 0x0e, 0xcd, 0x10, 0xb8, 0x01, 0x02, 0xb9, 99, 0, 0xba, 0, 0, 0xcd, 0x13, 0xe6, 0xe9, 0xfa,
    0xf4,
  ]);
  sector.set([0x55, 0xaa], 510);
  const feed = new ExitFeed();
  await using machine = await hostMachine({
    engine: 'soft',
    image: sector,
    trace: { format: 'ndjson' },
  });
  machine.onTrace((bytes) => feed.take(bytes));
  await machine.run({ timeoutMs: 60_000 });
  const rows = feed.rows.map(({ what, words }) => `${what.trim()}: ${words}`);
  assert.equal(rows[0], "int 10h: write 'A'");
  assert.match(
    rows[1]!,
    /^int 13h: read 1 sector, drive A, C0 H0 S35.*no such sector|^int 13h: read 1 sector, drive A/,
  );
  assert.match(rows[2]!, /^out +0xe9/);
});
