// Control, status, environment and state (SDM 1 8.1.10, 8.3.7).
import {
  CR0,
  FPU_CONTROL,
  FPU_CS,
  FPU_DP,
  FPU_DS,
  FPU_IP,
  FPU_OPCODE,
  FPU_REGISTERS,
  FPU_TAGS,
  LINEAR_MASK,
  RAX,
} from '../../layout';
import { realMode } from '../core/cpu-mode';
import { fault, NM } from '../core/faults';
import { width } from '../core/generic';
import { checkRead, checkWrite, linearAddress, read, readLinear, write, writeLinear } from '../core/memory';
import { address, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { available, nothingPending, ready } from './instruction';
import { classOf, NORMAL, ZERO } from './numbers';
import { BUSY, controlWord, ES, EXCEPTIONS, place, SF, setStatusWord, statusWord } from './registers';

/** Bit 6 is always 1; 7 and 13 to 15 are 0. */
function setControlWord(value: u32): void {
  store<u16>(FPU_CONTROL, <u16>((value & 0x1f3f) | 0x40));
  setStatusWord(statusWord());
}

function initialize(): void {
  store<u16>(FPU_CONTROL, 0x37f);
  setStatusWord(0);
  store<u8>(FPU_TAGS, 0);
  store<u16>(FPU_OPCODE, 0);
  store<u64>(FPU_IP, 0);
  store<u64>(FPU_DP, 0);
  store<u16>(FPU_CS, 0);
  store<u16>(FPU_DS, 0);
}

/**
 * The tag word in the 8087's format, two bits per register: what FXSAVE's one bit lacks follows from the number (SDM 1 8.1.7).
 */
function fullTags(): u32 {
  let tags: u32 = 0;
  for (let number: u32 = 0; number < 8; number++) {
    const at = FPU_REGISTERS + ((<usize>number) << 4);
    const kind = classOf(<u32>load<u16>(at, 8), load<u64>(at));
    let tag: u32 = kind == NORMAL ? 0 : kind == ZERO ? 1 : 2;
    if (!((<u32>load<u8>(FPU_TAGS) >> number) & 1)) tag = 3;
    tags |= tag << (number << 1);
  }
  return tags;
}

function setTags(full: u32): void {
  let tags: u32 = 0;
  for (let number: u32 = 0; number < 8; number++) {
    if (((full >> (number << 1)) & 3) != 3) tags |= 1 << number;
  }
  store<u8>(FPU_TAGS, <u8>tags);
}

export function fninit(_pc: usize): void {
  if (available()) initialize();
}

/** The condition codes do not change. */
export function fnclex(_pc: usize): void {
  if (available()) setStatusWord(statusWord() & ~(EXCEPTIONS | SF | ES | BUSY));
}

export function fldcw(pc: usize): void {
  if (!ready()) return;
  const value = read<u16>(segment(pc), address(pc));
  if (!failed()) setControlWord(<u32>value);
}

export function fnstcw(pc: usize): void {
  if (available()) write<u16>(segment(pc), address(pc), <u16>controlWord());
}

export function fnstsw(pc: usize): void {
  if (available()) write<u16>(segment(pc), address(pc), <u16>statusWord());
}

export function fnstswAx(_pc: usize): void {
  if (available()) store<u16>(RAX, <u16>statusWord());
}

/** The bytes of an environment: seven words of 16 or 32 bits. */
function environmentSize(pc: usize): u64 {
  return width(pc) == 2 ? 14 : 28;
}

function put(pc: usize, index: u64, value: u32): void {
  if (failed()) return;
  const size = environmentSize(pc) / 7;
  const at = address(pc) + index * size;
  if (size == 2) write<u16>(segment(pc), at, <u16>value);
  else write<u32>(segment(pc), at, value);
}

function get(pc: usize, index: u64): u32 {
  if (failed()) return 0;
  const size = environmentSize(pc) / 7;
  const at = address(pc) + index * size;
  return size == 2 ? <u32>read<u16>(segment(pc), at) : read<u32>(segment(pc), at);
}

/** A linear address of real-address mode. */
function linear(selector: usize, offset: usize): u32 {
  return ((<u32>load<u16>(selector)) << 4) + load<u32>(offset);
}

/** The upper halves of the 32-bit words that use 16 bits are all ones, as on processors (reserved in the SDM). */
function storeEnvironment(pc: usize): void {
  const high: u32 = 0xffff0000;
  put(pc, 0, high | controlWord());
  put(pc, 1, high | statusWord());
  put(pc, 2, high | fullTags());
  const opcode = <u32>load<u16>(FPU_OPCODE);
  if (realMode()) {
    const ip = linear(FPU_CS, FPU_IP);
    const dp = linear(FPU_DS, FPU_DP);
    if (width(pc) == 2) {
      put(pc, 3, ip);
      put(pc, 4, ((ip >> 4) & 0xf000) | opcode);
      put(pc, 5, dp);
      put(pc, 6, (dp >> 4) & 0xf000);
    } else {
      put(pc, 3, high | (ip & 0xffff));
      put(pc, 4, ((ip >> 4) & 0x0ffff000) | opcode);
      put(pc, 5, high | (dp & 0xffff));
      put(pc, 6, (dp >> 4) & 0x0ffff000);
    }
  } else {
    put(pc, 3, load<u32>(FPU_IP));
    put(pc, 4, <u32>load<u16>(FPU_CS) | (opcode << 16));
    put(pc, 5, load<u32>(FPU_DP));
    put(pc, 6, high | <u32>load<u16>(FPU_DS));
  }
}

/** Nothing is written where the first word or the last byte is not writable. */
function mayStore(pc: usize, size: u64): bool {
  const word = environmentSize(pc) / 7;
  checkWrite(segment(pc), address(pc), word, word);
  if (!failed()) checkWrite(segment(pc), address(pc) + size - 1, 1, 1);
  return !failed();
}

/** Nothing is read where the first word or the last byte is not readable. */
function mayLoad(pc: usize, size: u64): bool {
  const word = environmentSize(pc) / 7;
  checkRead(segment(pc), address(pc), word, word);
  if (!failed()) checkRead(segment(pc), address(pc) + size - 1, 1, 1);
  return !failed();
}

/** FNSTENV masks all exceptions after the store. */
export function fnstenv(pc: usize): void {
  if (!available() || !mayStore(pc, environmentSize(pc))) return;
  storeEnvironment(pc);
  if (!failed()) setControlWord(controlWord() | EXCEPTIONS);
}

/** Reads an environment; false where that failed, and nothing has changed. */
function loadEnvironment(pc: usize): bool {
  const control = get(pc, 0);
  const status = get(pc, 1);
  const tags = get(pc, 2);
  const third = get(pc, 3);
  const fourth = get(pc, 4);
  const fifth = get(pc, 5);
  const sixth = get(pc, 6);
  if (failed()) return false;
  const wide = width(pc) != 2;
  if (realMode()) {
    const above = wide ? <u32>0x0ffff000 : <u32>0xf000;
    store<u64>(FPU_IP, <u64>((third & 0xffff) | ((fourth & above) << 4)));
    store<u64>(FPU_DP, <u64>((fifth & 0xffff) | ((sixth & above) << 4)));
    store<u16>(FPU_CS, 0);
    store<u16>(FPU_DS, 0);
    store<u16>(FPU_OPCODE, <u16>(fourth & 0x7ff));
  } else {
    store<u64>(FPU_IP, <u64>third);
    store<u16>(FPU_CS, <u16>fourth);
    // The 16-bit form has no opcode (SDM 1 figure 8-11).
    if (wide) store<u16>(FPU_OPCODE, <u16>((fourth >> 16) & 0x7ff));
    store<u64>(FPU_DP, <u64>fifth);
    store<u16>(FPU_DS, <u16>sixth);
  }
  setTags(tags);
  setStatusWord(status & 0xffff);
  setControlWord(control);
  return true;
}

export function fldenv(pc: usize): void {
  if (ready() && mayLoad(pc, environmentSize(pc))) loadEnvironment(pc);
}

/** The bytes of eight registers in a saved state. */
const REGISTERS: u64 = 80;

/** The linear address of ST(i) in a saved state, which need not be aligned. */
function savedRegister(pc: usize, i: u32): u64 {
  return linearAddress(segment(pc), address(pc) + environmentSize(pc) + 10 * <u64>i);
}

export function fnsave(pc: usize): void {
  if (!available() || !mayStore(pc, environmentSize(pc) + REGISTERS)) return;
  storeEnvironment(pc);
  for (let i: u32 = 0; i < 8; i++) {
    if (failed()) return;
    writeLinear<u64>(savedRegister(pc, i), load<u64>(place(i)));
    if (failed()) return;
    writeLinear<u16>((savedRegister(pc, i) + 8) & load<u64>(LINEAR_MASK), load<u16>(place(i), 8));
  }
  if (!failed()) initialize();
}

/** Loads eight registers: all of memory is read before anything changes. */
const INCOMING: usize = memory.data(128, 8);

export function frstor(pc: usize): void {
  if (!ready() || !mayLoad(pc, environmentSize(pc) + REGISTERS)) return;
  for (let i: u32 = 0; i < 8; i++) {
    const at = INCOMING + ((<usize>i) << 4);
    store<u64>(at, readLinear<u64>(savedRegister(pc, i)));
    if (failed()) return;
    store<u16>(at, readLinear<u16>((savedRegister(pc, i) + 8) & load<u64>(LINEAR_MASK)), 8);
    if (failed()) return;
  }
  if (!loadEnvironment(pc)) return;
  for (let i: u32 = 0; i < 8; i++) {
    const at = INCOMING + ((<usize>i) << 4);
    store<u64>(place(i), load<u64>(at));
    store<u16>(place(i), load<u16>(at, 8), 8);
  }
}

const CR0_MP: u32 = 2;
const CR0_TS: u32 = 8;

/** FWAIT. */
export function wait(_pc: usize): void {
  const both = CR0_MP | CR0_TS;
  if ((load<u32>(CR0) & both) == both) fault(NM);
  else nothingPending();
}

/** FENI, FDISI and FSETPM were for the 8087 and the 80287; later processors do nothing. */
export function fpuNothing(_pc: usize): void {
  ready();
}
