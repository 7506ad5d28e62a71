/** The cost of one exit, from the guest's instruction through the device and back. */

import { parseImage } from '../src/boot/index.js';
import type { Device } from '../src/devices/contract/index.js';
import { kvmEngine } from '../src/engine/kvm/index.js';
import { Machine } from '../src/machine/index.js';
import { type Floor, inTurns, type Row } from './measure.js';

/** The loops of `floor.c`, byte for byte. */
const loops = {
  out: { code: [0xe6, 0x80, 0xeb, 0xfc], goal: 1.08 },
  in: { code: [0xe4, 0x80, 0xeb, 0xfc], goal: 1.08 },
  'mmio-read': { code: [0xa0, 0x00, 0x00, 0xeb, 0xfb], goal: 1.12 },
  'mmio-write': { code: [0xa2, 0x00, 0x00, 0xeb, 0xfb], goal: 1.12 },
} as const;

const MMIO = 0x2000000;
const EXITS = 20_000;
const PAIRS = 9;

/** A device of one register, at a port and in memory. */
class Register implements Device {
  readonly name = 'register';
  readonly ports = [{ first: 0x80, count: 1 }];
  readonly memory = [{ address: MMIO, size: 4096 }];
  sum = 0;
  readPort(): number {
    return 0x42;
  }
  writePort(_port: number, _size: number, value: number): void {
    this.sum += value;
  }
  readMemory(): number {
    return 0x42;
  }
  writeMemory(_address: number, _size: number, value: number): void {
    this.sum += value;
  }
}

export function benchExits(floor: Floor): Row[] {
  return Object.entries(loops).map(([kind, { code, goal }]) => {
    const image = parseImage(new Uint8Array(code), kind);
    using machine = new Machine({ engine: kvmEngine(), image, mode: 'real', devices: [new Register()] });
    // As in floor.c: a data segment whose base is after RAM.
    const system = machine.cpu.getSystemRegisters();
    system.ds.base = BigInt(MMIO);
    machine.cpu.setSystemRegisters(system);
    machine.run({ maxExits: EXITS / 10 });
    const ours = () => (machine.run({ maxExits: EXITS }).elapsedMs * 1000) / EXITS;
    const { terrarium, control, ratio } = inTurns(PAIRS, ours, () => floor.run('exits', kind, EXITS) / 1000);
    return {
      name: `exit: ${kind}`,
      unit: 'µs an exit',
      terrarium,
      control: { name: 'C', value: control },
      ratio,
      goal: `ratio ≤ ${goal}`,
      holds: ratio <= goal,
    };
  });
}
