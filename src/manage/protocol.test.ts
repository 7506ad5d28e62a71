import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MAX_CHUNK, parseMessage, parseRequest } from './protocol.js';

describe('requests', () => {
  test('are understood as docs/manage.md writes them', () => {
    assert.deepEqual(parseRequest('{"id":1,"do":"status"}'), { request: { id: 1, do: 'status' } });
    assert.deepEqual(parseRequest('{"id":2,"do":"attach","replay":4096}'), {
      request: { id: 2, do: 'attach', replay: 4096 },
    });
    assert.deepEqual(parseRequest('{"id":3,"do":"attach"}'), { request: { id: 3, do: 'attach', replay: 0 } });
    assert.deepEqual(parseRequest('{"id":4,"do":"input","data":"aGkK"}'), {
      request: { id: 4, do: 'input', data: Buffer.from('hi\n') },
    });
    assert.deepEqual(parseRequest('{"id":5,"do":"stop","because":"fields beyond these are ignored"}'), {
      request: { id: 5, do: 'stop' },
    });
  });

  test('for a snapshot name an absolute path', () => {
    assert.deepEqual(parseRequest('{"id":6,"do":"snapshot","file":"/tmp/web.terra"}'), {
      request: { id: 6, do: 'snapshot', file: '/tmp/web.terra' },
    });
  });

  test('that are unknown or wrong are answered by name', () => {
    for (const [line, code] of [
      ['{"id":7,"do":"reboot"}', 'EUNKNOWN'],
      ['{"id":7,"do":"attach","replay":-1}', 'EREQUEST'],
      ['{"id":7,"do":"attach","replay":"all"}', 'EREQUEST'],
      ['{"id":7,"do":"snapshot"}', 'EREQUEST'],
      ['{"id":7,"do":"snapshot","file":"web.terra"}', 'EREQUEST'],
      ['{"id":7,"do":"snapshot","file":"/tmp/\\u0000"}', 'EREQUEST'],
      ['{"id":7,"do":"snapshot","file":7}', 'EREQUEST'],
      ['{"id":7,"do":"input"}', 'EREQUEST'],
      ['{"id":7,"do":"input","data":"not base64"}', 'EREQUEST'],
      [`{"id":7,"do":"input","data":"${Buffer.alloc(MAX_CHUNK + 1).toString('base64')}"}`, 'EREQUEST'],
    ] as const) {
      const parsed = parseRequest(line);
      assert.ok(parsed !== undefined && 'error' in parsed, line);
      assert.equal(parsed.id, 7);
      assert.equal(parsed.error.code, code);
    }
  });

  test('are told from garbage', () => {
    const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    for (const line of ['', 'GET / HTTP/1.1', '{}', '[]', 'null', '{"id":1}', '{"do":"stop"}', nested])
      assert.equal(parseRequest(line), undefined, line.slice(0, 20));
    for (const id of ['-1', '1.5', '"1"', '1e999', 'null', '{}'])
      assert.equal(parseRequest(`{"id":${id},"do":"stop"}`), undefined, id);
    fc.assert(fc.property(fc.json(), (line) => parseRequest(line) === undefined));
  });
});

describe('messages', () => {
  test('are checked field by field', () => {
    const end = { kind: 'halted', reason: 'x', exits: 1, elapsedMs: 1.5, status: 0, endedAt: 5 };
    const good = [
      { terrarium: 1, name: 'web', pid: 7 },
      { id: 1, ok: null },
      { id: 1, error: { code: 'E', message: 'm' } },
      { event: 'console', data: 'aGk=' },
      { event: 'lost', bytes: 5 },
      { event: 'end', end },
      { event: 'bye', error: { code: 'E', message: 'm', hint: 'h' } },
    ];
    for (const message of good) assert.deepEqual(parseMessage(JSON.stringify(message)), message);
    const bad = [
      {},
      { id: 1 },
      { id: 1, error: 'no' },
      { terrarium: '1', name: 'web', pid: 7 },
      { event: 'console', data: 5 },
      { event: 'lost', bytes: -5 },
      { event: 'end', end: { ...end, status: 'ok' } },
      { event: 'party' },
    ];
    for (const message of bad) assert.equal(parseMessage(JSON.stringify(message)), undefined);
  });
});
