// Checks of privilege (SDM 3A 6.9; 1 19.5 for ports).
import {
  CPL,
  CR4,
  CR4_UMIP,
  FLAGS_SYSTEM,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_LIMIT,
  SEG_TR,
  SEGMENT_SIZE,
  SEGMENTS,
} from '../../layout';
import { realMode } from '../core/cpu-mode';
import { fault, GP } from '../core/faults';
import { IOPL, systemFlag, VM } from '../core/flags';
import { readSystem } from '../core/memory';
import { failed } from '../core/trouble';
import { notePort } from './debug';
import { BUSY, TSS_32 } from './descriptor-bits';

/** True in ring 0, for instructions that need it; else it faults. */
export function privileged(): bool {
  if (load<u32>(CPL) == 0) return true;
  fault(GP);
  return false;
}

function withinIopl(): bool {
  return load<u32>(CPL) <= (load<u32>(FLAGS_SYSTEM) & IOPL) >> 12;
}

/** CLI and STI; in virtual-8086 mode also PUSHF, POPF, INT n and IRET. False after a fault. */
export function mayTouchInterrupts(): bool {
  if (withinIopl()) return true;
  fault(GP);
  return false;
}

/** IN and OUT: IOPL allows all ports, the TSS's I/O permission bitmap single ones. False after a fault. */
export function mayUsePort(port: u32, size: u32): bool {
  notePort(port, size);
  if (realMode() ? !systemFlag(VM) : withinIopl()) return true;
  const task = SEGMENTS + SEG_TR * SEGMENT_SIZE;
  const base = load<u64>(task, SEG_BASE);
  const limit = load<u32>(task, SEG_LIMIT);
  const attributes = load<u32>(task, SEG_ATTRIBUTES);
  if ((attributes & 31 & ~BUSY) == TSS_32 && limit >= 103) {
    const map = <u32>readSystem<u16>(base + 102);
    if (failed()) return false;
    const at = map + (port >> 3);
    // Two bytes are read for every size: a map ends with a byte of ones.
    if (at + 1 <= limit) {
      const bits = <u32>readSystem<u16>(base + <u64>at) >> (port & 7);
      if (failed()) return false;
      if ((bits & ((1 << size) - 1)) == 0) return true;
    }
  }
  fault(GP);
  return false;
}

/** CR4.UMIP hides the addresses of the system tables from rings 1 to 3 (SDM 3A 2.5). */
export function mayShowSystem(): bool {
  return !(load<u32>(CR4) & CR4_UMIP) || privileged();
}
