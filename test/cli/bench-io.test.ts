/** `terrarium bench io`: each kind of device access has the right number of exits. Times are not checked. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { IoCost } from '../../src/apps/cli/commands/bench/io-costs.js';
import { noKvm, Scratch, terrarium } from '../support.js';

describe('terrarium bench io', { skip: noKvm }, () => {
  test('counts exits: one per access, none for read-only memory, few where writes are coalesced', () => {
    using scratch = new Scratch();
    const svg = scratch.file('io.svg');
    const done = terrarium(['bench', 'io', '--accesses', '5000', '--rounds', '1', '--json', '--svg', svg]);
    assert.equal(done.status, 0, done.stderr);
    const costs = JSON.parse(done.stdout) as IoCost[];
    const exits = Object.fromEntries(costs.map((cost) => [cost.name, cost.exits]));
    for (const name of ['port, OUT', 'port, IN', 'hole, write', 'hole, read', 'read-only memory, write'])
      assert.equal(exits[name], 5000, name);
    assert.equal(exits['read-only memory, read'], 0);
    for (const { name, exits } of costs.filter(({ name }) => name.endsWith('coalesced')))
      assert.ok(exits < 1000, `${name}: ${exits}`);
    const picture = readFileSync(svg, 'utf8');
    for (const { name } of costs) assert.ok(picture.includes(`>${name}</text>`), name);
  });

  test('shows a table, and refuses what CX cannot count', () => {
    const { stdout } = terrarium(['bench', 'io', '--accesses', '1000', '--rounds', '1']);
    const table = Buffer.from(stdout, 'latin1').toString();
    assert.match(table, /^access +a second +µs each +exits\nport, OUT .* 1000 of 1000\n/);
    assert.match(table, /^read-only memory, read .* none$/m);
    const refused = terrarium(['bench', 'io', '--accesses', '65536']);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /65536 accesses are more than 65535/);
  });
});
