// Jumps, calls and returns within a segment (SDM 1 6.4, SDM 2A Jcc, CALL, JMP, LOOP; 2B RET).
import {
  MODE,
  MODE_CODE64,
  NEAR_IS_WITHIN,
  OP_NOT_TAKEN,
  OP_TAKEN,
  RCX,
  SEG_CS,
  SEG_LIMIT,
  SEG_SS,
  SEGMENT_SIZE,
  SEGMENTS,
} from '../../layout';
import { maskOf } from '../core/bits';
import { follow, enter as go } from '../core/blocks';
import { fault, GP } from '../core/faults';
import { zero } from '../core/flags';
import { readOperand } from '../core/generic';
import { read, write } from '../core/memory';
import { cutAddress, immediate, leave, ripAfter, setByAddressSize } from '../core/operands';
import { canonical } from '../core/paging';
import { setStack, stackAt } from '../core/stack';
import { failed } from '../core/trouble';

/** The operation cannot complete. */
function stay(pc: usize): usize {
  leave(pc);
  return 0;
}

/** An instruction pointer, truncated to the operand size. */
function target<T>(rip: u64): u64 {
  return sizeof<T>() == 8 ? rip : rip & maskOf(sizeof<T>());
}

/** A target outside the code segment, or not canonical in 64-bit code, is a #GP before anything changes. */
function outside(rip: u64): bool {
  if (within(rip)) return false;
  fault(GP);
  return true;
}

/** As `outside`, for a target relative to the instruction. */
function outOfReach(rip: u64): bool {
  return load<u32>(NEAR_IS_WITHIN) == 0 && outside(rip);
}

function within(rip: u64): bool {
  if (load<u32>(MODE) & MODE_CODE64) return canonical(rip);
  return rip <= <u64>load<u32>(SEGMENTS + SEG_CS * SEGMENT_SIZE, SEG_LIMIT);
}

function relative<T>(pc: usize): u64 {
  return target<T>(ripAfter(pc) + <u64>immediate(pc));
}

export function jmp<T>(pc: usize): usize {
  const rip = relative<T>(pc);
  const next = follow(rip, pc + OP_TAKEN);
  if (next) return next;
  return outOfReach(rip) ? stay(pc) : go(rip, pc + OP_TAKEN);
}

export function jcc<T>(pc: usize, taken: bool): usize {
  if (taken) return jmp<T>(pc);
  const rip = ripAfter(pc);
  const next = follow(rip, pc + OP_NOT_TAKEN);
  return next ? next : go(rip, pc + OP_NOT_TAKEN);
}

/**
 * Writes the return address. Processors check the target after that, so that the stack's fault comes first; here the usual case
 * checks it before, so that nothing has changed where it fails. False for a fault.
 */
function pushReturn<T>(pc: usize, rip: u64, near: bool): bool {
  const pointer = stackAt(-(<i64>sizeof<T>()));
  if (!near && !within(rip)) {
    write<T>(SEG_SS, pointer, <T>ripAfter(pc));
    if (!failed()) fault(GP);
    return false;
  }
  write<T>(SEG_SS, pointer, <T>ripAfter(pc));
  if (failed()) return false;
  setStack(pointer);
  return true;
}

export function call<T>(pc: usize): usize {
  const rip = relative<T>(pc);
  if (!pushReturn<T>(pc, rip, load<u32>(NEAR_IS_WITHIN) != 0)) return stay(pc);
  const next = follow(rip, pc + OP_TAKEN);
  return next ? next : go(rip, pc + OP_TAKEN);
}

export function jmpind<T>(pc: usize): usize {
  const rip = target<T>(<u64>readOperand<T>(pc));
  return failed() || outside(rip) ? stay(pc) : go(rip, 0);
}

export function callind<T>(pc: usize): usize {
  const rip = target<T>(<u64>readOperand<T>(pc));
  return failed() || !pushReturn<T>(pc, rip, false) ? stay(pc) : go(rip, 0);
}

export function ret<T>(pc: usize): usize {
  const rip = target<T>(<u64>read<T>(SEG_SS, stackAt(0)));
  if (failed() || outside(rip)) return stay(pc);
  setStack(stackAt(<i64>sizeof<T>() + immediate(pc)));
  return go(rip, 0);
}

/** LOOP, LOOPE and LOOPNE count in CX, ECX or RCX, by the address size. */
function looping<T>(pc: usize, condition: bool): usize {
  const left = cutAddress(pc, load<u64>(RCX) - 1);
  const taken = left != 0 && condition;
  if (taken && outOfReach(relative<T>(pc))) return stay(pc);
  setByAddressSize(pc, RCX, left);
  return jcc<T>(pc, taken);
}

export function loop<T>(pc: usize): usize {
  return looping<T>(pc, true);
}

export function loope<T>(pc: usize): usize {
  return looping<T>(pc, zero());
}

export function loopne<T>(pc: usize): usize {
  return looping<T>(pc, !zero());
}

export function jcxz<T>(pc: usize): usize {
  return jcc<T>(pc, cutAddress(pc, load<u64>(RCX)) == 0);
}
