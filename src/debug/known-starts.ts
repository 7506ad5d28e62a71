import type { SymbolTable } from '../symbols/index.js';

/** Where instructions are known to begin: at symbols and at rows of the line table. */
export function knownStarts(symbols: SymbolTable, from: bigint, to: bigint): bigint[] {
  const starts = new Set(symbols.lines.startsWithin({ from, to }));
  for (const { address, kind } of symbols.symbolsWithin({ from, to })) {
    if (kind !== 'variable') starts.add(address);
  }
  return [...starts].sort((a, b) => (a < b ? -1 : 1));
}
