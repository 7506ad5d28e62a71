// The x87 FPU's registers (SDM 1 8.1), and the exceptions that an instruction has raised so far.
import {
  FPU_CONTROL,
  FPU_REGISTERS,
  FPU_STATUS,
  FPU_TAGS,
  IGNNE,
  IGNNE_FOR_NOW,
  IGNNE_LOW,
} from '../../layout';

// The status word (SDM 1 8.1.3). The first six are masked by the same bits of the control word.
export const IE: u32 = 1;
export const DE: u32 = 2;
export const ZE: u32 = 4;
export const OE: u32 = 8;
export const UE: u32 = 0x10;
export const PE: u32 = 0x20;
/** Stack fault: C1 tells overflow from underflow. */
export const SF: u32 = 0x40;
/** Exception summary, and B, its copy for compatibility with the 8087. */
export const ES: u32 = 0x80;
export const BUSY: u32 = 0x8000;
export const C0: u32 = 0x100;
export const C1: u32 = 0x200;
export const C2: u32 = 0x400;
export const C3: u32 = 0x4000;
export const EXCEPTIONS: u32 = 0x3f;

// Rounding control, bits 10 and 11 of the control word.
export const NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const CHOP: u32 = 3;

/** Bits that the current instruction adds to the status word: exceptions, SF and C1. */
export let raised: u32 = 0;

export function raise(flags: u32): void {
  raised |= flags;
}

export function forgetRaised(): void {
  raised = 0;
}

export function controlWord(): u32 {
  return <u32>load<u16>(FPU_CONTROL);
}

export function statusWord(): u32 {
  return <u32>load<u16>(FPU_STATUS);
}

/** Writes the status word; ES and B follow from the exceptions and their masks. */
export function setStatusWord(value: u32): void {
  const pending = (value & ~controlWord() & EXCEPTIONS) != 0;
  store<u16>(FPU_STATUS, <u16>(pending ? value | ES | BUSY : value & ~(ES | BUSY)));
  // FERR# is deasserted, and with it the board's IGNNE# (SDM 1 D.2.1.2).
  if (!pending && load<u32>(IGNNE) == IGNNE_FOR_NOW) store<u32>(IGNNE, IGNNE_LOW);
}

export function roundingMode(): u32 {
  return (controlWord() >> 10) & 3;
}

/** True if an unmasked pre-computation exception was raised: the calculation is then not done. */
export function stopsBefore(): bool {
  if (!unmasked(IE | DE | ZE)) return false;
  raised &= raised & SF ? IE | SF | C1 : IE | DE | ZE;
  return true;
}

/** True if one of these exceptions is raised and not masked by the control word. */
export function unmasked(exceptions: u32): bool {
  return (raised & exceptions & ~controlWord()) != 0;
}

/** Adds the raised exceptions to the status word. C1 is cleared where it was not raised. */
export function commit(): void {
  setStatusWord((statusWord() & ~C1) | raised);
}

/** As `commit`, but C1 stays unless the stack failed. */
export function commitKeepingC1(): void {
  setStatusWord((raised & SF ? statusWord() & ~C1 : statusWord()) | raised);
}

/** As `commit`, with the condition codes C0, C2 and C3 too. */
export function commitConditions(conditions: u32): void {
  setStatusWord((statusWord() & ~(C0 | C1 | C2 | C3)) | raised | conditions);
}

export function top(): u32 {
  return (statusWord() >> 11) & 7;
}

export function setTop(value: u32): void {
  store<u16>(FPU_STATUS, <u16>((statusWord() & ~0x3800) | ((value & 7) << 11)));
}

/** The number of the register that is ST(i). */
export function physical(i: u32): u32 {
  return (top() + i) & 7;
}

/** The register's address. */
export function place(i: u32): usize {
  return FPU_REGISTERS + ((<usize>physical(i)) << 4);
}

export function isEmpty(i: u32): bool {
  return ((<u32>load<u8>(FPU_TAGS) >> physical(i)) & 1) == 0;
}

export function setEmpty(i: u32): void {
  store<u8>(FPU_TAGS, <u8>(<u32>load<u8>(FPU_TAGS) & ~(1 << physical(i))));
}

export function significand(i: u32): u64 {
  return load<u64>(place(i));
}

/** Sign and exponent: 16 bits. */
export function exponentOf(i: u32): u32 {
  return <u32>load<u16>(place(i), 8);
}

/** Writes ST(i), and marks it as not empty. */
export function setSt(i: u32, exponent: u32, bits: u64): void {
  const number = physical(i);
  const at = FPU_REGISTERS + ((<usize>number) << 4);
  store<u64>(at, bits);
  store<u16>(at, <u16>exponent, 8);
  store<u8>(FPU_TAGS, <u8>(<u32>load<u8>(FPU_TAGS) | (1 << number)));
}

export function pop(): void {
  setEmpty(0);
  setTop(top() + 1);
}

/** Decrements TOP: the next register becomes ST(0). */
export function push(exponent: u32, bits: u64): void {
  setTop(top() - 1);
  setSt(0, exponent, bits);
}
