/**
 * A PC, put together from its parts. Nothing here knows Node.
 *
 * @module
 */
export { board, DEFAULT_IRQCHIP, giveWay, type IrqchipName, irqchipNames } from './board.js';
export { servicesOf, startOfTime } from './services.js';
