import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changeSources, sourcesMatch } from './sources.js';

describe('a check of sources', () => {
  test('does not see comments, and sees preprocessor lines', () => {
    const uses = (text: string) => sourcesMatch([text], '\\bout\\b');
    assert.ok(uses('  out %al, $0x42  # prints'));
    for (const comment of ['# out', '// out', '/* one\nout */', 'mov $1, %al # then out'])
      assert.ok(!uses(comment), comment);
    assert.ok(sourcesMatch(['#define COUNT 3', '#include <a.h>'], 'COUNT 3'));
  });

  test('changes every match in every text, without meaning anything by $', () => {
    assert.deepEqual(changeSources(['a = 1\na = 2', 'a = 3'], { from: '^a', to: '$1' }), [
      '$1 = 1\n$1 = 2',
      '$1 = 3',
    ]);
  });

  test('tells that there was nothing to change', () => {
    assert.equal(changeSources(['x', 'y'], { from: '^z', to: '' }), undefined);
  });
});
