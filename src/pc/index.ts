/**
 * The one place that puts a PC together. Nothing here knows Node.
 *
 * @module
 */
export { makePc, type PcParts } from './make.js';
