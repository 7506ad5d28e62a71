// What this processor says that it is (SDM 2A CPUID).
import { RAX, RBX, RCX, RDX } from '../layout';
import { setRegister } from './operands';

export function cpuid(_pc: usize): void {
  const leaf = load<u32>(RAX);
  let a: u32 = 0,
    b: u32 = 0,
    c: u32 = 0,
    d: u32 = 0;
  if (leaf == 0) {
    // "Terrarium!!!" as the vendor
    a = 1;
    b = 0x72726554;
    d = 0x75697261;
    c = 0x2121216d;
  } else {
    // Family 6; TSC, CMPXCHG8B, CMOV. Leaves over the last one answer as the last (SDM 2A CPUID).
    a = 0x600;
    d = (1 << 4) | (1 << 8) | (1 << 15);
  }
  setRegister<u32>(RAX, a);
  setRegister<u32>(RBX, b);
  setRegister<u32>(RCX, c);
  setRegister<u32>(RDX, d);
}
