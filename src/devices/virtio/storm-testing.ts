/**
 * A hostile driver: random accesses to a device's registers, and random contents of its rings, close enough to valid
 * ones that they get far. For tests; not part of the package.
 *
 * @module
 */
import type { AccessSize } from '../contract/index.js';
import { Feature, Status } from './constants.js';
import { type Bench, MockDriver, RAM, ROM } from './testing.js';

type Random = () => number;

/** The places of rings and buffers: few, so that they overlap. */
const PLACES = [0, 0x1000, 0x2000, 0x3000, 0x8000, RAM - 4096, RAM - 16, RAM, ROM, ROM + 4080, 0xe000_0000];
const COMMON_OFFSETS = [0, 4, 8, 12, 16, 18, 20, 21, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 52, 56, 58];
const SIZES = [0, 1, 2, 4, 8, 16, 64, 256, 512, 32768, 65535, 3, 7];

const pick = <T>(from: readonly T[], random: Random): T => from[random() % from.length]!;

const somewhere = (random: Random) => {
  const place = pick(PLACES, random) + (random() % 2 ? 0 : (random() % 64) * 16);
  return random() % 16 === 0 ? place + (random() % 16) : place;
};

/** A value that a register could have. */
function value(random: Random): number {
  switch (random() % 6) {
    case 0:
      return random() % 4;
    case 1:
      return pick(SIZES, random);
    case 2:
      return somewhere(random);
    case 3:
      return pick([1, 2, 3, 8, 11, 15, 0x40, 0x80, 0xff, 0xffff, 0xffff_ffff], random);
    default:
      return random();
  }
}

/** Initializes up to DRIVER_OK, as a driver should, with random features. */
function settle(bench: Bench, random: Random): void {
  const features: number[] = [];
  for (const word of [0, 1]) {
    bench.write(0, 4, word);
    const offered = bench.read(4, 4);
    for (let bit = 0; bit < 32; bit++)
      if ((offered >>> bit) & 1 && random() % 4 !== 0) features.push(32 * word + bit);
  }
  const unpacked = random() % 2 ? features : features.filter((bit) => bit !== Feature.packed);
  const driver = new MockDriver(bench, { features: unpacked, size: pick([1, 2, 4, 8], random) });
  const queues = bench.read(18, 2);
  driver.start(...Array.from({ length: Math.min(queues, 6) }, (_, index) => index));
}

/** Writes valid and invalid values into a queue's parts. */
function scribble(bench: Bench, random: Random): void {
  const { memory } = bench;
  bench.write(22, 2, random() % 4);
  const [descriptors, driver] = [bench.read(32, 4), bench.read(40, 4)];
  const size = Math.max(1, bench.read(24, 2));
  const at = descriptors + 16 * (random() % Math.min(size, 64));
  if (memory.contains(at, 16)) {
    memory.write64(at, random() % 32 === 0 ? 0xffff_ffff_ffff_fff0n : BigInt(somewhere(random)));
    memory.write32(at + 8, pick([0, 1, 12, 16, 17, 32, 64, 512, 513, 4096, RAM, 0xffff_ffff], random));
    const flags = pick([0, 1, 2, 3, 4, 5, 6, 0x80, 0x81, 0x82, 0x83, 0x84, 0x8000, 0x8080], random);
    // The other format has them at other places.
    memory.write16(at + 12, random() % 2 ? flags : random() % size);
    memory.write16(at + 14, random() % 2 ? random() % (size + 1) : flags);
  }
  if (!memory.contains(driver, 6 + 2 * size)) return;
  const index = memory.read16(driver + 2);
  memory.write16(driver + 4 + 2 * (index % size), random() % (size + 2));
  memory.write16(driver + 2, random() % 8 === 0 ? random() & 0xffff : (index + (random() % 3)) & 0xffff);
  memory.write16(driver, random() % 2);
}

/** One action of a hostile guest. Returns the result that it sees. */
export function storm(bench: Bench, random: Random): number {
  bench.clock.moment += random() % 1_000_000;
  switch (random() % 8) {
    case 0:
    case 1:
      scribble(bench, random);
      return 0;
    case 2:
    case 3: {
      for (let n = 0; n < 4; n++) bench.write(0x3000 + 4 * n, 2, n);
      return 0;
    }
    case 4: {
      if (random() % 4 !== 0) return bench.read(20, 1);
      settle(bench, random);
      return 0;
    }
    case 5: {
      bench.clock.ring();
      bench.inputs.look();
      return 0;
    }
    default:
      return access(bench, random);
  }
}

function access(bench: Bench, random: Random): number {
  const size = pick([1, 2, 4] as const, random) as AccessSize;
  const common = random() % 2 ? pick(COMMON_OFFSETS, random) : random() % 64;
  const offset = random() % 4 === 0 ? random() % 0x4000 : common;
  if (random() % 2) {
    const answer = bench.read(offset, size);
    if (Number.isInteger(answer) && answer >= 0 && answer < 2 ** (8 * size)) return answer;
    throw new Error(`${answer} at ${offset} for ${size} bytes`);
  }
  // The bus master bit, and accesses through the configuration space.
  if (random() % 16 === 0)
    bench.pci.config.write(random() % 16 ? 0x40 + (random() % 0xc0) : 4, size, random());
  else bench.write(offset, size, value(random) % 2 ** (8 * size));
  return 0;
}

/** Resets a device and hands it to a correct driver. */
export function recover(bench: Bench, features: readonly number[] = []): MockDriver {
  bench.pci.config.write(4, 2, 6);
  const driver = new MockDriver(bench, { features });
  if (!(driver.status & Status.featuresOk)) throw new Error('the device does not come back');
  return driver;
}
