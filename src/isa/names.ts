/**
 * Numbers and addresses in a disassembly.
 *
 * @module
 */

/** An address with its symbol, where it has one. */
export type Names = (address: bigint) => string;

/** `0x1f`. */
export const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Puts a symbol after an address: `0x401000 <main>`. */
export function naming(symbol: ((address: bigint) => string | undefined) | undefined): Names {
  return (address) => {
    const name = symbol?.(address);
    return name === undefined ? hex(address) : `${hex(address)} <${name}>`;
  };
}
