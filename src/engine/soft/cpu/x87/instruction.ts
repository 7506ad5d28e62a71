// Common parts of the x87 instructions: checks before they run, the recorded pointers, storing results (SDM 1 8.1.8, 8.6, 8.7).
import {
  CR0,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_STATUS,
  IGNNE,
  IGNNE_LOW,
  OP_MODRM,
  SEG_CS,
} from '../../layout';
import { EXIT_X87, exitFor } from '../core/external';
import { fault, MF, NM } from '../core/faults';
import { isMemory } from '../core/generic';
import { address, immediate, ripOf, segment } from '../core/operands';
import { selectorOf } from '../system/segments';
import { bits, exponent, giveIndefinite } from './numbers';
import {
  C1,
  commit,
  ES,
  forgetRaised,
  IE,
  isEmpty,
  OE,
  pop,
  push,
  raise,
  SF,
  setSt,
  stopsBefore,
  UE,
  unmasked,
} from './registers';

const CR0_EM: u32 = 4;
const CR0_TS: u32 = 8;
const CR0_NE: u32 = 32;

/** Control instructions that do not check for pending exceptions (FNINIT and the other FN… forms). */
export function available(): bool {
  if (load<u32>(CR0) & (CR0_EM | CR0_TS)) {
    fault(NM);
    return false;
  }
  forgetRaised();
  return true;
}

/**
 * False where an exception of an earlier instruction is pending: #MF, or, without CR0.NE, the processor asserts FERR#
 * and waits before this instruction until an interrupt comes, unless IGNNE# is asserted (SDM 1 8.7.2, D.2.1).
 */
export function nothingPending(): bool {
  if (!(load<u16>(FPU_STATUS) & ES)) return true;
  if (load<u32>(CR0) & CR0_NE) fault(MF);
  else if (load<u32>(IGNNE) == IGNNE_LOW) exitFor(EXIT_X87);
  else return true;
  return false;
}

export function ready(): bool {
  return available() && nothingPending();
}

/** Records the instruction's opcode and pointers (SDM 1 8.1.8, 8.1.9), once nothing can fault any more. */
export function note(pc: usize): void {
  store<u64>(FPU_IP, ripOf(pc));
  store<u16>(FPU_CS, <u16>selectorOf(SEG_CS));
  store<u16>(FPU_OPCODE, <u16>(((<u32>immediate(pc) & 7) << 8) | <u32>load<u8>(pc, OP_MODRM)));
  if (!isMemory(pc)) return;
  store<u64>(FPU_DP, address(pc));
  store<u16>(FPU_DS, <u16>selectorOf(segment(pc)));
}

/** The i of ST(i). */
export function stackOperand(pc: usize): u32 {
  return <u32>load<u8>(pc, OP_MODRM) & 7;
}

export function regField(pc: usize): u32 {
  return (<u32>load<u8>(pc, OP_MODRM) >> 3) & 7;
}

/** True if the register is empty: the masked response is the indefinite. */
export function underflows(i: u32): bool {
  if (!isEmpty(i)) return false;
  raise(IE | SF);
  giveIndefinite();
  return true;
}

/** Stores the result in ST(i), unless an unmasked exception prevents it. Returns whether the instruction has completed. */
export function settle(i: u32): bool {
  if (stopsBefore()) return false;
  setSt(i, exponent, bits);
  return true;
}

/** The same, and pops `pops` registers. */
export function finish(i: u32, pops: bool): void {
  if (settle(i) && pops) pop();
  commit();
}

/** True if the stack is full. */
export function overflows(): bool {
  if (isEmpty(7)) return false;
  raise(IE | SF | C1);
  giveIndefinite();
  return true;
}

/** Pushes the result. A loaded denormal is pushed even where DE is not masked. */
export function finishPush(): void {
  if (!unmasked(IE)) push(exponent, bits);
  commit();
}

/** True if memory must not be written because of an exception that is not masked (SDM 1 8.5). */
export function keepsMemory(): bool {
  return unmasked(IE | OE | UE);
}
