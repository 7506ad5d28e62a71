/** Queries about a history: where values come from, and what wrote memory. */
export { accessesOf, type MemoryAccess } from './accesses.js';
export type { Origin, OriginOptions, OriginWay } from './origin.js';
export type { WantedPlace } from './places.js';
export { Questions } from './questions.js';
export { originText } from './text.js';
export { type WriteRecord, writesText } from './writes.js';
