import type { DebugRequest } from '../../contract/index.js';
import type { Kvm } from '../api/kvm.js';
import type { Vcpu } from '../api/vcpu.js';
import { blocksInterrupts, whyNoGuestDebug } from './guest-debug.js';

/** DR0 to DR3. */
const REGISTERS = 4;

/** The debug registers of a vCPU while a debugger uses them: breakpoints first, then watchpoints. */
export class DebugRegisters {
  readonly #kvm: Kvm;
  readonly #vcpu: Vcpu;
  readonly #trusted: boolean;
  /** The number of breakpoints, and of the watchpoints after them; undefined without a debugger. */
  #taken: { breakpoints: number; watchpoints: number } | undefined;

  /** @param trusted skips the test whether KVM hides a debugger's breakpoints and steps from the guest */
  constructor(kvm: Kvm, vcpu: Vcpu, trusted: boolean) {
    this.#kvm = kvm;
    this.#vcpu = vcpu;
    this.#trusted = trusted;
  }

  /** Sets the debugger's points, or returns the registers to the guest. Returns the reason where that is not possible. */
  set(request: DebugRequest | undefined): string | undefined {
    const refused = request && this.#refuses(request);
    if (request === undefined || refused !== undefined) {
      if (this.#taken !== undefined) this.#vcpu.setGuestDebug({});
      this.#taken = undefined;
      return refused;
    }
    const { step, watchpoints } = request;
    const breakpoints = step ? [] : request.breakpoints;
    const blockInterrupts = step && blocksInterrupts(this.#kvm);
    this.#vcpu.setGuestDebug({ singleStep: step, breakpoints, watchpoints, blockInterrupts });
    this.#taken = { breakpoints: breakpoints.length, watchpoints: watchpoints.length };
    return undefined;
  }

  #refuses({ step, breakpoints, watchpoints }: DebugRequest): string | undefined {
    const wanted = (step ? 0 : breakpoints.length) + watchpoints.length;
    if (wanted > REGISTERS) return `the processor has ${REGISTERS} debug registers, and ${wanted} are needed`;
    if (watchpoints.some(({ on }) => on === 'read'))
      return 'the processor can watch writes, or reads and writes, but not only reads';
    return this.#trusted ? undefined : whyNoGuestDebug(this.#kvm);
  }

  /** Which of the watchpoints DR6 names: bit n is register n (SDM 3B 18.2.3). -1 for none. */
  touchedWatchpoint(dr6: number): number {
    const { breakpoints, watchpoints } = this.#taken ?? { breakpoints: 0, watchpoints: 0 };
    const hit = dr6 >> breakpoints;
    for (let index = 0; index < watchpoints; index++) if (hit & (1 << index)) return index;
    return -1;
  }
}
