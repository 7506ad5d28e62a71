// The ModRM operand, for operations that handle both registers and memory.
import { FLAG_MEMORY, OP_FLAGS, OP_WIDTH } from '../../layout';
import { checkWrite, read, write } from './memory';
import { address, rm, segment, setRm } from './operands';
import { failed } from './trouble';

export function isMemory(pc: usize): bool {
  return (load<u8>(pc, OP_FLAGS) & FLAG_MEMORY) != 0;
}

/** The operand size in bytes. */
export function width(pc: usize): u32 {
  return <u32>load<u8>(pc, OP_WIDTH);
}

export function readOperand<T>(pc: usize): T {
  return isMemory(pc) ? read<T>(segment(pc), address(pc)) : rm<T>(pc);
}

/** As `readOperand`, for an operand that will be written: faults now if it is not writable. */
export function modifyOperand<T>(pc: usize): T {
  if (!isMemory(pc)) return rm<T>(pc);
  checkWrite(segment(pc), address(pc), sizeof<T>(), sizeof<T>());
  return failed() ? 0 : read<T>(segment(pc), address(pc));
}

export function writeOperand<T>(pc: usize, value: T): void {
  if (isMemory(pc)) write<T>(segment(pc), address(pc), value);
  else setRm<T>(pc, value);
}
