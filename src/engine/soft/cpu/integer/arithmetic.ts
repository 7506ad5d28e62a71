// Addition, subtraction, logic: their results, and the inputs of the flags.
import {
  arithmeticFlags,
  CF,
  carry,
  changeFlags,
  flagsOfAdd,
  flagsOfDec,
  flagsOfInc,
  flagsOfLogic,
  flagsOfSbb,
  flagsOfSub,
} from '../core/flags';

export function add<T>(a: T, b: T): T {
  const result = <T>(a + b);
  flagsOfAdd<T>(a, b, result);
  return result;
}

export function adc<T>(a: T, b: T): T {
  const result = <T>(a + b + <T>carry());
  flagsOfAdd<T>(a, b, result);
  return result;
}

export function sub<T>(a: T, b: T): T {
  const result = <T>(a - b);
  flagsOfSub<T>(a, b, result);
  return result;
}

export function sbb<T>(a: T, b: T): T {
  const result = <T>(a - b - <T>carry());
  flagsOfSbb<T>(a, b, result);
  return result;
}

export function cmp<T>(a: T, b: T): void {
  flagsOfSub<T>(a, b, <T>(a - b));
}

export function and<T>(a: T, b: T): T {
  const result = <T>(a & b);
  flagsOfLogic<T>(result);
  return result;
}

export function or<T>(a: T, b: T): T {
  const result = <T>(a | b);
  flagsOfLogic<T>(result);
  return result;
}

export function xor<T>(a: T, b: T): T {
  const result = <T>(a ^ b);
  flagsOfLogic<T>(result);
  return result;
}

export function test<T>(a: T, b: T): void {
  flagsOfLogic<T>(<T>(a & b));
}

export function inc<T>(a: T): T {
  const result = <T>(a + 1);
  flagsOfInc<T>(a, result);
  return result;
}

export function dec<T>(a: T): T {
  const result = <T>(a - 1);
  flagsOfDec<T>(a, result);
  return result;
}

export function neg<T>(a: T): T {
  const result = <T>(0 - a);
  flagsOfSub<T>(0, a, result);
  return result;
}

export function not<T>(a: T): T {
  return <T>~a;
}

export function xchg<T>(_a: T, b: T): T {
  return b;
}

export function xadd<T>(a: T, b: T): T {
  return add<T>(a, b);
}

export function clc(_pc: usize): void {
  changeFlags(CF, 0);
}

export function stc(_pc: usize): void {
  changeFlags(CF, CF);
}

export function cmc(_pc: usize): void {
  changeFlags(CF, ~arithmeticFlags());
}
