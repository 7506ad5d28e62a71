/**
 * Ends other than a triple fault: no code to execute, a guest that waits or loops.
 *
 * @module
 */

import type { FaultRecord } from '../engine/contract/index.js';
import { hex, readLinear, readPhysical, sizeText, walkPages } from '../inspect/index.js';
import { MAX_LENGTH } from '../isa/index.js';
import { RFLAGS } from '../x86/index.js';
import { eventText, faultText } from './gates.js';
import { explainLeftStack } from './recursion.js';
import { callerLine, type Finding, linearRip, linearStack, placeText, type Scene } from './scene.js';
import { explainPolling, type RecentAccess, straysInto } from './waits.js';
import { BEFORE, RAN_ON, zerosBefore } from './zeros.js';

/** The guest jumped or ran to an address without memory. */
export function explainNoCode(scene: Scene): Finding {
  const start = linearRip(scene.registers, scene.system);
  const there = readLinear(scene, start, MAX_LENGTH).length;
  const linear = start + BigInt(there);
  const { physical = linear } = walkPages(scene, linear);
  const zeros = zerosBefore(scene, physical);
  const then =
    there === 0 ? 'so there is no instruction to execute' : 'where the rest of this instruction would be';
  const check = `there is no RAM at ${hex(physical)}, ${then}`;
  if (zeros >= 16) {
    return {
      check,
      evidence: [
        `the ${zeros >= BEFORE ? `${sizeText(BEFORE)} or more` : `${zeros} bytes`} before it are all zeros, which read as instructions (add)`,
      ],
      mistake: RAN_ON,
    };
  }
  const left = explainLeftStack(scene);
  if (left !== undefined)
    return { check: `${check}; ${left.check}`, evidence: left.evidence, mistake: left.mistake };
  const stack = linearStack(scene);
  if (readPhysical(scene.memory, stack, 1) === undefined) {
    return {
      check,
      evidence: [`the stack pointer is ${hex(scene.registers.rsp)}: no RAM either`],
      mistake:
        'The stack is outside of memory: pushed values are lost, and a RET reads other values (mostly all ones). Load the stack pointer with the end of an area in RAM.',
    };
  }
  return {
    check,
    evidence: callerLine(scene),
    mistake:
      'The guest jumped or returned to an address without memory. Is a pointer or a return address wrong (does every push have its pop?), or the guest’s memory too small (--memory)?',
  };
}

/** HLT, and no interrupt that could end it. */
export function explainHalt(scene: Scene, reason: string): Finding {
  const { rflags } = scene.registers;
  if (reason.startsWith('an x87 error')) {
    return {
      check: reason,
      mistake:
        'The exception is not masked in the x87 control word, and CR0.NE = 0 makes it an IRQ 13, as on an AT. Set CR0.NE to get #MF (vector 16), or serve IRQ 13 (write to port 0xF0, then FNCLEX) with interrupts on, or mask it (FNINIT masks all).',
    };
  }
  if (!(rflags & RFLAGS.IF)) {
    return {
      check: 'the guest executed HLT with interrupts off (RFLAGS.IF = 0), so nothing wakes it',
      mistake:
        'This is the usual end of a guest. To wait for an interrupt instead, execute STI right before HLT.',
      innocent: true,
    };
  }
  if (reason.includes('EOI')) {
    return {
      check: reason,
      mistake:
        'The handler has to tell the interrupt controller that it is done: write 0x20 to port 0x20 (and first to 0xA0 for IRQ 8 to 15) before IRET. Until then no interrupt of that priority or a lower one comes.',
    };
  }
  if (reason.includes('masked'))
    return {
      check: reason,
      mistake: 'Clear the line’s bit in the interrupt mask: port 0x21 for IRQ 0 to 7, 0xA1 for 8 to 15.',
    };
  if (reason.includes('ICW'))
    return {
      check: reason,
      mistake:
        'No BIOS has set up the interrupt controllers: write ICW1 to ICW4 to ports 0x20, 0x21 and 0xA0, 0xA1, then the masks.',
    };
  return {
    check: reason,
    mistake: 'Start the device that should interrupt (a timer, a serial port), or do not wait for it.',
  };
}

/** The guest did not end: describes what it does. */
export function explainLoop(scene: Scene, reason: string, recent?: readonly RecentAccess[]): Finding {
  const strays = straysInto(scene);
  if (strays !== undefined) return { check: `${reason}; ${strays}`, mistake: RAN_ON };
  const repeated = mostRepeated(scene.faults);
  if (repeated !== undefined) {
    const { fault, times } = repeated;
    return {
      check: `${reason}; it raises ${faultText(fault)} at ${placeText(fault.cs, fault.rip)} again and again (${times} of the last ${scene.faults.length} exceptions)`,
      mistake: `The handler of ${eventText(fault.vector)} returns to the same instruction that faults, with nothing changed, so it faults again. Fix the cause, continue after the instruction, or stop.`,
    };
  }
  const { instruction, registers } = scene;
  const polling = explainPolling({ registers, ...(recent && { recent }) });
  if (polling !== undefined)
    return {
      check: `${reason}; ${polling.check}`,
      ...(polling.mistake !== undefined && { mistake: polling.mistake }),
    };
  const target = instruction?.operands[0];
  if (instruction?.mnemonic === 'jmp' && target?.kind === 'target' && target.address === registers.rip) {
    return {
      check: `${reason}; it jumps to the same instruction forever${registers.rflags & RFLAGS.IF ? '' : ', with interrupts off (RFLAGS.IF = 0)'}`,
      mistake: 'To end a guest, use CLI and HLT instead of an endless loop.',
    };
  }
  const off = (registers.rflags & RFLAGS.IF) === 0n;
  return {
    check: `${reason}${off ? '; interrupts are off (RFLAGS.IF = 0)' : ''}`,
    ...(off && { mistake: 'If it waits for an interrupt, none can come: turn interrupts on with STI.' }),
  };
}

/** An exception that was raised again and again at the same address. */
export function mostRepeated(
  faults: readonly FaultRecord[],
): { fault: FaultRecord; times: number } | undefined {
  const last = faults.at(-1);
  if (last === undefined) return undefined;
  const same = faults.filter(
    ({ vector, rip, cs }) => vector === last.vector && rip === last.rip && cs === last.cs,
  );
  return same.length >= 4 ? { fault: last, times: same.length } : undefined;
}
