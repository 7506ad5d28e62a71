import type { DebugRequest, EngineCpu } from '../engine/contract/index.js';
import type { Outcome } from '../machine/index.js';
import { DebugError } from './errors.js';
import { linearPc } from './mode.js';

/** What a debugger asks of the CPUs of a machine, of which one is stepped and all stop at breakpoints. */
export class CpuRequests {
  readonly #cpus: () => readonly EngineCpu[];
  /** CPUs whose last stop was at a breakpoint, which they have not left since, with the address. */
  readonly #standing = new Map<number, bigint>();

  constructor(cpus: () => readonly EngineCpu[]) {
    this.#cpus = cpus;
  }

  /**
   * A step is one of CPU number `stepped`: the others run as ever, each in its turn, and stop at breakpoints. Gives why one of them
   * refuses.
   * @param passing a CPU that steps over the breakpoint where it stands
   */
  ask(request: DebugRequest | undefined, stepped: number, passing?: number): string | undefined {
    const ofOthers = request && { ...request, step: false };
    for (const cpu of this.#cpus()) {
      const steps = cpu.index === passing || (request?.step === true && cpu.index === stepped);
      const refused = cpu.debug(steps && request ? { ...request, step: true, breakpoints: [] } : ofOthers);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /**
   * Runs until something stops that is to be told. Another CPU that still stands at its last breakpoint goes on from there.
   * @throws DebugError where a CPU refuses the request
   */
  run(request: DebugRequest | undefined, stepped: number, run: () => Outcome): Outcome {
    if (request?.step) this.#standing.delete(stepped);
    for (let passing: number | undefined; ; ) {
      const refused = this.ask(request, stepped, passing);
      if (refused !== undefined) throw new DebugError(refused);
      const outcome = run();
      const { kind, cpu, registers, system } = outcome;
      if (kind !== 'debug' || cpu === stepped) return outcome;
      const touched = this.#cpus()[cpu]!.touchedWatchpoint >= 0;
      if (!touched && cpu === passing) passing = undefined;
      else if (!touched && this.#standing.get(cpu) === linearPc(registers.rip, system)) passing = cpu;
      else return outcome;
      this.#standing.delete(cpu);
    }
  }

  /** A CPU has stopped at a breakpoint, which was told. */
  stands(cpu: number, pc: bigint): void {
    this.#standing.set(cpu, pc);
  }

  /** The guest is at another moment. */
  moved(): void {
    this.#standing.clear();
  }
}
