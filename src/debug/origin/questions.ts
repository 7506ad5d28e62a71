import type { Device } from '../../devices/contract/index.js';
import type { DebugRequest, EngineCpu } from '../../engine/contract/index.js';
import { physicalAddress } from '../../inspect/index.js';
import type { Syntax } from '../../isa/index.js';
import type { GuestMemory } from '../../memory/index.js';
import { DebugError } from '../errors.js';
import type { Past } from '../history/past.js';
import type { StopPlace } from '../stop.js';
import { culprit } from './cause.js';
import { type FindParts, Interrupted, WriteFinder } from './find-write.js';
import { type Origin, type OriginOptions, originOf } from './origin.js';
import { type WantedPlace, wantedPlace } from './places.js';
import { type WriteRecord, writesOf } from './writes.js';

/** The part of the session that queries need. */
export interface QuestionParts {
  past(): Past;
  machine(): {
    readonly memory: GuestMemory;
    readonly devices: readonly Device[];
    readonly boot: { readonly segments: readonly { readonly address: number; readonly size: number }[] };
  };
  ask(request: DebugRequest | undefined): string | undefined;
  cpu(): EngineCpu;
  here(): StopPlace;
  locate(address: bigint): string | undefined;
  syntax(): Syntax | undefined;
}

/** Queries about a session's history. Each leaves the guest at its moment, and throws a `DebugError` where there is no history. */
export class Questions {
  readonly #parts: QuestionParts;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  origin(wanted: WantedPlace, options: OriginOptions): Origin {
    const { cpu, machine, locate, syntax } = this.#parts;
    const view = {
      registers: cpu().getRegisters(),
      system: cpu().getSystemRegisters(),
      fpu: cpu().getState().fpu,
    };
    const place = wantedPlace(wanted, view);
    const { boot, devices } = machine();
    const written = syntax();
    return this.#look((parts) =>
      originOf(
        { ...parts, devices, segments: boot.segments, locate, ...(written && { syntax: written }) },
        place,
        options,
      ),
    );
  }

  /** Where the fatal value comes from; undefined where that is not known. */
  cause(): Origin | undefined {
    const { cpu, machine, here, locate, syntax } = this.#parts;
    const view = { registers: cpu().getRegisters(), system: cpu().getSystemRegisters() };
    const { boot, devices, memory } = machine();
    const written = syntax();
    return this.#look((parts) => {
      const finder = new WriteFinder(parts);
      const { pc } = here();
      const physical = physicalAddress(memory, view.system, pc);
      const isMapped = physical !== undefined && finder.bytes(pc, 1).length > 0;
      const inImage =
        isMapped &&
        boot.segments.some(({ address, size }) => physical >= address && physical < address + size);
      const place = culprit(isMapped ? finder.instruction() : undefined, view, inImage);
      return (
        place &&
        originOf(
          { ...parts, devices, segments: boot.segments, locate, ...(written && { syntax: written }) },
          place,
        )
      );
    });
  }

  /** The moment of the instruction that gave a register its value; undefined where it has it since the beginning of the history. */
  changed(name: string): number | undefined {
    const { cpu, past } = this.#parts;
    const view = {
      registers: cpu().getRegisters(),
      system: cpu().getSystemRegisters(),
      fpu: cpu().getState().fpu,
    };
    const place = wantedPlace({ kind: 'register', name }, view);
    const { now } = past().history.range;
    const write = this.#look((parts) => new WriteFinder(parts).lastWrite(place, now));
    if (write.by === 'start') return undefined;
    if (write.by === 'unknown')
      throw new DebugError(
        `${name} was not written in the last ${write.searched.toLocaleString('en')} instructions`,
        'go back and ask again',
      );
    return write.at;
  }

  writes(address: bigint, length: number, most?: number): WriteRecord[] {
    return this.#look((parts) => writesOf(parts, { address, length, ...(most !== undefined && { most }) }));
  }

  #look<T>(look: (parts: FindParts) => T): T {
    const { past, machine, ask, cpu, here } = this.#parts;
    const { history } = past();
    const { now } = history.range;
    try {
      return look({ history, memory: machine().memory, ask, cpu, here });
    } catch (error) {
      if (error instanceof Interrupted) throw new DebugError('the search was interrupted');
      throw error;
    } finally {
      ask(undefined);
      history.goTo(now);
    }
  }
}
