/**
 * Compares two engines: random instructions from the opcode table, with random registers, flags and memory.
 *
 * @module
 */
export { type Difference, describe } from './compare.js';
export { known, untried, whyUntried } from './differences.js';
export { type ModeName, modeNames } from './modes.js';
export { formatReport } from './report.js';
export { type Vendors, vendorDifferences, whyByVendor } from './vendors.js';
export { type Found, Verifier, type VerifierOptions, type VerifierReport } from './verifier.js';
