/** Claims that come, move and go, against a model that looks at each claim for each address. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Device } from '../../devices/contract/index.js';
import { exitRecord } from '../../trace/testing.js';
import type { AddressSpace } from './address-space.js';
import { Bus } from './bus.js';
import type { BusClaim } from './claim.js';

const device = (name: string, more: Partial<Device> = {}): Device => ({ name, ...more });

/** Who answers at `address`: of the held claims that have it, the one with the highest priority. */
function answers(claims: readonly BusClaim[], address: number): BusClaim | undefined {
  return claims
    .filter((claim) => claim.isHeld && address >= claim.address && address < claim.address + claim.size)
    .sort((a, b) => b.priority - a.priority)[0];
}

function agree(space: AddressSpace, claims: readonly BusClaim[], addresses: readonly number[]): void {
  for (const address of addresses) assert.equal(space.find(address), answers(claims, address));
  for (const [i, { first, last, claim }] of space.segments.entries()) {
    assert.ok(first <= last && first >= claim.address && last <= claim.last);
    assert.ok(i === 0 || space.segments[i - 1]!.last < first, 'segments are sorted and do not overlap');
  }
  for (const claim of claims) {
    const all = Array.from({ length: claim.size }, (_, i) => answers(claims, claim.address + i));
    assert.equal(
      space.isWhole(claim),
      claim.isHeld && all.every((one) => one === claim),
      'a claim is whole where it answers at each of its addresses',
    );
  }
}

const range = fc.record({ first: fc.nat(40), count: fc.integer({ min: 1, max: 12 }), priority: fc.nat(2) });
const change = fc.record({ which: fc.nat(7), do: fc.constantFrom('move', 'release'), to: fc.nat(45) });

describe('claims', () => {
  test('that are made, moved and released at random answer as a model says, or are refused', () => {
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 8 }),
        fc.array(change, { maxLength: 30 }),
        (ranges, changes) => {
          const bus = new Bus();
          const claims: BusClaim[] = [];
          const addresses = Array.from({ length: 60 }, (_, i) => i);
          const clashes = (claim: { priority: number; size: number }, at: number, but?: BusClaim) =>
            claims.some(
              (other) =>
                other !== but &&
                other.isHeld &&
                other.priority === claim.priority &&
                at <= other.last &&
                other.address < at + claim.size,
            );
          for (const [i, one] of ranges.entries()) {
            const make = () => bus.claim(device(`device ${i}`), i, one);
            if (clashes({ priority: one.priority, size: one.count }, one.first))
              assert.throws(make, new RegExp(`'device \\d' and 'device ${i}' both claim port 0x`));
            else claims.push(make());
            agree(bus.ports, claims, addresses);
          }
          for (const { which, do: what, to } of changes) {
            const claim = claims[which];
            if (claim === undefined) continue;
            if (what === 'release') {
              claim.release();
              assert.equal(claim.isHeld, false);
            } else if (clashes(claim, to, claim)) {
              const before = [claim.address, claim.isHeld];
              assert.throws(() => claim.move(to), /both claim/);
              assert.deepEqual([claim.address, claim.isHeld], before, 'a refused move changes nothing');
            } else {
              claim.move(to);
              assert.deepEqual([claim.address, claim.isHeld], [to, true]);
            }
            agree(bus.ports, claims, addresses);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('are found again after a move, though the last lookup is remembered', () => {
    const bus = new Bus();
    const claim = bus.claim(device('a'), 0, { address: 0x1000, size: 0x1000 });
    assert.equal(bus.memory.find(0x1800), claim);
    claim.move(0x5000);
    assert.equal(bus.memory.find(0x1800), undefined);
    assert.equal(bus.memory.find(0x5800), claim);
    claim.release();
    assert.equal(bus.memory.find(0x5800), undefined);
  });

  test('reach to the last port and the last address, and no further', () => {
    const bus = new Bus();
    const top = 2 ** 52;
    const [port, memory] = [
      bus.claim(device('a'), 0, { first: 0xffff, count: 1 }),
      bus.claim(device('b'), 1, { address: top - 4096, size: 4096 }),
    ];
    assert.equal(bus.ports.find(0xffff), port);
    assert.equal(bus.memory.find(top - 1), memory);
    assert.throws(() => port.move(0x10000), /claims 1 port addresses from 65536/);
    assert.throws(() => memory.move(top - 4095), /claims 4096 memory addresses/);
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53])
      assert.throws(() => memory.move(bad), { code: 'ECONFIG' });
    assert.equal(bus.memory.find(top - 1), memory);
  });

  test('at the top of the ports share an access that wraps around to port 0', () => {
    const seen: string[] = [];
    const listener = (name: string): Device => ({
      name,
      writePort: (at, size, value) => void seen.push(`${name} ${at.toString(16)} ${size} ${value}`),
    });
    const bus = new Bus();
    const high = bus.claim(listener('high'), 0, { first: 0xffff, count: 1, width: 1 });
    bus.claim(listener('low'), 1, { first: 0, count: 1, width: 1 });
    const write = () => bus.handlePort(exitRecord({ address: 0xffff, size: 2, write: true, bytes: [7, 9] }));
    assert.equal(write(), 0);
    high.move(0x10);
    assert.equal(write(), -1);
    assert.deepEqual(
      seen,
      ['high ffff 1 7', 'low 0 1 9'],
      'nothing takes an access that begins at no claim apart',
    );
  });

  test('of a device that moves away as it is asked: the exit is still its own', () => {
    const bus = new Bus();
    const claim = bus.claim(device('a', { writePort: () => claim.release() }), 3, { first: 5, count: 1 });
    const exit = exitRecord({ address: 5, write: true, count: 2, bytes: [1, 2] });
    assert.equal(bus.handlePort(exit), 3);
    assert.deepEqual(bus.unclaimed, [{ space: 'port', address: 5, write: true, count: 1 }]);
  });

  test('that begin hidden answer once they are moved', () => {
    const bus = new Bus();
    const bar = { address: 0, size: 4096, hidden: true };
    const owner = device('a', { memory: [bar] });
    bus.add(owner, 0);
    const claim = bus.claimOf(owner, bar)!;
    assert.deepEqual([claim.isHeld, bus.memory.find(0)], [false, undefined]);
    claim.move(0xe000_0000);
    assert.equal(bus.memory.find(0xe000_0fff), claim);
  });
});
