/** `run --trace FILE` and `terrarium trace FILE`: written files are read again, and invalid files are refused. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Scratch, terrarium } from '../support.js';

const soft = ['--engine', 'soft'];
const HELLO = 'guests/hello';
const head = '{"displayTimeUnit":"ns","traceEvents":[\n';
const halt = '{"exit":1,"time_us":1,"run_us":1,"handle_us":1,"kind":"halt"}\n';

/** The summary of a file as data. */
function summarize(file: string) {
  const done = terrarium(['trace', file, '--json']);
  assert.equal(done.status, 0, done.stderr);
  return JSON.parse(done.stdout) as {
    exits: number;
    cut: boolean;
    places: { direction: string; address: number; device: string; register: string; count: number }[];
  };
}

describe('a trace in a file', () => {
  test('has the same exits as NDJSON and for Perfetto, with --trace FILE or --trace=FILE', () => {
    using scratch = new Scratch();
    const [ndjson, json] = [scratch.file('t.ndjson'), scratch.file('t.json')];
    const first = terrarium(['run', ...soft, '--trace', ndjson, HELLO]);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /^Hello from inside/, 'the image is still the image');
    assert.equal(terrarium(['run', HELLO, ...soft, `--trace=${json}`]).status, 0);
    const [one, other] = [summarize(ndjson), summarize(json)];
    assert.equal(one.exits, first.stdout.length + 1, 'each byte of the console, and HLT');
    assert.equal(other.exits, one.exits);
    const place = { direction: 'out', address: 0xe9, device: 'debug-console', register: 'console' };
    for (const { places, cut } of [one, other]) {
      const { direction, address, device, register } = places[0]!;
      assert.deepEqual({ direction, address, device, register }, place);
      assert.equal(cut, false);
    }
    const lines = readFileSync(ndjson, 'utf8').trimEnd().split('\n');
    const { means, instruction, data } = JSON.parse(lines[0]!) as Record<string, unknown>;
    assert.deepEqual({ means, instruction, data }, { means: "'H'", instruction: 'out dx,al', data: '0x48' });
    const { traceEvents } = JSON.parse(readFileSync(json, 'utf8')) as {
      traceEvents: { ph: string; ts: number }[];
    };
    assert.ok(
      traceEvents.every(({ ts }, i) => i === 0 || ts >= traceEvents[i - 1]!.ts),
      'sorted by time',
    );
  });

  test('holds the exits that its filters select', () => {
    using scratch = new Scratch();
    const traced = (...filters: string[]) => {
      const file = scratch.file('f.ndjson');
      const words = filters.flatMap((filter) => ['--trace-filter', filter]);
      const done = terrarium(['run', HELLO, ...soft, '--trace', file, ...words]);
      assert.equal(done.status, 0, done.stderr);
      return readFileSync(file, 'utf8').split('\n').length - 1;
    };
    assert.equal(traced('kind=halt'), 1);
    assert.equal(traced('port=0xe9 kind=io', 'device=debug-console'), 338);
    assert.equal(traced('port=0x3f8-0x3ff'), 0);
    const refused = (...words: string[]) => {
      const done = terrarium(['run', HELLO, ...soft, ...words]);
      assert.equal(done.status, 2);
      return done.stderr;
    };
    assert.match(refused('--trace', '--trace-filter', 'port=fish'), /'fish' is not a number or range/);
    assert.match(
      refused('--trace', '--trace-filter', 'device=disk'),
      /'device=disk': this machine has no such/,
    );
    assert.match(refused('--trace-filter', 'kind=io'), /no trace to filter/);
  });

  test('on a full disk ends with a message, and the guest runs to its end', () => {
    using scratch = new Scratch();
    for (const name of ['full.ndjson', 'full.json', 'full.txt']) {
      symlinkSync('/dev/full', scratch.file(name));
      const done = terrarium(['run', HELLO, ...soft, `--trace=${scratch.file(name)}`]);
      assert.equal(done.status, 2, done.stderr);
      assert.match(done.stderr, /full\.\w+ could not be written: ENOSPC/);
      assert.match(done.stdout, /and run it\.\n$/);
    }
  });
});

describe('terrarium trace', () => {
  test('shows tables, histograms and a timeline, and draws them', () => {
    using scratch = new Scratch();
    const [file, svg] = [scratch.file('t.ndjson'), scratch.file('t.svg')];
    assert.equal(terrarium(['run', 'guests/vga-text', ...soft, '--trace', file]).status, 0);
    const done = terrarium(['trace', file, '--svg', svg]);
    assert.equal(done.status, 0, done.stderr);
    const shown = Buffer.from(done.stdout, 'latin1').toString();
    assert.match(shown, /^\d+ exits in /);
    assert.match(shown, /0x03d4 +vga +CRT controller index/);
    for (const title of ['exits by reason', 'what was touched', 'time by device', 'timeline', 'how long']) {
      assert.ok(shown.includes(title), title);
    }
    const picture = readFileSync(svg, 'utf8');
    assert.match(picture, /^<svg .*<\/svg>\n$/s);
    assert.doesNotMatch(picture, /NaN|Infinity|undefined/);
    assert.equal(terrarium(['trace', file, '--svg', '/nowhere/x.svg']).status, 2);
  });

  test('reads a truncated trace up to its end', () => {
    using scratch = new Scratch();
    for (const name of ['t.ndjson', 't.json']) {
      const file = scratch.file(name);
      assert.equal(terrarium(['run', HELLO, ...soft, '--trace', file]).status, 0);
      const whole = summarize(file).exits;
      truncateSync(file, readFileSync(file).length - 300);
      const { exits, cut } = summarize(file);
      assert.ok(cut && exits < whole && exits >= whole - 3, `${exits} of ${whole}`);
      assert.match(terrarium(['trace', file]).stderr, /is truncated/);
    }
    assert.equal(terrarium(['trace', '-', '--json'], { input: `${halt}{"exit":2,"ti` }).status, 0);
  });

  test('explains why a file is not a trace', () => {
    using scratch = new Scratch();
    const file = scratch.file('x');
    const wrong: [string | Buffer, RegExp][] = [
      ['', /there is no exit in this trace: nothing is in it/],
      ['\n\n', /there is no exit in this trace/],
      [`${head}{"ph":"M"}\n]}\n`, /there is no exit in this trace: it may have been filtered/],
      ['hello\n', /is not a trace of terrarium/],
      ['{"a":1}', /is not a trace of terrarium/],
      [`${halt}fish\n${halt}`, /x: line 2 is no JSON/],
      [`${halt}[]\n`, /line 2 has no 'kind'/],
      [`${halt}${'['.repeat(60_000)}\n`, /line 2 is no JSON/],
      [`${head}{"ph":"X"}\n`, /line 2 has no 'args'/],
      ['    exit        time  rip               reason\n', /a trace for people to read/],
      [Buffer.alloc(3 * 1024 * 1024), /line 1 is longer than 65536 bytes/],
      [`${halt}${'x'.repeat(70_000)}\n`, /line 2 is longer than 65536 bytes/],
      [Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0x0a]), /is not a trace of terrarium/],
    ];
    for (const [content, message] of wrong) {
      writeFileSync(file, content);
      const done = terrarium(['trace', file]);
      assert.equal(done.status, 2, String(content).slice(0, 80));
      assert.match(Buffer.from(done.stderr, 'latin1').toString(), message);
    }
    assert.match(terrarium(['trace', scratch.file('none')]).stderr, /none: no such file/);
    assert.match(terrarium(['trace', scratch.path]).stderr, /this is a folder, not a file/);
    assert.match(terrarium(['trace', '/dev/zero']).stderr, /longer than 65536 bytes/);
  });
});
