/** Floppy disks and the DMA controllers that move their data. */
export { FloppyController } from './controller.js';
export { Dma8237, type DmaState } from './dma8237.js';
export type { FloppyState } from './state.js';
