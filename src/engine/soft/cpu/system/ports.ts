// IN and OUT (SDM 1 19): the monitor answers every access.
import { RAX, RDX } from '../../layout';
import { maskOf } from '../core/bits';
import { answer, EXIT_IO, external } from '../core/external';
import { immediate, setRegister } from '../core/operands';
import { mayUsePort } from './privilege';

function input<T>(port: u64): void {
  if (mayUsePort(<u32>port, sizeof<T>()) && external(EXIT_IO, port, sizeof<T>(), false, 0))
    setRegister<T>(RAX, <T>answer());
}

function output<T>(port: u64): void {
  if (!mayUsePort(<u32>port, sizeof<T>())) return;
  external(EXIT_IO, port, sizeof<T>(), true, <u64>load<T>(RAX) & maskOf(sizeof<T>()));
}

export function inimm<T>(pc: usize): void {
  input<T>(<u64>immediate(pc) & 0xff);
}

export function indx<T>(_pc: usize): void {
  input<T>(<u64>load<u16>(RDX));
}

export function outimm<T>(pc: usize): void {
  output<T>(<u64>immediate(pc) & 0xff);
}

export function outdx<T>(_pc: usize): void {
  output<T>(<u64>load<u16>(RDX));
}
