// The instructions of transcendental functions (SDM 1 8.3.7 to 8.3.11): not there yet.
import { notImplemented } from '../faults';
export function f2xm1(_pc: usize): void {
  notImplemented();
}
export function fyl2x(_pc: usize): void {
  notImplemented();
}
export function fptan(_pc: usize): void {
  notImplemented();
}
export function fpatan(_pc: usize): void {
  notImplemented();
}
export function fyl2xp1(_pc: usize): void {
  notImplemented();
}
export function fsincos(_pc: usize): void {
  notImplemented();
}
export function fsin(_pc: usize): void {
  notImplemented();
}
export function fcos(_pc: usize): void {
  notImplemented();
}
