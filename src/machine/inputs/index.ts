/** What comes in from outside of a machine; see inputs.ts. */
export { hostTime } from './host.js';
export { Inputs, type InputsOptions, type InputsState } from './inputs.js';
export { type InputEvent, type InputKind, type InputRecord, ReplayError } from './record.js';
