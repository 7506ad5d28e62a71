/** Every guest of guests/ does on the real CPU what its guest.json promises: console, registers, memory, exits. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../src/boot/index.js';
import type { ByteSource, Device } from '../src/devices/contract.js';
import { EngineLimit } from '../src/engine/kvm/index.js';
import { createMachine } from '../src/host/index.js';
import {
  type GuestFile,
  noCompiler,
  readGuestImage,
  readGuests,
  rebuildGuest,
  typist,
  unmetExpectations,
} from './guests/catalogue.js';
import { noKvm } from './support.js';

/** Writes down the bytes that a guest sends to the ports its guest.json names. */
class Watch implements Device {
  readonly name = 'watch';
  readonly ports: { first: number; count: number }[];
  readonly seen: Record<string, number[]> = {};
  constructor(ports: readonly string[]) {
    this.ports = ports.map((port) => ({ first: Number(port), count: 1 }));
    for (const port of ports) this.seen[port] = [];
  }
  writePort(port: number, _size: number, value: number): void {
    const name = Object.keys(this.seen).find((known) => Number(known) === port);
    this.seen[name!]!.push(value);
  }
}

/** A serial port's input that has all of a text at once. */
function typed(text: string): ByteSource {
  const bytes = [...Buffer.from(text)];
  return {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
}

function unmet(guest: GuestFile, bytes: Uint8Array): string[] {
  let console = '';
  const watch = new Watch(Object.keys(guest.expect.ports ?? {}));
  using machine = createMachine({
    image: parseImage(bytes, guest.image),
    memory: guest.memory,
    mode: guest.mode,
    ...(guest.regions !== undefined && { regions: guest.regions }),
    ...(guest.load !== undefined && { load: guest.load }),
    ...(guest.simvirtio !== undefined && { simvirtio: guest.simvirtio }),
    ...(guest.irqchip !== undefined && { irqchip: guest.irqchip }),
    ...(guest.vga !== undefined && { vga: guest.vga }),
    ...(guest.input !== undefined && { input: typed(guest.input) }),
    ...(guest.keys !== undefined && { keys: { source: typist(guest.keys) } }),
    devices: [watch],
    output: (chunk) => {
      console += Buffer.from(chunk).toString('latin1');
    },
  });
  const outcome = machine.run({ timeoutMs: Math.min(guest.timeoutMs ?? 10_000, 10_000) });
  if (guest.needs !== undefined && outcome.kind === 'engineError') {
    throw new EngineLimit(
      `this host's KVM lacks ${guest.needs.join(', ')}: ${outcome.reason}`,
      'docs/cpu-modes.md',
    );
  }
  const seen = { console, registers: outcome.registers, memory: machine.memory, ports: watch.seen };
  return unmetExpectations(guest, {
    ...seen,
    outcome: outcome.kind,
    exits: outcome.exits + outcome.coalesced,
  });
}

describe('the guests', { skip: noKvm }, () => {
  /** Those that need more than this host's KVM can do. */
  const refused = new Set<string>();
  for (const guest of readGuests()) {
    const check = (bytes: Uint8Array, t: { skip(reason: string): void }) => {
      try {
        assert.deepEqual(unmet(guest, bytes), []);
      } catch (error) {
        if (!(error instanceof EngineLimit) || guest.needs === undefined) throw error;
        refused.add(`${guest.name} (${guest.needs.join(', ')})`);
        t.skip(`SKIPPED: ${error.message}`);
      }
    };
    test(`${guest.name}: ${guest.summary}`, (t) => check(readGuestImage(guest), t));
    test(`${guest.name}, built anew`, { skip: noCompiler }, (t) => check(rebuildGuest(guest).bytes, t));
  }
  test('all run but those that say they need what this KVM lacks', (t) => {
    t.diagnostic(
      `${refused.size} of ${readGuests().length} guests were NOT run: ${[...refused].join('; ') || 'none'}`,
    );
  });
});
