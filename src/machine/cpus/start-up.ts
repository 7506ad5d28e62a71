/**
 * What INIT and start-up interrupts make of a processor (SDM 3A 9.4, table 10-1).
 *
 * @module
 */
import {
  busyTss,
  type CpuState,
  CR0,
  DR6_AFTER_RESET,
  DR7_AFTER_RESET,
  realSegment,
  registersWith,
  SegmentType,
  SystemType,
} from '../../x86/index.js';

/** EDX after a reset: family 6. */
const SIGNATURE = 0x600n;

/** After INIT, which stops no clock: as after a reset, but for caching, FPU, vectors and model-specific registers, which stay as they are. */
export function initState(state: CpuState): CpuState {
  const { cr0, apicBase } = state.system;
  return {
    ...state,
    registers: registersWith({ rip: 0xfff0n, rdx: SIGNATURE }),
    system: {
      es: realSegment(0),
      cs: { ...realSegment(0xf000, SegmentType.code), base: 0xffff_0000n },
      ss: realSegment(0),
      ds: realSegment(0),
      fs: realSegment(0),
      gs: realSegment(0),
      tr: busyTss(0, 0n, 0xffff),
      ldt: { ...realSegment(0, SystemType.ldt), s: false },
      gdt: { base: 0n, limit: 0xffff },
      idt: { base: 0n, limit: 0xffff },
      cr0: (cr0 & (CR0.CD | CR0.NW)) | CR0.ET,
      ...{ cr2: 0n, cr3: 0n, cr4: 0n, cr8: 0n, efer: 0n, apicBase },
    },
    events: {
      ...{ shadow: 'none', nmiPending: false, nmiMasked: false, interrupt: null },
      ...{ exception: null, debugTraps: 0 },
    },
    debug: { addresses: [0n, 0n, 0n, 0n], dr6: DR6_AFTER_RESET, dr7: DR7_AFTER_RESET },
    pdptes: null,
    halted: false,
    unfinished: null,
    time: null,
  };
}

/** A start-up interrupt of this vector: the first instruction is at the page of that number. */
export function startUpState(state: CpuState, page: number): CpuState {
  const { system, registers } = state;
  const cs = { ...system.cs, selector: page << 8, base: BigInt(page << 12) };
  return { ...state, system: { ...system, cs }, registers: { ...registers, rip: 0n }, time: null };
}
