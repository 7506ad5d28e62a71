/** ATA and ATAPI devices behind a PIIX's IDE controller. */
export { IdeController, type IdeSeat, type IdeState, seatsOf } from './ide.js';
