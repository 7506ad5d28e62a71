/** A comparison of two recordings: where the runs diverge, and which input differs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

describe('replay --against', () => {
  test('reports the first moment at which two runs differ, and the origin of the difference', () => {
    using scratch = new Scratch();
    const record = (name: string, input: string) => {
      const file = scratch.file(name);
      const { status } = terrarium(['run', 'guests/serial-irq', '--engine', 'soft', '--record', file], {
        input,
      });
      assert.equal(status, 0);
      return file;
    };
    const [good, bad] = [record('good.terra', 'hello\nq'), record('bad.terra', 'hexlo\nq')];

    const same = terrarium(['replay', good, '--against', good]);
    assert.equal(same.status, 0, same.stderr);
    assert.match(same.stderr, /^the same run: [\d,]+ instructions\n$/);

    const parted = terrarium(['replay', good, '--against', bad]);
    assert.equal(parted.status, 1, parted.stderr);
    assert.match(parted.stderr, /^the same for [\d,]+ instructions, up to 0x[\da-f]+/);
    assert.match(parted.stderr, /then they differ:\n {2}\w+: 0x[\da-f]+ and 0x[\da-f]+\n/);
    // Input may come at another moment; then the status of the port is the first difference.
    assert.match(parted.stderr, /in .*good\.terra: .*read it from port 0x3f[8-d], the device serial/s);
    assert.match(parted.stderr, /in .*bad\.terra: .*read it from port 0x3f[8-d], the device serial/s);

    const snapshot = scratch.file('snapshot.terra');
    assert.equal(terrarium(['run', 'guests/hello', '--engine', 'soft', '--save', snapshot]).status, 0);
    const refused = terrarium(['replay', good, '--against', snapshot]);
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, /is a snapshot, not a recording/);
  });
});
