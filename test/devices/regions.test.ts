/** Memory other than RAM: holes, read-only regions, and devices in them; on the real CPU. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../../src/boot/index.js';
import type { AccessSize, Device, DeviceHost } from '../../src/devices/contract/index.js';
import { createMachine, hostMachine } from '../../src/runtime/index.js';
import { noKvm, terrarium } from '../support.js';

const PAGE = 0x2000000;

/** A counter in its own page: a write adds to it, a read costs no exit. */
class Counter implements Device {
  readonly name = 'counter';
  readonly memory;
  host!: DeviceHost;
  reads = 0;
  writes: [number, AccessSize, number][] = [];
  constructor(size = 4096, coalesce = false) {
    this.memory = [{ address: PAGE, size, backing: 'ram' as const, coalesce }];
  }
  attach(host: DeviceHost): void {
    this.host = host;
    host.memory.write32(PAGE, 100);
  }
  readMemory(): number {
    this.reads++;
    return 0;
  }
  writeMemory(address: number, size: AccessSize, value: number): void {
    this.writes.push([address - PAGE, size, value]);
    this.host.memory.write32(PAGE, this.host.memory.read32(PAGE) + value);
  }
}

/** mov $PAGE,%esi; movl $7,(%rsi); mov (%rsi),%eax; movb $1,0xfff(%rsi); mov (%rsi),%ebx; hlt, in 64 bits. */
const guest = [
  0xbe, 0x00, 0x00, 0x00, 0x02, 0xc7, 0x06, 0x07, 0x00, 0x00, 0x00, 0x8b, 0x06, 0xc6, 0x86, 0xff, 0x0f, 0x00,
  0x00, 0x01, 0x8b, 0x1e, 0xf4,
];
const image = parseImage(new Uint8Array(guest), 'guest');

describe('a device with memory of its own', { skip: noKvm }, () => {
  for (const coalesce of [false, true]) {
    test(`is read without an exit and written with one${coalesce ? ', which may be coalesced' : ''}`, () => {
      const counter = new Counter(4096, coalesce);
      using machine = createMachine({ image, mode: 'long', devices: [counter] });
      const outcome = machine.run({ timeoutMs: 60_000 });
      assert.equal(outcome.kind, 'halted', outcome.reason);
      assert.deepEqual(counter.writes, [
        [0, 4, 7],
        [0xfff, 1, 1],
      ]);
      assert.equal(counter.reads, 0);
      assert.equal(outcome.exits + outcome.coalesced, 3, 'two writes and HLT');
      if (!coalesce) assert.deepEqual([outcome.registers.rax, outcome.registers.rbx], [107n, 108n]);
      assert.deepEqual(outcome.unclaimed, []);
    });
  }

  test('gets whole pages that nothing else uses, or the machine reports an error', () => {
    const make = (size: number, regions: { address: number; size: number }[] = []) =>
      createMachine({ image, mode: 'long', devices: [new Counter(size)], regions });
    assert.throws(() => make(100), {
      code: 'EMEMORY',
      message: /0x2000000 of 100 bytes does not start and end/,
    });
    assert.throws(() => make(4096, [{ address: PAGE, size: 8192 }]), /overlaps/);
  });
});

describe('regions', { skip: noKvm }, () => {
  const ending = async (regions: { address: number; size: number; readOnly?: boolean }[]) => {
    await using machine = await hostMachine({ image, mode: 'long', regions });
    const { kind, exits, registers, unclaimed } = await machine.run({ timeoutMs: 60_000 });
    return {
      kind,
      exits,
      rax: registers.rax,
      unclaimed: unclaimed.map(({ write }) => (write ? 'w' : 'r')).join(''),
    };
  };

  test('are RAM, read-only, or holes, and only holes and writes to read-only ones cause exits', async () => {
    const halted = { kind: 'halted' };
    const ram = [{ address: PAGE, size: 4096 }];
    assert.deepEqual(await ending(ram), { ...halted, exits: 1, rax: 7n, unclaimed: '' });
    const rom = [{ address: PAGE, size: 4096, readOnly: true }];
    assert.deepEqual(await ending(rom), { ...halted, exits: 3, rax: 0n, unclaimed: 'ww' });
    assert.deepEqual(await ending([]), { ...halted, exits: 5, rax: 0xffff_ffffn, unclaimed: 'wrw' });
    const several = [
      ...rom,
      { address: 2 * PAGE, size: 4096, readOnly: true },
      { address: 3 * PAGE, size: 8192 },
    ];
    assert.deepEqual(await ending(several), { ...halted, exits: 3, rax: 0n, unclaimed: 'ww' });
  });

  test('come from --region, which has priority over the guest folder', () => {
    const as = (...args: string[]) => terrarium(['run', 'guests/pmio-mmio', ...args]);
    assert.match(as().stderr, /after 166 exits/);
    assert.match(as('--region', '32M:4K').stderr, /after 165 exits/);
    assert.match(as('--region', '0x2000000:0x1000:ro', '--region', '48M:64K').stderr, /after 164 exits/);
  });

  test('are refused with a message where they are invalid', () => {
    for (const [region, message] of [
      ['32M', /'32M' is not a region. Write it as ADDRESS:SIZE/],
      ['32M:4K:rw', /is not a region/],
      ['32M:4K:ro:ro', /is not a region/],
      ['x:4K', /'x' is not a size/],
      ['32M:5000', /5000 bytes does not start and end on a page/],
      ['1M:4K', /overlaps the one at 0x0/],
      ['32M:0', /size of 0 bytes/],
    ] as const) {
      const { status, stderr } = terrarium(['run', 'guests/hello', '--region', region]);
      assert.equal(status, 2, region);
      assert.match(stderr, message);
    }
  });
});
