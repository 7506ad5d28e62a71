/**
 * The cost of each way to access a device: ports, holes in memory, read-only memory, exits and coalesced writes.
 *
 * @module
 */
import { parseImage } from '../../../../boot/index.js';
import type { EngineName } from '../../../../config/index.js';
import type { Device } from '../../../../devices/contract/index.js';
import { Machine } from '../../../../machine/index.js';
import { engineByName } from '../../../../runtime/index.js';

/** A way to access a device. */
export interface Access {
  /** The name of the C control's loop, where there is one (`bench/floor.c`). */
  id: 'out' | 'in' | 'mmio-write' | 'mmio-read' | 'ro-write' | 'ro-read';
  name: string;
  coalesced: boolean;
}

export const accesses: readonly Access[] = [
  { id: 'out', name: 'port, OUT', coalesced: false },
  { id: 'in', name: 'port, IN', coalesced: false },
  { id: 'mmio-write', name: 'hole, write', coalesced: false },
  { id: 'mmio-read', name: 'hole, read', coalesced: false },
  { id: 'ro-write', name: 'read-only memory, write', coalesced: false },
  { id: 'ro-read', name: 'read-only memory, read', coalesced: false },
  { id: 'out', name: 'port, OUT, coalesced', coalesced: true },
  { id: 'mmio-write', name: 'hole, write, coalesced', coalesced: true },
  { id: 'ro-write', name: 'read-only memory, write, coalesced', coalesced: true },
];

export interface IoCost {
  name: string;
  accesses: number;
  /** The guest's exits to the monitor, without its HLT. */
  exits: number;
  nanoseconds: number;
  perSecond: number;
}

/** 32 MiB: above the RAM of a 16 MiB guest, where the course's slides put their MMIO page. */
const ADDRESS = 0x2000000;
const PAGE = 4096;
const PORT = 0x80;

/** One register at a port and one in memory; the page may be a hole or memory that only the device can write. */
class Register implements Device {
  readonly name = 'register';
  readonly ports;
  readonly memory;
  writes = 0;

  constructor({ id, coalesced: coalesce }: Access) {
    const backing = id.startsWith('ro-') ? { backing: 'ram' as const } : {};
    this.ports = [{ first: PORT, count: 1, coalesce }];
    this.memory = [{ address: ADDRESS, size: PAGE, coalesce, ...backing }];
  }
  readPort(): number {
    return 0x42;
  }
  writePort(): void {
    this.writes++;
  }
  readMemory(): number {
    return 0x42;
  }
  writeMemory(): void {
    this.writes++;
  }
}

/** What the guest does: mov $count,%cx; 1: the access; loop 1b; hlt. In real mode, with a data segment at the page. */
function loop(id: Access['id'], count: number): Uint8Array {
  const access = {
    out: [0xe6, PORT],
    in: [0xe4, PORT],
    'mmio-write': [0xa2, 0, 0],
    'mmio-read': [0xa0, 0, 0],
    'ro-write': [0xa2, 0, 0],
    'ro-read': [0xa0, 0, 0],
  }[id];
  return new Uint8Array([0xb9, count & 0xff, count >> 8, ...access, 0xe2, 0xfe - access.length, 0xf4]);
}

/** Lets a guest do `count` accesses, 65,535 at most. */
export function measureAccess(access: Access, count: number, engine: EngineName = 'auto'): IoCost {
  const register = new Register(access);
  using machine = new Machine({
    engine: engineByName(engine),
    image: parseImage(loop(access.id, count), access.name),
    mode: 'real',
    devices: [register],
  });
  const system = machine.cpu.getSystemRegisters();
  system.ds.base = BigInt(ADDRESS);
  machine.cpu.setSystemRegisters(system);
  const outcome = machine.run({ timeoutMs: 60_000 });
  const expected = access.id.endsWith('write') || access.id === 'out' ? count : 0;
  if (outcome.kind !== 'halted' || register.writes !== expected) {
    throw new Error(`${access.name}: ${outcome.reason}, ${register.writes} of ${expected} writes arrived`);
  }
  const nanoseconds = (outcome.elapsedMs * 1e6) / count;
  return {
    name: access.name,
    accesses: count,
    exits: outcome.exits - 1,
    nanoseconds,
    perSecond: 1e9 / nanoseconds,
  };
}

/** Measures every way `rounds` times, alternately; returns the run with the median time of each. */
export function measureIo(count: number, rounds: number, engine: EngineName = 'auto'): IoCost[] {
  const runs = accesses.map((): IoCost[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, access] of accesses.entries()) runs[i]!.push(measureAccess(access, count, engine));
  }
  return runs.map((costs) => costs.sort((a, b) => a.nanoseconds - b.nanoseconds)[rounds >> 1]!);
}
