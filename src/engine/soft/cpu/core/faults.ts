// How an instruction reports that it cannot complete.
import { EXIT_LENGTH, FAULT_CODE, FAULT_VECTOR, TROUBLE, TROUBLE_FAULT } from '../../layout';
import { EXIT_ERROR, exitFor } from './external';

export const DE: u32 = 0;
export const DB: u32 = 1;
export const NMI: u32 = 2;
export const BP: u32 = 3;
export const OVERFLOW: u32 = 4;
export const BR: u32 = 5;
export const UD: u32 = 6;
export const NM: u32 = 7;
export const DOUBLE_FAULT: u32 = 8;
export const TS: u32 = 10;
export const NP: u32 = 11;
export const SS: u32 = 12;
export const GP: u32 = 13;
export const PAGE_FAULT: u32 = 14;
/** An x87 exception that is not masked. */
export const MF: u32 = 16;
export const ALIGNMENT: u32 = 17;
/** A floating-point exception of SSE that is not masked. */
export const XM: u32 = 19;

export function fault(vector: u32, code: u32 = 0): void {
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_CODE, code);
  store<u32>(TROUBLE, load<u32>(TROUBLE) | TROUBLE_FAULT);
}

/** Bit 0 of error codes, EXT: the event being delivered is external to the program (SDM 3A 7.13). */
let external: u32 = 0;

/** Sets whether the following error codes have EXT set. */
export function markExternal(on: bool): void {
  external = <u32>on;
}

/** A fault whose error code names a selector, 0 for none. */
export function selectorFault(vector: u32, selector: u32): void {
  fault(vector, (selector & 0xfffc) | external);
}

/** A fault whose error code names an entry of the interrupt descriptor table. */
export function gateFault(vector: u32, number: u32): void {
  fault(vector, (number << 3) | 2 | external);
}

/** Memory that is not RAM cannot be executed: the run ends, with the instruction's bytes that could be read. */
export function cannotFetch(): void {
  store<u32>(EXIT_LENGTH, 0);
  exitFor(EXIT_ERROR);
}
