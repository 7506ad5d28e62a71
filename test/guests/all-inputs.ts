/** The guest that reads all kinds of inputs (all-inputs.S), on equal machines with different inputs. */
import { createHash } from 'node:crypto';
import { parseImage } from '../../src/boot/index.js';
import type { KeyEvent } from '../../src/devices/index.js';
import type { Machine } from '../../src/machine/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { compileTestGuest } from './catalogue.js';

const MEMORY = 0x10000;

/** A source like a person or a line: it has a value at random looks, one in this many, as its generator decides. */
export function source<T>(chance: () => boolean, next: () => T, limit: number) {
  let left = limit;
  return {
    get available() {
      return left > 0 && chance();
    },
    read(): T {
      left--;
      return next();
    },
  };
}

/** Keys and bytes at random times. */
export function somebody(random: () => number): Pick<MachineOptions, 'input' | 'keys'> {
  const keys: KeyEvent[] = [];
  const chance = (one: number) => () => random() < 1 / one;
  return {
    input: source(chance(3), () => Math.floor(random() * 256), 400),
    keys: {
      source: source(
        chance(2),
        () => {
          if (keys.length === 0) for (const down of [true, false]) keys.push({ name: 'KeyA', down });
          return keys.shift()!;
        },
        100,
      ),
    },
  };
}

let program: Uint8Array | undefined;

/** @param way chooses one of 65,535 paths through the guest */
export function allInputs(config: Partial<MachineOptions> = {}, way = 0xace1): Machine {
  program ??= compileTestGuest('all-inputs', 'real');
  const bytes = Buffer.from(program);
  // mov $0xACE1, %bx
  const at = bytes.indexOf(Buffer.from([0xbb, 0xe1, 0xac]));
  if (at < 0) throw new Error('the guest has another generator');
  bytes.writeUInt16LE(way, at + 1);
  const image = parseImage(bytes, 'all-inputs');
  return createMachine({ engine: 'soft', image, mode: 'real', memory: MEMORY, ...config });
}

/** All of RAM and all registers, as one hash. */
export function hashOf({ memory, cpu }: Machine): string {
  const text = JSON.stringify([cpu.getRegisters(), cpu.getSystemRegisters()], (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return createHash('sha256').update(memory.readBytes(0, memory.regions[0]!.size)).update(text).digest('hex');
}

/** How often the guest recorded each kind. */
export function notesOf(machine: Machine): Record<string, number> {
  const notes: Record<string, number> = {};
  for (let at = 0x8000; at < MEMORY; at += 4) {
    const kind = String.fromCharCode(machine.memory.read8(at + 1));
    if (kind !== '\0') notes[kind] = (notes[kind] ?? 0) + 1;
  }
  return notes;
}
