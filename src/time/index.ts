/**
 * Time: a machine's clock, and alarms that its devices set on it.
 *
 * A moment is a whole number of nanoseconds. A double holds 2^53 of them exactly, 104 days of a machine's running time;
 * after that moments become even numbers, then multiples of four, and nothing else changes. A bigint would have no such
 * limit, but each addition would allocate, at each exit.
 *
 * @module
 */
export type { Alarm } from './alarms.js';
export { AlarmClock, type AlarmTime, type Clock, type ClockState, SHORTEST } from './clock.js';
export { MILLISECOND, Rate, SECOND } from './rate.js';
