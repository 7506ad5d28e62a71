import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine } from '../machine/index.js';
import { servicesOf } from './services.js';

/** A machine that goes by its CPU's clock, or by wall time. */
const machine = (counts: boolean) =>
  ({ clock: counts ? {} : undefined, now: () => 1.5 }) as unknown as Machine;
const bytes = (services: ReturnType<typeof servicesOf>, count = 16) => {
  const filled = new Uint8Array(count);
  services.random(filled);
  return Buffer.from(filled).toString('hex');
};

describe('time and randomness of hypercalls', () => {
  test('follow from the machine’s clock and a seed where the CPU has a clock of its own', () => {
    const services = servicesOf(() => machine(true));
    assert.equal(services.clock.monotonic(), 1_500_000n);
    assert.equal(services.clock.unix(), BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n + 1_500_000n);
    const again = servicesOf(() => machine(true));
    assert.equal(bytes(services), bytes(again));
    assert.notEqual(bytes(services), bytes(servicesOf(() => machine(true))), 'they go on');
    assert.notEqual(bytes(servicesOf(() => machine(true), 1)), bytes(servicesOf(() => machine(true), 2)));
    assert.notEqual(
      bytes(servicesOf(() => machine(true), 1)),
      bytes(servicesOf(() => machine(true), 2 ** 32 + 1)),
    );
  });

  test('random numbers are spread evenly', () => {
    const counts = new Uint32Array(256);
    const filled = new Uint8Array(256 * 1000);
    servicesOf(() => machine(true)).random(filled);
    for (const byte of filled) counts[byte]!++;
    // Chi squared with 255 degrees of freedom: 99.9 % lie below 330.
    const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chi > 180 && chi < 330, `chi squared is ${chi}`);
  });

  test('are the host’s where the machine goes by wall time', () => {
    const services = servicesOf(() => machine(false));
    assert.ok(Math.abs(Number(services.clock.unix() / 1_000_000n) - Date.now()) < 1000);
    assert.notEqual(bytes(services), bytes(servicesOf(() => machine(false))));
  });
});
