/**
 * What a Linux guest says about itself, read from its RAM: symbols, tasks, log, and why it died.
 *
 * @module
 */
export { type LinuxDeath, readDeath } from './death.js';
export { kernelNames, LinuxKernel } from './kernel.js';
export { formatLog, type LinuxLogRecord, readLog } from './log.js';
export { formatTasks, type LinuxTask, readTasks } from './tasks.js';
