import type { HypercallClocks, HypercallOptions } from '../devices/index.js';
import type { Engine } from '../engine/contract/index.js';
import type { ClockName, Machine } from '../machine/index.js';

/** `getRandomValues` refuses more at once (Web Crypto, 10.1.1). */
const MOST_RANDOM = 65536;

const clock: HypercallClocks = {
  unix: () => nanoseconds(performance.timeOrigin) + nanoseconds(performance.now()),
  monotonic: () => nanoseconds(performance.now()),
};

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

type Services = Required<Pick<HypercallOptions, 'clock' | 'random'>>;

/** The host's own time and randomness. */
const ofHost: Services = {
  clock,
  random(bytes) {
    for (let at = 0; at < bytes.length; at += MOST_RANDOM)
      crypto.getRandomValues(bytes.subarray(at, at + MOST_RANDOM));
  },
};

/** What a machine that goes by its CPU's clock takes for the time of its making: 2026-01-01 00:00 UTC. */
const EPOCH_MS = Date.UTC(2026, 0, 1);

/** What a clock with a calendar shows when a machine is made, in milliseconds since 1970. */
export function startOfTime({ capabilities }: Engine, clock: ClockName | undefined): number {
  return capabilities.instructionClock && clock !== 'wall' ? EPOCH_MS : Date.now();
}

/** Time and randomness that repeat: the machine's clock, and numbers that follow from a seed. */
function ofMachine(machine: Pick<Machine, 'now'>, seed: number): Services {
  const next = sfc32(seed);
  return {
    clock: {
      unix: () => nanoseconds(EPOCH_MS) + nanoseconds(machine.now()),
      monotonic: () => nanoseconds(machine.now()),
    },
    random(bytes) {
      for (let at = 0; at < bytes.length; at++) bytes[at] = next();
    },
  };
}

/**
 * What hypercalls of machines that say nothing else have for time and randomness: the host's, or what repeats from run to
 * run where the machine goes by its CPU's clock. `machine` is asked at the first call.
 */
export function servicesOf(machine: () => Machine, seed = 0): Services {
  let services: Services | undefined;
  const chosen = (): Services => {
    services ??= machine().clock === undefined ? ofHost : ofMachine(machine(), seed);
    return services;
  };
  return {
    clock: { unix: () => chosen().clock.unix(), monotonic: () => chosen().clock.monotonic() },
    random: (bytes) => chosen().random(bytes),
  };
}

/** Doty-Humphrey's small fast counting generator with 32-bit words: evenly spread numbers, and no secret. */
function sfc32(seed: number): () => number {
  let a = seed | 0;
  let b = Math.floor(seed / 0x1_0000_0000) | 0;
  let c = 0;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum & 0xff;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}
