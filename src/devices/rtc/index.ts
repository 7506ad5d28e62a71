/**
 * A PC's real-time clock and its battery-backed RAM.
 *
 * @module
 */
export { Cmos, type CmosOptions, type CmosState } from './cmos.js';
