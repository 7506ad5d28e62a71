import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExitKind } from '../engine/contract/index.js';
import { exitTest, parseTraceFilter } from './index.js';

const names = ['serial', 'vga'];
const { io, mmio, halt } = ExitKind;

/** Kind, address, size, rip, device: which of them pass. */
type Shown = readonly [kind: number, address: number, size: number, rip: bigint, device: number];
function passes(filter: string | string[], [kind, address, size, rip, device]: Shown): boolean {
  const test = exitTest(parseTraceFilter([filter].flat()), names);
  return test(kind, address, size, Number(rip & 0xffffffffn), Number(rip >> 32n), device);
}

describe('a trace filter', () => {
  test('passes the exits that its ports, addresses, kinds, devices and rip name', () => {
    const out: Shown = [io, 0x3f8, 1, 0x7c10n, 0];
    const store: Shown = [mmio, 0xb8000, 2, 0xffff_ffff_8000_0000n, 1];
    const hlt: Shown = [halt, 0, 0, 0x7c20n, -1];
    const expected: [string | string[], boolean, boolean, boolean][] = [
      ['port=0x3f8-0x3ff', true, false, false],
      ['port=1016', true, false, false],
      ['port=0x3f9', false, false, false],
      ['address=0xa0000-0xbffff', false, true, false],
      ['port=0x3f8 address=0xb8001', true, true, false],
      ['kind=mmio', false, true, false],
      ['kind=io,halt', true, false, true],
      ['kind=io device=vga', false, false, false],
      ['device=vga,serial', true, true, false],
      ['rip=0x7c00-0x7dff', true, false, true],
      ['rip=0xffffffff80000000', false, true, false],
      [['rip=0x7c00-0x7dff', 'kind=halt'], false, false, true],
      ['', true, true, true],
    ];
    for (const [filter, ...shown] of expected) {
      assert.deepEqual(
        [out, store, hlt].map((one) => passes(filter, one)),
        shown,
        String(filter),
      );
    }
  });

  test('passes an access that is only partly in its range, and accesses that no device answers', () => {
    assert.ok(passes('port=0x3f8', [io, 0x3f6, 4, 0n, 0]));
    assert.ok(!passes('port=0x3f8', [io, 0x3f4, 4, 0n, 0]));
    assert.ok(passes('device=nobody', [io, 0x80, 1, 0n, -1]));
    assert.ok(!passes('device=nobody', [halt, 0, 0, 0n, -1]), 'a HLT is not an unanswered access');
  });

  test('says what is wrong with one', () => {
    const wrong: [string, RegExp][] = [
      ['port', /'port' is no trace filter/],
      ['port=', /no trace filter/],
      ['port=0x60,', /no trace filter/],
      ['colour=red', /an exit has no field 'colour'/],
      ['port=x', /'x' is not a number or range/],
      ['port=0x64-0x60', /ends before it begins/],
      ['port=0x10000', /reaches past 0xffff/],
      ['rip=0x10000000000000000', /reaches past/],
      ['kind=iO', /'kind=iO': no exit is of this kind/],
      ['kind=halt port=0x60', /no exit of kind halt has a port/],
      ['kind=io address=0xa0000', /no exit of kind io has an address/],
    ];
    for (const [text, message] of wrong) {
      assert.throws(() => parseTraceFilter([text]), { code: 'EFILTER', message }, text);
    }
    assert.throws(() => exitTest(parseTraceFilter(['device=disk']), names), {
      code: 'EFILTER',
      message: /no such device/,
      hint: /serial, vga/,
    });
  });
});
