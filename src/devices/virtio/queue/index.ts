/** Virtqueues (2.6 to 2.8), in both formats. */
export { Chain, type Segment, slices } from './chain.js';
export { type QueueFeatures, type QueueState, type RingPart, ringParts, VirtQueue } from './queue.js';
export { RingError, reach } from './ram.js';
export type { Ring } from './ring.js';
