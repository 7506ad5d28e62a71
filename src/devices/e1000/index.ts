/** A network card, Intel's 82540EM. */
export { E1000, type E1000State } from './e1000.js';
