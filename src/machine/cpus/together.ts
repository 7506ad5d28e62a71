import type { Crew, EngineCpu } from '../../engine/contract/index.js';
import type { Activity, Several } from './several.js';

/** Several CPUs that run at the same time, on an engine whose own local APICs start, interrupt and wake them. */
export class Together implements Several {
  readonly #crew: Crew;
  readonly #signal: (address: number, data: number) => void;
  /** The engine knows who sleeps. */
  readonly anyRuns = true;
  readonly halted: readonly EngineCpu[] = [];

  /** @param signal sends an interrupt message (MSI) to the engine's local APICs */
  constructor(crew: Crew, signal: (address: number, data: number) => void) {
    this.#crew = crew;
    this.#signal = signal;
  }

  run(): EngineCpu {
    return this.#crew.run();
  }

  rest(): void {
    this.#crew.rest();
  }

  sleepsForGood(): boolean {
    return this.#crew.sleepsForGood();
  }

  call(cpu: number): void {
    this.#crew.call(cpu);
  }

  activityOf(): Activity {
    return 'runs';
  }

  nmi({ index }: EngineCpu): void {
    this.#signal(MESSAGES + index * DESTINATION, NMI);
  }

  // What follows is the engine's own business.
  halt(): void {}
  wake(): void {}
  init(): void {}
  startUp(): void {}
}

/** SDM 3A 11.11: where messages go, a destination's place in the address, and the delivery mode NMI. */
const MESSAGES = 0xfee0_0000;
const DESTINATION = 0x1000;
const NMI = 0x400;
