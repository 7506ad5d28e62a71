/** Every guest of guests/ does on the software CPU what its guest.json promises, unchanged. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImage } from '../src/boot/index.js';
import { createMachine, engineByName } from '../src/host/index.js';
import { readGuestImage, readGuests, typist, unmetExpectations } from './guests/catalogue.js';
import { terrarium } from './support.js';

const guests = readGuests();

describe('guests on the software CPU', () => {
  for (const guest of guests) {
    test(`${guest.name}: ${guest.summary}`, () => {
      let console = '';
      const input = [...Buffer.from(guest.input ?? '')];
      const ports: Record<string, number[]> = {};
      for (const port of Object.keys(guest.expect.ports ?? {})) ports[port] = [];
      const watch = {
        name: 'watch',
        ports: Object.keys(ports).map((port) => ({ first: Number(port), count: 1 })),
        writePort: (port: number, _size: number, value: number) => {
          for (const [name, seen] of Object.entries(ports)) if (Number(name) === port) seen.push(value);
        },
      };
      using machine = createMachine({
        engine: 'soft',
        image: parseImage(readGuestImage(guest), guest.image),
        memory: guest.memory,
        mode: guest.mode,
        ...(guest.regions !== undefined && { regions: guest.regions }),
        ...(guest.simvirtio !== undefined && { simvirtio: guest.simvirtio }),
        ...(guest.load !== undefined && { load: guest.load }),
        ...(guest.irqchip !== undefined && { irqchip: guest.irqchip }),
        ...(guest.vga !== undefined && { vga: guest.vga }),
        input: {
          get available() {
            return input.length > 0;
          },
          read: () => input.shift() ?? -1,
        },
        ...(guest.keys !== undefined && { keys: { source: typist(guest.keys) } }),
        devices: [watch],
        output: (chunk) => {
          console += Buffer.from(chunk).toString('latin1');
        },
      });
      // A guest that never ends need not run for all its time.
      const endless = guest.expect.outcome === 'timeout';
      const outcome = machine.run({ timeoutMs: endless ? 100 : 5000 });
      assert.equal(outcome.engine, 'soft');
      const { registers, exits, coalesced } = outcome;
      const seen = { console, registers, memory: machine.memory, ports, outcome: outcome.kind };
      assert.deepEqual(unmetExpectations(guest, { ...seen, exits: exits + coalesced }), []);
    });
  }

  test('the command line takes --engine soft', () => {
    const ran = terrarium(['run', 'guests/khw-real', '--engine', 'soft']);
    assert.equal(ran.stdout, 'Hello, world!\n');
    assert.equal(ran.status, 0);
    assert.equal(engineByName('soft'), engineByName('soft'));
  });
});
