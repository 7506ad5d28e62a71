/** A location that can be written. */
export type Place =
  | { kind: 'register'; name: string }
  | { kind: 'memory'; address: bigint; size: number; signed: boolean };

/** The value of an expression of registers and memory. */
export interface PlainValue {
  /** Without sign, unless `signed`. */
  value: bigint;
  /** In bytes. */
  size: number;
  signed: boolean;
  /** As text: `0x2a (42)`, `0x100005 <work+0x5>`, `0x246 (ZF PF IF)`. */
  text: string;
  /** Missing for a computed value. */
  place?: Place;
  /** It is known to be an address: that of a symbol, or of a segment and an offset. */
  isAddress?: true;
  /** It was set: `rax = 5`. */
  assigned?: true;
}
