/**
 * Addresses that explain a guest's end: where boot sends a CPU that has no other target.
 *
 * @module
 */

/**
 * The value on top of the stack at a guest's first instruction: the return address of its entry function. In 64-bit
 * mode nothing is mapped there; in 32-bit modes its lower half is an address without RAM.
 */
export const ENTRY_RETURN = 0xffff_ffff_ffff_e000n;

/**
 * Real-mode vectors without a handler point to F000:D000 plus the vector's number, where a HLT is: the address tells
 * which interrupt it was. Without a BIOS all vectors do; the BIOS's ROM has the same HLTs there.
 */
export const UNSERVED = { segment: 0xf000, offset: 0xd000 } as const;
