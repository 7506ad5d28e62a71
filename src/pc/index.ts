/**
 * A PC, put together from its parts. Nothing here knows Node.
 *
 * @module
 */
export { type IrqchipName, irqchipNames } from '../engine/contract/index.js';
export { board, DEFAULT_IRQCHIP, giveWay } from './board.js';
export { servicesOf, startOfTime } from './services.js';
