/** Floppy disks and the DMA controllers that move their data. */
export { FloppyController, type FloppyState } from './controller.js';
export { Dma8237, type DmaState } from './dma8237.js';
