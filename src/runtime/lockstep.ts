/**
 * A guest on two CPUs at once, from exit to exit: the first difference between them is where one of them, or the guest's notion of time, is
 * wrong.
 *
 * @module
 */
import { exitKindNames } from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import type { ExitObserver, Machine, Outcome } from '../machine/index.js';
import type { MachineOptions } from '../pc/index.js';
import { type Registers, registerNames, type SystemRegisters } from '../x86/index.js';
import { createMachine } from './create.js';

/** The two sides: the host's KVM and the software CPU; or the software CPU, interpreted and translated. */
export type LockstepName = 'engines' | 'translate';

/** A request of the guest to a device: an exit, or an element of a string exit. */
interface Request {
  readonly kind: string;
  readonly address: number;
  readonly size: number;
  /** The written value; undefined for a read. */
  readonly value: number | undefined;
}

/** One of the two sides at the first difference. */
export interface LockstepSide {
  readonly name: string;
  /** Its last request, as text. */
  readonly did: string;
  readonly registers: Registers;
  readonly system: SystemRegisters;
}

export interface LockstepReport {
  /** How often they were compared and were the same. */
  readonly steps: number;
  /** How the guest ended, on the first of them. */
  readonly outcome: Outcome;
  /** Missing where there is none. */
  readonly difference?: { readonly what: string; readonly sides: readonly [LockstepSide, LockstepSide] };
}

export interface LockstepLimits {
  readonly timeoutMs?: number | undefined;
  readonly maxExits?: number | undefined;
}

/** Instructions between two comparisons of a guest that does not exit, where they are counted. */
const SLICE = 100_000;
/** All of RAM is compared after each group of this many steps, and at the end. */
const RAM_EVERY = 512;
/** The most requests of a string instruction that wait for the other side. */
const MOST_WAITING = 1 << 20;

const machinesOf = {
  engines: [
    { name: 'kvm', with: { engine: 'kvm' } },
    { name: 'soft', with: { engine: 'soft' } },
  ],
  translate: [
    { name: 'interpreted', with: { engine: 'soft', translate: 'off' } },
    { name: 'translated', with: { engine: 'soft', translate: 'eager' } },
  ],
} as const;

class Side implements Disposable {
  readonly name: string;
  readonly machine: Machine;
  /** Requests that the other side has not made yet. */
  readonly waiting: Request[] = [];
  /** How it ended. */
  outcome: Outcome | undefined;
  /** Where it stands. */
  reached: Outcome | undefined;
  last: Request | undefined;

  constructor(name: string, options: MachineOptions) {
    this.name = name;
    this.machine = createMachine({ ...options, observer: this.#observer() });
  }

  /** Runs to the next exit. */
  advance(counts: boolean, timeoutMs: number): void {
    const outcome = this.machine.run({ maxExits: 1, timeoutMs, ...(counts && { maxInstructions: SLICE }) });
    this.reached = outcome;
    if (outcome.kind !== 'limit') this.outcome = outcome;
  }

  /** True where it has reached the other side's position, or has ended. */
  get isLevel(): boolean {
    return this.waiting.length === 0;
  }

  get side(): LockstepSide {
    const { cpu } = this.machine;
    return {
      name: this.name,
      did:
        this.outcome === undefined ? requestText(this.last) : `${this.outcome.kind}: ${this.outcome.reason}`,
      registers: cpu.getRegisters(),
      system: cpu.getSystemRegisters(),
    };
  }

  [Symbol.dispose](): void {
    this.machine[Symbol.dispose]();
  }

  #observer(): ExitObserver {
    return {
      begin() {},
      flush() {},
      record: ({ kind, address, size, count, write, data, offset }) => {
        const name = exitKindNames[kind] ?? 'unknown';
        const accesses = name === 'io' || name === 'mmio';
        for (let n = 0; n < (accesses ? count : 1); n++) {
          const at = offset + n * size;
          const value = accesses && write ? valueAt(data, at, size) : undefined;
          this.last = { kind: name, address, size, value };
          if (this.waiting.length < MOST_WAITING) this.waiting.push(this.last);
        }
      },
    };
  }
}

function valueAt(data: DataView, at: number, size: number): number {
  if (size === 1) return data.getUint8(at);
  return size === 2 ? data.getUint16(at, true) : data.getUint32(at, true);
}

function requestText(request: Request | undefined): string {
  if (request === undefined) return 'nothing yet';
  const { kind, address, size, value } = request;
  const place = `${kind} 0x${address.toString(16)}, ${size} byte${size === 1 ? '' : 's'}`;
  if (kind !== 'io' && kind !== 'mmio') return kind;
  return value === undefined ? `reads ${place}` : `writes 0x${value.toString(16)} to ${place}`;
}

/**
 * Runs a guest on two CPUs, each in a machine of its own with the same devices, until they differ or it ends. Console output is the first
 * one's.
 * @throws ConfigError where something of the description cannot be in two machines; the engine's error where it cannot run here
 */
export function runInLockstep(
  kind: LockstepName,
  options: MachineOptions,
  { timeoutMs = Number.POSITIVE_INFINITY, maxExits = Number.POSITIVE_INFINITY }: LockstepLimits = {},
): LockstepReport {
  if (options.simvirtio === 'polling')
    throw new ConfigError('SIMVIRTIO by polling has no exits to compare', 'take --simvirtio exits');
  const deadline = performance.now() + timeoutMs;
  const both = { ...options, coalesce: false };
  const { output: _, ...silent } = both;
  const [first, second] = machinesOf[kind];
  using one = new Side(first.name, { ...both, ...first.with });
  using other = new Side(second.name, { ...silent, ...second.with });
  return compare(one, other, kind === 'translate', deadline, maxExits);
}

function compare(
  one: Side,
  other: Side,
  counts: boolean,
  deadline: number,
  maxExits: number,
): LockstepReport {
  const sides = [one, other] as const;
  for (let steps = 0; ; ) {
    const left = Math.min(deadline - performance.now(), 2 ** 31);
    if (one.reached !== undefined && (left <= 0 || steps >= maxExits))
      return { steps, outcome: one.reached! };
    // The side that is behind continues; an exit of a string has several requests.
    for (const side of sides) if (side.isLevel && side.outcome === undefined) side.advance(counts, left);
    // After a timeout, they are at different positions.
    const late = sides.find(({ outcome }) => outcome?.kind === 'timeout');
    if (late !== undefined) return { steps, outcome: late.outcome! };
    const what =
      requestsDiffer(one, other) ?? (isLevel(one, other) ? stateDiffers(one, other, steps) : undefined);
    const ended = one.outcome ?? other.outcome;
    if (what !== undefined)
      return {
        steps,
        outcome: ended ?? one.reached!,
        difference: { what, sides: [one.side, other.side] },
      };
    if (isLevel(one, other)) steps++;
    if (one.outcome !== undefined && other.outcome !== undefined) return { steps, outcome: one.outcome };
  }
}

const isLevel = (one: Side, other: Side) =>
  one.isLevel && other.isLevel && (one.outcome === undefined) === (other.outcome === undefined);

/** Takes the requests away that both have made. */
function requestsDiffer(one: Side, other: Side): string | undefined {
  while (!one.isLevel && !other.isLevel) {
    const [a, b] = [one.waiting.shift()!, other.waiting.shift()!];
    const same = a.kind === b.kind && a.address === b.address && a.size === b.size && a.value === b.value;
    if (!same) return `${one.name} ${requestText(a)}, ${other.name} ${requestText(b)}`;
  }
  for (const [ended, goesOn] of [
    [one, other],
    [other, one],
  ] as const) {
    if (ended.outcome !== undefined && ended.isLevel && !goesOn.isLevel)
      return `${ended.name} has ended (${ended.outcome.reason}), and ${goesOn.name} ${requestText(goesOn.waiting[0])}`;
  }
  return undefined;
}

function stateDiffers(one: Side, other: Side, steps: number): string | undefined {
  const [a, b] = [one.outcome, other.outcome];
  if (a?.kind !== b?.kind) return `${one.name} ends as ${a?.kind}, ${other.name} as ${b?.kind}`;
  const [mine, theirs] = [one.machine.cpu.getRegisters(), other.machine.cpu.getRegisters()];
  // The registers after a reset are not compared.
  const dead = a?.kind === 'shutdown';
  const odd = dead ? [] : registerNames.filter((name) => mine[name] !== theirs[name]);
  if (odd.length > 0) return `${odd.join(', ')} ${odd.length === 1 ? 'differs' : 'differ'}`;
  if (a === undefined && steps % RAM_EVERY !== 0) return undefined;
  const at = memoryDiffers(one.machine, other.machine);
  return at === undefined ? undefined : `memory at 0x${at.toString(16)} differs`;
}

/** The first physical address at which two machines' RAM differs. */
function memoryDiffers(one: Machine, other: Machine): number | undefined {
  for (const { address, size } of one.memory.regions) {
    const [a, b] = [one.memory.readBytes(address, size), other.memory.readBytes(address, size)];
    if (Buffer.compare(a, b) === 0) continue;
    return address + a.findIndex((byte, n) => byte !== b[n]);
  }
  return undefined;
}
