/** Inputs from outside of a machine; see inputs.ts. */
export { AnswerChecker, AnswerRecorder } from './answers.js';
export { hostTime } from './host.js';
export { Inputs, type InputsOptions, type InputsState } from './inputs.js';
export { type AnswerSums, type InputEvent, type InputKind, type InputRecord, ReplayError } from './record.js';
