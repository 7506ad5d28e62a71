/**
 * Where a guest spends its instructions: samples of a CPU that counts them, by function and by call chain.
 *
 * @module
 */
export { flameGraph } from './flame-graph.js';
export { folded, speedscope } from './formats.js';
export { type CountedFunction, countFunctions, type Profile } from './profile.js';
export { Profiler, type ProfilerParts } from './profiler.js';
export { formatProfile } from './text.js';
