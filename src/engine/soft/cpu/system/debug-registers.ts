// MOV to and from the debug registers (SDM 2B MOV, 3B 18.2).
import { CR4, CR4_DE, DEBUG_REGISTERS, OP_REG, OP_RM, REGS } from '../../layout';
import { code64 } from '../core/cpu-mode';
import { DB, fault, GP, UD } from '../core/faults';
import { DR6, DR7, GD, MATCHED, updateBreakpoints } from './debug';
import { privileged } from './privilege';

/** DR6: an access to a debug register that DR7.GD forbids. */
const BD: u32 = 1 << 13;
/** Bits that always read 1 (SDM 3B figure 17-1), and the writable bits. */
const DR6_ONES: u64 = 0xffff0ff0;
const DR6_BITS: u64 = 0xe00f;
const DR7_ONES: u64 = 0x400;
const DR7_BITS: u64 = 0xffff23ff;

/** The address of an instruction's register; 0 where it faults. DR4 and DR5 are DR6 and DR7 without CR4.DE. */
function registerOf(pc: usize): usize {
  let number = <usize>(load<u8>(pc, OP_REG) >> 3);
  // At every privilege level.
  if (number > 7) {
    fault(UD);
    return 0;
  }
  if (!privileged()) return 0;
  if ((number == 4 || number == 5) && load<u32>(CR4) & CR4_DE) {
    fault(UD);
    return 0;
  }
  if (load<u64>(DR7) & GD) {
    store<u64>(DR6, (load<u64>(DR6) & ~MATCHED) | BD);
    store<u64>(DR7, load<u64>(DR7) & ~GD);
    fault(DB);
    return 0;
  }
  if (number == 4 || number == 5) number += 2;
  return DEBUG_REGISTERS + (number << 3);
}

export function movfromdr(pc: usize): void {
  const at = registerOf(pc);
  if (at) store<u64>(REGS + <usize>load<u8>(pc, OP_RM), load<u64>(at));
}

export function movtodr(pc: usize): void {
  const at = registerOf(pc);
  if (!at) return;
  const given = load<u64>(REGS + <usize>load<u8>(pc, OP_RM));
  const value = code64() ? given : given & 0xffffffff;
  if (at >= DR6 && value >> 32) {
    fault(GP);
    return;
  }
  if (at == DR6) store<u64>(at, (value & DR6_BITS) | DR6_ONES);
  else if (at == DR7) store<u64>(at, (value & DR7_BITS) | DR7_ONES);
  else store<u64>(at, value);
  updateBreakpoints();
}
