/**
 * One run of a submission's guest, to its end or to a limit, and the interface to inspect it afterwards.
 *
 * @module
 */
import type { Image } from '../boot/index.js';
import type { MachineSpec } from '../config/index.js';
import type { Device, Picture } from '../devices/contract/index.js';
import { type KeyEvent, strokesOf } from '../devices/index.js';
import { exitKindNames, type FaultRecord } from '../engine/contract/index.js';
import { ConfigError } from '../errors.js';
import { type Explanation, endsBadly, explain } from '../explain/index.js';
import {
  checkExpectation,
  type ExpectationResult,
  type PageWalk,
  parseExpectation,
  walkPages,
} from '../inspect/index.js';
import type { ExitObserver, InputEvent, Machine, Outcome } from '../machine/index.js';
import type { GuestMemory } from '../memory/index.js';
import { createMachine } from '../runtime/index.js';
import { SymbolTable } from '../symbols/index.js';
import { findRegister } from '../x86/index.js';
import type { Source } from './build.js';
import type { Limits } from './exercise.js';
import { replayLink } from './replay-link.js';

/** The start of a run. */
export interface RunRequest {
  /** Its name on the page. */
  name?: string;
  /** The input of the serial port. */
  input?: string | Uint8Array;
  /** The input of the keyboard. */
  keys?: string;
  /** Bytes at guest physical addresses, written before the guest starts. */
  memory?: readonly (readonly [address: number, bytes: string | Uint8Array])[];
  /** Students see whether its checks hold, but neither the input nor the values. */
  hidden?: boolean;
  /** Fewer than the exercise's limit. */
  instructions?: number;
}

/** An exit of the guest, as it was answered. */
export interface SeenExit {
  /** `io`, `mmio`, `halt` and so on. */
  readonly kind: string;
  /** The port or the address. */
  readonly address: number;
  readonly size: number;
  readonly count: number;
  readonly write: boolean;
  /** The first value that was read or written. */
  readonly value: number;
}

/** The parts of a guest, without its input. */
export interface Subject {
  readonly image: Image;
  readonly spec: MachineSpec;
  readonly limits: Limits;
  /** The exercise's title. */
  readonly title: string;
  /** What it was compiled from: first the source, then what it includes. */
  readonly files: readonly Source[];
  readonly devices: () => Device[];
  /** The exercise has a device of its own. */
  readonly hasDevice: boolean;
  /** The image with names, for explanations. */
  readonly symbols: () => Image | undefined;
  /** This run may lack the device that the guest waits for, on purpose: then a guest that waits has not died. */
  readonly mayWait?: boolean;
  /** Exits are kept only for a module of checks. */
  readonly keepsExits: boolean;
}

/** Exits, interrupts and inputs that are kept; more are counted. */
const KEPT = 10_000;
/** Characters of a console in a verdict. */
export const SHOWN_CONSOLE = 2000;

const bytesOf = (text: string | Uint8Array) =>
  typeof text === 'string' ? new TextEncoder().encode(text) : text;

function streamOf<T>(items: readonly T[], none: T): { read(): T; readonly available: boolean } {
  let at = 0;
  return {
    get available() {
      return at < items.length;
    },
    read: () => (at < items.length ? items[at++]! : none),
  };
}

/** Keeps the first exits. */
function recorder(exits: SeenExit[]): ExitObserver {
  return {
    begin() {},
    flush() {},
    record({ kind, address, size, count, write, data, offset }) {
      if (exits.length >= KEPT) return;
      const value =
        size === 4
          ? data.getUint32(offset, true)
          : size === 2
            ? data.getUint16(offset, true)
            : data.getUint8(offset);
      exits.push({ kind: exitKindNames[kind] ?? 'unknown', address, size, count, write, value });
    },
  };
}

/** A guest that has run; see the module's comment. It holds its machine until it is disposed. */
export class GuestRun implements Disposable {
  readonly name: string;
  readonly hidden: boolean;
  readonly outcome: Outcome;
  /** The guest's console output, a character for each byte. */
  readonly console: string;
  /** Instructions that it executed. */
  readonly instructions: number;
  /** Its first exits, in order. */
  readonly exits: readonly SeenExit[];
  /** The vectors of its first interrupts from devices, in order. */
  readonly interrupts: readonly number[];
  /** How many interrupts it took. */
  readonly interruptCount: number;
  readonly #machine: Machine;
  readonly #subject: Subject;
  readonly #consoleBytes: Uint8Array;
  /** Its inputs, unless there were too many to keep; undefined where its memory was changed as well. */
  readonly #inputs: readonly InputEvent[] | undefined;
  /** The guest's last picture, where its machine has a screen. */
  readonly picture: Picture | undefined;

  constructor(subject: Subject, request: RunRequest) {
    this.#subject = subject;
    this.name = request.name ?? '';
    this.hidden = request.hidden === true;
    const { limits, spec } = subject;
    const chunks: Uint8Array[] = [];
    let kept = 0;
    const exits: SeenExit[] = [];
    const interrupts: number[] = [];
    let taken = 0;
    const inputs: InputEvent[] = [];
    const machine = createMachine({
      ...spec,
      image: subject.image,
      engine: 'soft',
      coalesce: false,
      devices: subject.devices(),
      // As for a guest that `terrarium run` starts: all hypercalls are answered.
      hypercalls: { log() {} },
      output(bytes) {
        const room = limits.console - kept;
        if (room <= 0) return;
        chunks.push(bytes.slice(0, room));
        kept += Math.min(room, bytes.length);
      },
      input: streamOf([...bytesOf(request.input ?? '')], -1),
      ...(request.keys !== undefined && {
        keys: { source: streamOf<KeyEvent | undefined>([...strokesOf(request.keys)], undefined) },
      }),
      ...(subject.keepsExits && { observer: recorder(exits) }),
    });
    this.#machine = machine;
    try {
      machine.interrupts.onTaken = (_, vector) => {
        if (interrupts.length < KEPT) interrupts.push(vector);
        taken++;
      };
      machine.inputs.listen((event) => {
        if (inputs.length <= KEPT) inputs.push(event);
      });
      for (const [at, bytes] of request.memory ?? []) {
        const data = bytesOf(bytes);
        if (!machine.memory.contains(at, data.length))
          throw new ConfigError(
            `a run's "memory" has ${data.length} bytes at ${at}, where the guest has no memory`,
          );
        machine.memory.writeBytes(at, data);
      }
      const maxInstructions = Math.min(request.instructions ?? limits.instructions, limits.instructions);
      this.outcome = machine.run({ maxInstructions, maxExits: limits.exits });
      this.instructions = machine.cycleTime?.instructions ?? 0;
      this.picture = machine.screen;
    } catch (error) {
      machine[Symbol.dispose]();
      throw error;
    }
    this.#consoleBytes = Buffer.concat(chunks);
    this.console = Buffer.from(this.#consoleBytes).toString('latin1');
    this.exits = exits;
    this.interrupts = interrupts;
    this.interruptCount = taken;
    this.#inputs = request.memory === undefined && inputs.length <= KEPT ? inputs : undefined;
  }

  /** The guest's memory, by guest physical addresses. */
  get memory(): GuestMemory {
    return this.#machine.memory;
  }

  /** The guest died, or did not end. */
  get endedBadly(): boolean {
    if (this.#subject.mayWait) return /^(?:shutdown|engineError)$/.test(this.outcome.kind);
    return endsBadly(this.outcome);
  }

  /** The exceptions that its CPU raised last, oldest first. */
  get exceptions(): readonly FaultRecord[] {
    return this.outcome.faults ?? [];
  }

  /** A register or a part of one, as `--expect` names them: `rax`, `al`, `zf`, `cr3`. */
  register(name: string): bigint {
    const view = findRegister(name);
    if (view === undefined) throw new ConfigError(`there is no register '${name}'`);
    return view.read(this.outcome.registers, this.outcome.system);
  }

  /** Whether an expectation holds, in the form of `--expect`. @throws ExpectationError */
  expect(text: string): ExpectationResult {
    return checkExpectation(parseExpectation(text), {
      ...this.outcome,
      outcome: this.outcome.kind,
      memory: this.memory,
      console: this.#consoleBytes,
    });
  }

  /** How the guest's page tables translate a linear address. */
  page(linear: bigint | number): PageWalk {
    return walkPages({ ...this.outcome, memory: this.memory }, BigInt(linear));
  }

  /** Why it died. */
  explain(): Explanation | undefined {
    if (!this.endedBadly) return undefined;
    const { image, spec, symbols } = this.#subject;
    const names = new SymbolTable(symbols() ?? image);
    return explain({
      ...this.outcome,
      memory: this.memory,
      image: this.#machine.boot,
      ...(spec.syntax && { syntax: spec.syntax }),
      locate: (address) => names.locate(address),
    });
  }

  /** A link that opens this run in the lab; undefined for one that is hidden, or that a link cannot hold. */
  get link(): string | undefined {
    const { title, files, spec, hasDevice } = this.#subject;
    const { instructions } = this;
    const inputs = this.#inputs;
    if (this.hidden || hasDevice || inputs === undefined) return undefined;
    return replayLink({ title, files, spec, inputs, instructions });
  }

  [Symbol.dispose](): void {
    this.#machine[Symbol.dispose]();
  }
}
