/**
 * Runs one guest to its end, in any JavaScript engine: the results of Node and a browser are compared.
 *
 * @module
 */
import type * as Terrarium from '../../src/browser/index.js';

/** A guest and its needs, in a form that can be sent to a page. */
export interface GuestToRun {
  name: string;
  image: number[];
  mode: Terrarium.Mode;
  memory: number;
  load?: number;
  input?: string;
  /** The guest needs a PC's interrupt controllers and timer. */
  interrupts?: boolean;
}

/** The outcome: everything that must be the same in all JavaScript engines. */
export interface GuestResult {
  console: string;
  outcome: string;
  exits: number;
  instructions: string;
  registers: Record<string, string>;
  /** SHA-256 of its RAM. */
  ram: string;
}

export async function runGuest(
  terrarium: typeof Terrarium,
  engine: Terrarium.SoftEngine,
  { name, image, mode, memory, load, input = '', interrupts = false }: GuestToRun,
): Promise<GuestResult> {
  let console = '';
  const bytes = [...new TextEncoder().encode(input)];
  let asked = 0n;
  // Time advances by a microsecond with each read, and nothing is random: the same in both.
  const clock = {
    unix: () => 1_800_000_000_000_000_000n + ++asked * 1000n,
    monotonic: () => ++asked * 1000n,
  };
  const random = (target: Uint8Array) => target.fill(42);
  const devices = terrarium.standardDevices({
    hypercalls: { clock, random },
    output: (chunk) => {
      for (const byte of chunk) console += String.fromCharCode(byte);
    },
    input: {
      get available() {
        return bytes.length > 0;
      },
      read: () => bytes.shift() ?? -1,
    },
  });
  if (interrupts) devices.push(new terrarium.Pic8259(), new terrarium.Pit8254());
  const machine = new terrarium.Machine({
    engine,
    image: terrarium.parseImage(Uint8Array.from(image), name),
    mode,
    memory,
    devices,
    ...(load !== undefined && { load }),
  });
  const { kind, reason, exits, registers } = machine.run({ timeoutMs: 60_000 });
  const ram = await crypto.subtle.digest('SHA-256', machine.memory.readBytes(0, memory).slice());
  const result = {
    console,
    outcome: `${kind}: ${reason}`,
    exits,
    instructions: String((machine.cpu as Terrarium.SoftCpu).instructions),
    registers: Object.fromEntries(Object.entries(registers).map(([key, value]) => [key, value.toString(16)])),
    ram: [...new Uint8Array(ram)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
  machine[Symbol.dispose]();
  return result;
}
