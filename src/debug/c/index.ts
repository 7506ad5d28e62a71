/**
 * C in the debugger: variables of functions, expressions and types, by the debug information of the compiler.
 *
 * @module
 */
export type { Shown } from './function-view.js';
export { Functions, type SourceFrame } from './functions.js';
