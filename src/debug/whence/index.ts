/** Where values come from, and who wrote: questions about a history. */
export type { Origin, OriginOptions, OriginWay } from './origin.js';
export type { WantedPlace } from './places.js';
export { Questions } from './questions.js';
export { originText } from './text.js';
export { type WriteRecord, writesText } from './writes.js';
